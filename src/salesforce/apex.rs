//! The Apex wrapper in the org: POST with everything in the body, under an OAuth session.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use super::http::Request;
use super::session::{Session, Sessions};
use super::wire::{Address, Again, Create, OmniFlow, Update, bytes};
use super::{Ask, Budget, Failure, Gate, Operation, Outcome, Way};
use crate::clock::Clock;
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
    /// For a contact center. The session of the one `before` it serves on where nothing about it has changed.
    #[must_use]
    pub fn new(
        gate: Arc<Gate>,
        center: &settings::CallCenter,
        api: &settings::Apex,
        session: settings::Session,
        before: Option<&Self>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let held =
            before.map(|before| &before.sessions).filter(|held| held.fits(&api.oauth, center, session));
        let new =
            || Arc::new(Sessions::new(Arc::clone(&gate), &api.oauth, center, session, Arc::clone(clock)));
        Self {
            sessions: held.map_or_else(new, Arc::clone),
            gate,
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

    /// Sends; when the session is refused, gets a new one once and repeats once.
    ///
    /// # Errors
    /// When Salesforce did not do it in time.
    pub async fn ask(&self, client: &Client, ask: Ask<'_>, budget: &Budget) -> Result<Value, Failure> {
        let (operation, body) = (ask.operation(), self.body(ask));
        let mut words = String::new();
        for _ in 0..2 {
            let session = self.sessions.get(client, budget).await?;
            let request = self.request(operation, &session, body.clone());
            match self.gate.exchange((Way::Apex, operation), client, request, budget).await? {
                Outcome::Reauthenticate { words: refusal } => words = refusal,
                other => return other.into_result(),
            }
            self.sessions.forget(&session, budget).await?;
        }
        let look = "may the user use the API, and is login_url that of the right org?";
        Err(Failure::Misconfigured { words: format!("a new session was refused too ({words}); {look}") })
    }

    fn request(&self, operation: Operation, session: &Session, body: Bytes) -> Request {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(AUTHORIZATION, session.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let url = session.instance.join(&format!("{}/{}", self.prefix, operation.name()));
        Request { method: Method::POST, url, headers, body }
    }
}
