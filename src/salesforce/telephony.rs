//! The Telephony Integration REST API: POST and PATCH, a token signed by the bridge, ids in the path.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;
use url::Url;

use super::http::HttpRequest;
use super::payload::{BodyAddress, CreatePayload, OmniFlowPayload, RestoredPayload, UpdatePayload, bytes};
use super::token::ScrtTokens;
use super::{
    AnswerOutcome, Budget, CenterMetrics, Failure, Gate, Operation, SalesforceApi, SalesforceRequest,
};
use crate::certificate::SigningCertificate;
use crate::clock::Clock;
use crate::domain::{CallReference, CertificateName};
use crate::ids::Ids;
use crate::settings::{self, BaseUrl};

const PROVIDER: HeaderName = HeaderName::from_static("telephony-provider-name");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Characters that a path segment takes unescaped (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The telephony API for one contact center.
pub struct TelephonyApi {
    pub(super) gate: Arc<Gate>,
    measured: CenterMetrics,
    call_center: String,
    base: BaseUrl,
    create: Url,
    provider: HeaderValue,
    certificate: String,
    /// The certificate that signs from a moment on.
    next: Option<(Timestamp, String)>,
    /// Tokens by the name of the certificate that signs them.
    tokens: HashMap<String, Arc<ScrtTokens>>,
    clock: Arc<dyn Clock>,
}

/// A request before it is signed.
struct UnsignedRequest {
    method: Method,
    url: Url,
    body: Bytes,
}

impl TelephonyApi {
    /// For a contact center that may sign with any of the certificates. Tokens of the one `before` stay where their
    /// configuration has not changed.
    pub fn new<'a>(
        (gate, measured): (Arc<Gate>, CenterMetrics),
        center: &settings::CallCenter,
        api: &settings::Telephony,
        certificates: impl Iterator<Item = &'a SigningCertificate>,
        before: Option<&Self>,
        clock: &Arc<dyn Clock>,
        ids: &Arc<Ids>,
    ) -> Self {
        let tokens = |certificate: &SigningCertificate| {
            let held = before.and_then(|before| before.tokens.get(certificate.name()));
            let fits = |held: &&Arc<ScrtTokens>| {
                held.fits(api.org_id.as_str(), &center.name, certificate, &api.token)
            };
            if let Some(held) = held.filter(fits) {
                return Arc::clone(held);
            }
            let (issuer, subject) = (api.org_id.as_str().to_owned(), center.name.clone());
            let (clock, ids) = (Arc::clone(clock), Arc::clone(ids));
            Arc::new(ScrtTokens::new(issuer, subject, certificate.clone(), api.token.clone(), clock, ids))
        };
        let next = center.next_certificate.as_ref();
        Self {
            gate,
            measured,
            call_center: center.name.clone(),
            base: api.url.clone(),
            create: api.url.join("/voiceCalls"),
            provider: HeaderValue::from_str(&api.provider_name).unwrap_or(HeaderValue::from_static("")),
            certificate: center.certificate.name().to_owned(),
            next: next.map(|next| (next.from, next.certificate.name().to_owned())),
            tokens: certificates.map(|one| (one.name().to_owned(), tokens(one))).collect(),
            clock: Arc::clone(clock),
        }
    }

    /// Sends a request; when the token is refused, drops it and repeats once.
    ///
    /// # Errors
    /// When Salesforce did not do it in time.
    pub async fn send(
        &self,
        client: &Client,
        ask: SalesforceRequest<'_>,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let tokens = self.tokens_of(ask.origin().certificate.as_ref())?;
        let draft = self.draft(ask);
        let mut words = String::new();
        for _ in 0..2 {
            let authorization = tokens.authorization().map_err(|_| unsigned())?;
            let request = self.request(&draft, authorization.clone());
            let what = (SalesforceApi::Telephony, ask.operation());
            match self.gate.exchange(what, client, request, (budget, &self.measured)).await? {
                AnswerOutcome::Reauthenticate { words: refusal } => words = refusal,
                other => return other.into_result(),
            }
            tokens.forget(&authorization);
        }
        let look = "is the certificate the contact center's Telephony Integration Certificate, are org_id, \
                    provider_name and the contact center's name right, and is the clock?";
        Err(Failure::Misconfigured { words: format!("the token was refused ({words}); {look}") })
    }

    /// A request under a token, not sent; none where the key cannot sign.
    pub(super) fn signed(&self, ask: SalesforceRequest<'_>) -> Option<HttpRequest> {
        let tokens = self.tokens_of(ask.origin().certificate.as_ref()).ok()?;
        let authorization = tokens.authorization().ok()?;
        Some(self.request(&self.draft(ask), authorization))
    }

    fn draft(&self, ask: SalesforceRequest<'_>) -> UnsignedRequest {
        let create =
            || BodyAddress { call_center_api_name: Some(&self.call_center), ..BodyAddress::default() };
        let none = BodyAddress::default();
        match ask {
            SalesforceRequest::Create(request) => self.post(bytes(&CreatePayload::new(create(), request))),
            SalesforceRequest::Update(call, request) => {
                self.patch(call, "", bytes(&UpdatePayload::new(none, request)))
            }
            SalesforceRequest::OmniFlow(request) => {
                self.patch(&request.call, "/omniFlow", bytes(&OmniFlowPayload::new(none, request)))
            }
            SalesforceRequest::ClearRouting(call, _) => self.patch(call, "/clearRouting", Bytes::new()),
            SalesforceRequest::Restored(restored) => {
                let Some(call) = &restored.call else {
                    return self.post(bytes(&RestoredPayload { address: create(), body: &restored.body }));
                };
                let (tail, body) = match restored.operation {
                    Operation::ClearRouting => ("/clearRouting", Bytes::new()),
                    Operation::OmniFlow => ("/omniFlow", bytes(&restored.body)),
                    Operation::Update | Operation::Create | Operation::Query => ("", bytes(&restored.body)),
                };
                self.patch(call, tail, body)
            }
        }
    }

    fn post(&self, body: Bytes) -> UnsignedRequest {
        UnsignedRequest { method: Method::POST, url: self.create.clone(), body }
    }

    fn patch(&self, call: &CallReference, tail: &str, body: Bytes) -> UnsignedRequest {
        let id = utf8_percent_encode(call.as_ref(), SEGMENT);
        UnsignedRequest {
            method: Method::PATCH,
            url: self.base.join(&format!("/voiceCalls/{id}{tail}")),
            body,
        }
    }

    /// The tokens under a certificate. Flows may name the certificate of the contact center in every request: that means
    /// the one that signs now.
    fn tokens_of(&self, named: Option<&CertificateName>) -> Result<&ScrtTokens, Failure> {
        let named = named.map_or(self.certificate.as_str(), AsRef::as_ref);
        let name = match &self.next {
            Some((from, next)) if named == self.certificate && self.clock.now() >= *from => next,
            _ => named,
        };
        self.tokens
            .get(name)
            .map(Arc::as_ref)
            .ok_or_else(|| Failure::Misconfigured { words: format!("no certificate {name} is configured") })
    }

    fn request(&self, draft: &UnsignedRequest, authorization: HeaderValue) -> HttpRequest {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(PROVIDER, self.provider.clone());
        HttpRequest {
            method: draft.method.clone(),
            url: draft.url.clone(),
            headers,
            body: draft.body.clone(),
        }
    }
}

fn unsigned() -> Failure {
    Failure::Misconfigured { words: "the token could not be signed with the configured key".into() }
}
