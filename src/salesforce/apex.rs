//! The Apex wrapper in the org: POST with everything in the body, under an OAuth session.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use super::http::Request;
use super::session::{Session, Sessions};
use super::wire::{Address, Again, Create, OmniFlow, Update, bytes};
use super::{Ask, Budget, Failure, Gate, Operation, Way};
use crate::domain::{CallReference, Origin};
use crate::settings;

/// One contact center's way through the wrapper.
pub struct Apex {
    pub(super) gate: Arc<Gate>,
    call_center: String,
    prefix: String,
    certificate: String,
    sessions: Arc<Sessions>,
}

impl Apex {
    /// For a contact center.
    #[must_use]
    pub fn new(
        gate: Arc<Gate>,
        sessions: Arc<Sessions>,
        center: &settings::CallCenter,
        api: &settings::Apex,
    ) -> Self {
        Self {
            gate,
            sessions,
            call_center: center.name.clone(),
            prefix: api.path_prefix.clone(),
            certificate: api.certificate_in_org.clone(),
        }
    }

    /// The names the wrapper wants in every body.
    fn address<'a>(&'a self, origin: &'a Origin, call: Option<&'a CallReference>) -> Address<'a> {
        Address {
            call_center_api_name: None,
            call_center_dev_name: Some(&self.call_center),
            cert_dev_name: Some(origin.certificate.as_ref().map_or(self.certificate.as_str(), AsRef::as_ref)),
            voice_call_id: call.map(AsRef::as_ref),
        }
    }

    fn body(&self, ask: Ask<'_>) -> Bytes {
        let origin = ask.origin();
        match ask {
            Ask::Create(request) => bytes(&Create::new(self.address(origin, None), request)),
            Ask::Update(call, request) => bytes(&Update::new(self.address(origin, Some(call)), request)),
            Ask::OmniFlow(request) => {
                bytes(&OmniFlow::new(self.address(origin, Some(&request.call)), request))
            }
            Ask::ClearRouting(call, _) => bytes(&self.address(origin, Some(call))),
            Ask::Kept(kept) => {
                bytes(&Again { address: self.address(origin, kept.call.as_ref()), body: &kept.body })
            }
        }
    }

    /// Sends under the session.
    ///
    /// # Errors
    /// When Salesforce did not do it in time.
    pub async fn ask(&self, client: &Client, ask: Ask<'_>, budget: &Budget) -> Result<Value, Failure> {
        let (operation, body) = (ask.operation(), self.body(ask));
        let request = |session: &Session| self.request(operation, session, body.clone());
        self.sessions.exchange((Way::Apex, operation), client, budget, request).await?.into_result()
    }

    fn request(&self, operation: Operation, session: &Session, body: Bytes) -> Request {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(AUTHORIZATION, session.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let url = session.instance.join(&format!("{}/{}", self.prefix, operation.name()));
        Request { method: Method::POST, url, headers, body }
    }
}
