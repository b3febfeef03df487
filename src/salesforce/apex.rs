//! The Apex wrapper in the org: POST with everything in the body, under an OAuth session.

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use serde::Serialize;
use serde_json::Value;

use super::http::{Request, exchange};
use super::session::{Session, Sessions};
use super::wire::{Address, Create, OmniFlow, Update, bytes};
use super::{Budget, Failure, Operation, Outcome, Way, judge};
use crate::clock::Clock;
use crate::domain::{ClearRouting, CreateVoiceCall, ExecuteOmniFlow, Origin, UpdateVoiceCall};
use crate::settings;

/// One contact center's way through the wrapper.
pub struct Apex {
    call_center: String,
    prefix: String,
    certificate: String,
    sessions: Sessions,
}

impl Apex {
    /// For a contact center.
    #[must_use]
    pub fn new(
        center: &settings::CallCenter,
        api: &settings::Apex,
        session: settings::Session,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            call_center: center.name.clone(),
            prefix: api.path_prefix.clone(),
            certificate: api.certificate_in_org.clone(),
            sessions: Sessions::new(api, center.certificate.clone(), session, Arc::clone(clock)),
        }
    }

    pub(super) async fn create(
        &self,
        client: &Client,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let body = Create::new(self.address(&request.origin, None), request);
        self.send(client, Operation::Create, &body, budget).await
    }

    pub(super) async fn update(
        &self,
        client: &Client,
        request: &UpdateVoiceCall,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let body = Update::new(self.address(&request.origin, Some(request.call.as_ref())), request);
        self.send(client, Operation::Update, &body, budget).await
    }

    pub(super) async fn omni_flow(
        &self,
        client: &Client,
        request: &ExecuteOmniFlow,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let body = OmniFlow::new(self.address(&request.origin, Some(request.call.as_ref())), request);
        self.send(client, Operation::OmniFlow, &body, budget).await
    }

    pub(super) async fn clear_routing(
        &self,
        client: &Client,
        request: &ClearRouting,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let body = self.address(&request.origin, Some(request.call.as_ref()));
        self.send(client, Operation::ClearRouting, &body, budget).await
    }

    /// The names the wrapper wants in every body.
    fn address<'a>(&'a self, origin: &'a Origin, call: Option<&'a str>) -> Address<'a> {
        Address {
            call_center_api_name: None,
            call_center_dev_name: Some(&self.call_center),
            cert_dev_name: Some(origin.certificate.as_ref().map_or(self.certificate.as_str(), AsRef::as_ref)),
            voice_call_id: call,
        }
    }

    /// Sends; when the session is refused, gets a new one once and repeats once.
    async fn send(
        &self,
        client: &Client,
        operation: Operation,
        body: &impl Serialize,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let body = bytes(body);
        let mut words = String::new();
        for _ in 0..2 {
            let session = self.sessions.get(client, budget).await?;
            let answer = exchange(client, self.request(operation, &session, body.clone()), budget).await?;
            match judge(Way::Apex, operation, &answer) {
                Outcome::Reauthenticate { words: refusal } => words = refusal,
                other => return other.into_result(),
            }
            self.sessions.forget(&session, budget).await?;
        }
        let look = "may the user use the API, and is login_url that of the right org?";
        Err(Failure::Misconfigured { words: format!("a new session was refused too ({words}); {look}") })
    }

    fn request(&self, operation: Operation, session: &Session, body: Vec<u8>) -> Request {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(AUTHORIZATION, session.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let url = format!("{}{}/{}", session.instance, self.prefix, operation.name());
        Request { method: Method::POST, url, headers, body }
    }
}
