//! The Apex wrapper in the org: POST with everything in the body, under an OAuth session.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use super::http::HttpRequest;
use super::payload::{BodyAddress, CreatePayload, OmniFlowPayload, RestoredPayload, UpdatePayload, bytes};
use super::session::{OAuthSession, OAuthSessions};
use super::{Budget, Failure, Gate, Operation, SalesforceApi, SalesforceRequest};
use crate::domain::{CallReference, Origin};
use crate::settings;

/// The Apex wrapper for one contact center.
pub struct ApexApi {
    pub(super) gate: Arc<Gate>,
    call_center: String,
    prefix: String,
    certificate: String,
    pub(super) sessions: Arc<OAuthSessions>,
}

impl ApexApi {
    /// For a contact center.
    pub fn new(
        gate: Arc<Gate>,
        sessions: Arc<OAuthSessions>,
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

    /// The names that the wrapper wants in every body.
    fn address<'a>(&'a self, origin: &'a Origin, call: Option<&'a CallReference>) -> BodyAddress<'a> {
        BodyAddress {
            call_center_api_name: None,
            call_center_dev_name: Some(&self.call_center),
            cert_dev_name: Some(origin.certificate.as_ref().map_or(self.certificate.as_str(), AsRef::as_ref)),
            voice_call_id: call.map(AsRef::as_ref),
        }
    }

    fn body(&self, ask: SalesforceRequest<'_>) -> Bytes {
        let origin = ask.origin();
        match ask {
            SalesforceRequest::Create(request) => {
                bytes(&CreatePayload::new(self.address(origin, None), request))
            }
            SalesforceRequest::Update(call, request) => {
                bytes(&UpdatePayload::new(self.address(origin, Some(call)), request))
            }
            SalesforceRequest::OmniFlow(request) => {
                bytes(&OmniFlowPayload::new(self.address(origin, Some(&request.call)), request))
            }
            SalesforceRequest::ClearRouting(call, _) => bytes(&self.address(origin, Some(call))),
            SalesforceRequest::Restored(restored) => bytes(&RestoredPayload {
                address: self.address(origin, restored.call.as_ref()),
                body: &restored.body,
            }),
        }
    }

    /// Sends a request under the session.
    ///
    /// # Errors
    /// When Salesforce did not do it in time.
    pub async fn send(
        &self,
        client: &Client,
        ask: SalesforceRequest<'_>,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let (operation, body) = (ask.operation(), self.body(ask));
        let request = |session: &OAuthSession| self.request(operation, session, body.clone());
        self.sessions.exchange((SalesforceApi::Apex, operation), client, budget, request).await?.into_result()
    }

    /// A request under a session, not sent.
    pub(super) fn under(&self, session: &OAuthSession, ask: SalesforceRequest<'_>) -> HttpRequest {
        self.request(ask.operation(), session, self.body(ask))
    }

    fn request(&self, operation: Operation, session: &OAuthSession, body: Bytes) -> HttpRequest {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(AUTHORIZATION, session.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let url = session.instance.join(&format!("{}/{}", self.prefix, operation.name()));
        HttpRequest { method: Method::POST, url, headers, body }
    }
}
