//! The Telephony Integration REST API: POST and PATCH, a token of our own, ids in the path.

use std::collections::HashMap;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use super::http::{Request, exchange};
use super::token::ScrtTokens;
use super::wire::{Address, Create, OmniFlow, Update, bytes};
use super::{Budget, Failure, Operation, Outcome, Way, judge};
use crate::certificate::SigningCertificate;
use crate::clock::Clock;
use crate::domain::{
    CallReference, CertificateName, ClearRouting, CreateVoiceCall, ExecuteOmniFlow, Origin, UpdateVoiceCall,
};
use crate::ids::Ids;
use crate::settings;

const PROVIDER: HeaderName = HeaderName::from_static("telephony-provider-name");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What may stand in a path segment as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One contact center's way through the telephony API.
pub struct Telephony {
    call_center: String,
    base: String,
    provider: HeaderValue,
    certificate: String,
    /// Tokens by the name of the certificate that signs them.
    tokens: HashMap<String, ScrtTokens>,
}

/// A request before it is signed.
struct Draft<'a> {
    operation: Operation,
    origin: &'a Origin,
    method: Method,
    path: String,
    body: Vec<u8>,
}

impl Telephony {
    /// For a contact center that may sign with any of the certificates.
    #[must_use]
    pub fn new<'a>(
        center: &settings::CallCenter,
        api: &settings::Telephony,
        certificates: impl Iterator<Item = &'a SigningCertificate>,
        clock: &Arc<dyn Clock>,
        ids: &Arc<Ids>,
    ) -> Self {
        let tokens = |certificate: &SigningCertificate| {
            let (issuer, subject) = (api.org_id.as_str().to_owned(), center.name.clone());
            let (clock, ids) = (Arc::clone(clock), Arc::clone(ids));
            ScrtTokens::new(issuer, subject, certificate.clone(), api.token.clone(), clock, ids)
        };
        Self {
            call_center: center.name.clone(),
            base: api.url.as_str().to_owned(),
            provider: HeaderValue::from_str(&api.provider_name).unwrap_or(HeaderValue::from_static("")),
            certificate: center.certificate.name().to_owned(),
            tokens: certificates.map(|one| (one.name().to_owned(), tokens(one))).collect(),
        }
    }

    /// POST `/voiceCalls`.
    pub(super) async fn create(
        &self,
        client: &Client,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let address = Address { call_center_api_name: Some(&self.call_center), ..Address::default() };
        let body = bytes(&Create::new(address, request));
        let (operation, path) = (Operation::Create, String::from("/voiceCalls"));
        self.send(
            client,
            Draft { operation, origin: &request.origin, method: Method::POST, path, body },
            budget,
        )
        .await
    }

    /// PATCH `/voiceCalls/{id}`.
    pub(super) async fn update(
        &self,
        client: &Client,
        request: &UpdateVoiceCall,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let body = bytes(&Update::new(Address::default(), request));
        self.send(client, draft(Operation::Update, &request.origin, &request.call, "", body), budget).await
    }

    /// PATCH `/voiceCalls/{id}/omniFlow`.
    pub(super) async fn omni_flow(
        &self,
        client: &Client,
        request: &ExecuteOmniFlow,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let body = bytes(&OmniFlow::new(Address::default(), request));
        self.send(
            client,
            draft(Operation::OmniFlow, &request.origin, &request.call, "/omniFlow", body),
            budget,
        )
        .await
    }

    /// PATCH `/voiceCalls/{id}/clearRouting`, without a body.
    pub(super) async fn clear_routing(
        &self,
        client: &Client,
        request: &ClearRouting,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let draft =
            draft(Operation::ClearRouting, &request.origin, &request.call, "/clearRouting", Vec::new());
        self.send(client, draft, budget).await
    }

    /// Sends; when the token is refused, drops it and tries once more at once.
    async fn send(&self, client: &Client, draft: Draft<'_>, budget: &Budget) -> Result<Value, Failure> {
        let tokens = self.tokens_of(draft.origin.certificate.as_ref())?;
        let mut words = String::new();
        for _ in 0..2 {
            let authorization = tokens.authorization().map_err(|_| unsigned())?;
            let request = self.request(&draft, authorization.clone());
            let answer = exchange(client, request, budget).await?;
            match judge(Way::Telephony, draft.operation, &answer) {
                Outcome::Reauthenticate { words: refusal } => words = refusal,
                other => return other.into_result(),
            }
            tokens.forget(&authorization);
        }
        let org = "is the certificate the contact center's Telephony Integration Certificate, are org_id and the \
                   contact center's name right, and is the clock?";
        Err(Failure::Misconfigured { words: format!("the token was refused ({words}); {org}") })
    }

    fn tokens_of(&self, named: Option<&CertificateName>) -> Result<&ScrtTokens, Failure> {
        let name = named.map_or(self.certificate.as_str(), AsRef::as_ref);
        self.tokens
            .get(name)
            .ok_or_else(|| Failure::Misconfigured { words: format!("no certificate {name} is configured") })
    }

    fn request(&self, draft: &Draft<'_>, authorization: HeaderValue) -> Request {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(PROVIDER, self.provider.clone());
        let url = format!("{}{}", self.base, draft.path);
        Request { method: draft.method.clone(), url, headers, body: draft.body.clone() }
    }
}

fn draft<'a>(
    operation: Operation,
    origin: &'a Origin,
    call: &CallReference,
    tail: &str,
    body: Vec<u8>,
) -> Draft<'a> {
    let id = utf8_percent_encode(call.as_ref(), SEGMENT);
    Draft { operation, origin, method: Method::PATCH, path: format!("/voiceCalls/{id}{tail}"), body }
}

fn unsigned() -> Failure {
    Failure::Misconfigured { words: "the token could not be signed with the configured key".into() }
}
