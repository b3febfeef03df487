//! The token endpoint (RFC 6749, 3.2): credentials in, access token out.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use url::form_urlencoded;

use super::access::mark_authenticated;
use super::caller::{
    AssertionProblem, Authorization, Callers, Credentials, CredentialsRefused, IdentifiedClient, IssuedToken,
    Peer,
};
use super::context::ApiContext;
use super::error::whole_seconds;
use super::notes::RequestNotes;
use super::throttle::Throttled;
use super::{ApiError, body};
use crate::settings::Client;

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// Answers with an access token, or with an error.
pub async fn token(
    request: HttpRequest,
    payload: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    let mut notes = RequestNotes { route: "token", outcome: "ok", ..RequestNotes::default() };
    let response = match serve(&request, payload, &context, &mut notes).await {
        Ok(answer) => never_stored(HttpResponse::Ok()).json(answer),
        Err(error) => {
            notes.outcome = error.code();
            let is_login = matches!(error.code(), "invalid_client" | "invalid_grant");
            notes.failed_login = is_login.then_some("token_endpoint");
            notes.error = Some(error.description().to_owned());
            error.response()
        }
    };
    request.extensions_mut().insert(notes);
    response
}

async fn serve(
    request: &HttpRequest,
    payload: web::Payload,
    context: &ApiContext,
    notes: &mut RequestNotes,
) -> Result<TokenResponse, OAuthError> {
    let bytes =
        timeout(BODY_WITHIN, body::read(request, payload)).await.map_err(|_| ApiError::SlowBody)??;
    let parameters = TokenParameters::read(request.headers(), &bytes)?;
    let (configured, now) = (context.configured(), context.now());
    let callers = configured.callers();
    let grant = TokenRequest { callers, parameters: &parameters, peer: Peer::of(request), now };
    let granted = grant.decide().inspect_err(|_| {
        notes.client = grant.claimed();
        notes.address = Some(callers.address(&grant.peer));
    })?;
    mark_authenticated(request);
    notes.client = Some(granted.known.client.id.clone());
    let issued = callers.issue(&granted.known, now).ok_or_else(no_key)?;
    let issued = issued.map_err(|_| OAuthError::unable())?;
    TokenResponse::new(callers, &granted, &issued, now)
}

/// Parses and judges a request for a token, and issues none.
///
/// # Errors
/// What the connector would be answered.
pub fn rehearse_token(
    callers: &Callers,
    peer: Peer<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), OAuthError> {
    let parameters = TokenParameters::read(peer.headers, body)?;
    TokenRequest { callers, parameters: &parameters, peer, now }.decide().map(drop)
}

/// "The authorization server MUST include the HTTP Cache-Control response header field with a value of no-store"
/// (RFC 6749, 5.1).
fn never_stored(mut builder: HttpResponseBuilder) -> HttpResponseBuilder {
    builder.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    builder
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request for a token.
struct TokenRequest<'a> {
    callers: &'a Callers,
    parameters: &'a TokenParameters,
    peer: Peer<'a>,
    now: Timestamp,
}

/// The client that gets a token.
struct GrantedClient<'a> {
    known: IdentifiedClient<'a>,
    /// The secret that the client sent, to sign the answer with.
    secret: Option<Vec<u8>>,
}

fn no_key() -> OAuthError {
    OAuthError::unsupported_grant_type(
        "this bridge gives no access tokens: set oauth.signing_key_file in its configuration, or use HTTP Basic",
    )
}

impl<'a> TokenRequest<'a> {
    fn decide(&self) -> Result<GrantedClient<'a>, OAuthError> {
        if !self.callers.gives_tokens() {
            return Err(no_key());
        }
        match self.parameters.grant_type.as_deref() {
            None => Err(OAuthError::invalid_request("grant_type: missing from the body")),
            Some("client_credentials") => self.client(),
            Some("password") => self.password(),
            Some(JWT_BEARER) => self.jwt_bearer(),
            Some(_) => Err(OAuthError::unsupported_grant_type(
                "grant_type: expected client_credentials, password or urn:ietf:params:oauth:grant-type:jwt-bearer",
            )),
        }
    }

    /// The client that the request says to be from, for the log.
    fn claimed(&self) -> Option<String> {
        let by_body = || self.parameters.client_id.as_deref().map(|id| self.callers.known(id));
        self.callers.claimed(&self.peer).or_else(by_body)
    }

    fn password(&self) -> Result<GrantedClient<'a>, OAuthError> {
        let (Some(name), Some(password)) = (&self.parameters.username, &self.parameters.password) else {
            return Err(OAuthError::invalid_request("username, password: missing"));
        };
        let GrantedClient { known, secret } = self.client()?;
        if known.client.user.as_ref().is_none_or(|user| user.password_sha256.is_none()) {
            return Err(OAuthError::unauthorized_client(
                "this client has no username and password_sha256 in the configuration",
            ));
        }
        let known = self
            .callers
            .by_password(&known, name, password, &self.peer)
            .map_err(|denied| OAuthError::grant(denied, "username or password"))?;
        Ok(GrantedClient { known, secret })
    }

    /// The assertion identifies the client. Credentials besides it are not needed (RFC 7523, 3.1); if there are any, they
    /// must be right, and of the same client.
    fn jwt_bearer(&self) -> Result<GrantedClient<'a>, OAuthError> {
        let Some(assertion) = &self.parameters.assertion else {
            return Err(OAuthError::invalid_request("assertion: missing"));
        };
        let client = match self.shown()? {
            ClientCredentials::Nothing => None,
            shown => Some(self.let_in(shown)?),
        };
        let named = client.as_ref().map(|granted| &granted.known.client.id);
        let may_be = |client: &Client, subject: &str| {
            self.sent_by(client, named)?;
            let user = client.user.as_ref().is_some_and(|user| user.name == subject);
            (user || subject == client.id).then_some(()).ok_or(AssertionProblem::Subject)
        };
        let known = self
            .callers
            .by_assertion(assertion, may_be, &self.peer, self.now)
            .map_err(|denied| OAuthError::grant(denied, "assertion"))?;
        Ok(GrantedClient { known, secret: client.and_then(|client| client.secret) })
    }

    /// The client by its own credentials.
    fn client(&self) -> Result<GrantedClient<'a>, OAuthError> {
        self.let_in(self.shown()?)
    }

    fn let_in(&self, shown: ClientCredentials<'a>) -> Result<GrantedClient<'a>, OAuthError> {
        let (callers, peer) = (self.callers, &self.peer);
        match shown {
            ClientCredentials::Nothing => Err(OAuthError::client(CredentialsRefused::Nothing, false)),
            ClientCredentials::Unreadable => Err(OAuthError::client(CredentialsRefused::Wrong, true)),
            ClientCredentials::Secret { credentials, by_header } => {
                let known = self.by_secret(&credentials, by_header);
                let known = known.map_err(|denied| OAuthError::client(denied, by_header))?;
                Ok(GrantedClient { known: known.0, secret: Some(known.1) })
            }
            ClientCredentials::Assertion(assertion) => {
                let itself = |client: &Client, subject: &str| {
                    self.sent_by(client, None)?;
                    (subject == client.id).then_some(()).ok_or(AssertionProblem::Subject)
                };
                let known = callers
                    .by_assertion(assertion, itself, peer, self.now)
                    .map_err(|denied| OAuthError::client(denied, false))?;
                Ok(GrantedClient { known, secret: None })
            }
            ClientCredentials::Certificate => {
                let known = callers.by_certificate(peer);
                let known = known.map_err(|denied| OAuthError::client(denied, false))?;
                self.sent_by(known.client, None)
                    .map_err(|_| OAuthError::client(CredentialsRefused::Wrong, false))?;
                Ok(GrantedClient { known, secret: None })
            }
        }
    }

    /// Whether the client is the one that the body and the credentials name, if they name one.
    fn sent_by(&self, client: &Client, named: Option<&String>) -> Result<(), AssertionProblem> {
        let same =
            [named, self.parameters.client_id.as_ref()].into_iter().flatten().all(|id| *id == client.id);
        same.then_some(()).ok_or(AssertionProblem::Issuer)
    }

    /// In the header, id and secret may be form-encoded or not: half of the clients do what RFC 6749, 2.3.1 wants.
    fn by_secret(
        &self,
        credentials: &Credentials,
        by_header: bool,
    ) -> Result<(IdentifiedClient<'a>, Vec<u8>), CredentialsRefused> {
        let decoded = credentials.form_decoded().filter(|_| by_header);
        let (known, right) = self.callers.by_either(credentials, decoded.as_ref(), &self.peer)?;
        Ok((known, right.secret.clone()))
    }

    /// The credentials of the client; one kind only (RFC 6749, 2.3), but the same secret twice is fine.
    fn shown(&self) -> Result<ClientCredentials<'a>, OAuthError> {
        let parameters = self.parameters;
        let header = match Authorization::of(self.peer.headers) {
            Authorization::Missing => None,
            Authorization::Basic(credentials) => Some(credentials),
            Authorization::Bearer(_) | Authorization::Unreadable => return Ok(ClientCredentials::Unreadable),
        };
        if let Some(assertion) = &parameters.client_assertion {
            if header.is_some() || parameters.client_secret.is_some() {
                return Err(OAuthError::invalid_request(
                    "credentials: client_assertion and a secret; send one",
                ));
            }
            return match parameters.client_assertion_type.as_deref() {
                Some(CLIENT_ASSERTION) => Ok(ClientCredentials::Assertion(assertion)),
                _ => Err(OAuthError::invalid_request(
                    "client_assertion_type: expected urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                )),
            };
        }
        if let Some(credentials) = header {
            if !self.body_agrees(&credentials) {
                return Err(OAuthError::invalid_request(
                    "credentials: those in the header Authorization and those in the body differ",
                ));
            }
            return Ok(ClientCredentials::Secret { credentials, by_header: true });
        }
        match (&parameters.client_id, &parameters.client_secret) {
            (Some(id), Some(secret)) => {
                let credentials = Credentials { id: id.clone(), secret: secret.as_bytes().to_vec() };
                Ok(ClientCredentials::Secret { credentials, by_header: false })
            }
            (None, Some(_)) => Err(OAuthError::invalid_request("client_id: missing beside client_secret")),
            (_, None) if !self.peer.names.is_empty() => Ok(ClientCredentials::Certificate),
            (_, None) => Ok(ClientCredentials::Nothing),
        }
    }

    /// Whether the body names the same client as the header, as it is or form-decoded.
    fn body_agrees(&self, header: &Credentials) -> bool {
        let (id, secret) = (&self.parameters.client_id, &self.parameters.client_secret);
        let agrees = |header: &Credentials| {
            id.as_ref().is_none_or(|id| *id == header.id)
                && secret.as_ref().is_none_or(|secret| secret.as_bytes() == header.secret)
        };
        agrees(header) || header.form_decoded().as_ref().is_some_and(agrees)
    }
}

/// The credentials of a client.
enum ClientCredentials<'a> {
    Nothing,
    /// A header that is not Basic.
    Unreadable,
    Secret {
        credentials: Credentials,
        by_header: bool,
    },
    Assertion(&'a str),
    /// The certificate of the connection.
    Certificate,
}

/// The known parameters of a form, as OAuth has it (RFC 6749, 3.2), or of a JSON object with the same names; others are
/// ignored. No `Debug`: they contain secrets.
#[derive(Default)]
pub struct TokenParameters {
    /// The grant type.
    pub grant_type: Option<String>,
    /// The client's id.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// The kind of `client_assertion`.
    pub client_assertion_type: Option<String>,
    /// A signed assertion instead of a secret.
    pub client_assertion: Option<String>,
    /// The user of the password grant.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// The assertion of the JWT bearer grant.
    pub assertion: Option<String>,
}

impl TokenParameters {
    /// Parses a body by its content type; without a clear one, by how it begins.
    ///
    /// # Errors
    /// When it is neither form nor JSON, or has a parameter twice.
    pub fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Self, OAuthError> {
        let kinds: Vec<u8> =
            headers.get_all(CONTENT_TYPE).flat_map(|kind| kind.as_bytes().to_ascii_lowercase()).collect();
        let is_mentioned = |word: &[u8]| kinds.windows(word.len()).any(|part| part == word);
        let begins_as_json = bytes.trim_ascii_start().starts_with(b"{");
        match (is_mentioned(b"json"), is_mentioned(b"x-www-form-urlencoded")) {
            (true, false) => Self::json(bytes),
            (false, true) => Self::form(bytes),
            _ if is_mentioned(b"multipart") || is_mentioned(b"xml") => Err(OAuthError::invalid_request(
                "content type: expected application/x-www-form-urlencoded or application/json",
            )),
            _ if begins_as_json => Self::json(bytes),
            _ => Self::form(bytes),
        }
    }

    fn form(bytes: &[u8]) -> Result<Self, OAuthError> {
        let mut this = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            this.set(&name, value.into_owned())?;
        }
        Ok(this)
    }

    fn json(bytes: &[u8]) -> Result<Self, OAuthError> {
        let invalid = || OAuthError::invalid_request("body: expected a JSON object");
        let (fields, stray) = body::object(bytes).map_err(|_| invalid())?;
        if stray {
            return Err(invalid());
        }
        let mut this = Self::default();
        for (name, value) in fields.0 {
            match value {
                Value::Null => {}
                Value::String(value) => this.set(&name, value)?,
                _ => this.refuse_if_known(&name)?,
            }
        }
        Ok(this)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), OAuthError> {
        let Some((name, place)) = self.place(name) else { return Ok(()) };
        // "Parameters sent without a value MUST be treated as if they were omitted" (RFC 6749, 3.2).
        if value.is_empty() {
            return Ok(());
        }
        match place {
            Some(_) => Err(OAuthError::invalid_request(format!("{name}: given twice"))),
            None => {
                *place = Some(value);
                Ok(())
            }
        }
    }

    fn refuse_if_known(&mut self, name: &str) -> Result<(), OAuthError> {
        match self.place(name) {
            Some((name, _)) => Err(OAuthError::invalid_request(format!("{name}: expected a text"))),
            None => Ok(()),
        }
    }

    fn place(&mut self, name: &str) -> Option<(&'static str, &mut Option<String>)> {
        match name {
            "grant_type" => Some(("grant_type", &mut self.grant_type)),
            "client_id" => Some(("client_id", &mut self.client_id)),
            "client_secret" => Some(("client_secret", &mut self.client_secret)),
            "client_assertion_type" => Some(("client_assertion_type", &mut self.client_assertion_type)),
            "client_assertion" => Some(("client_assertion", &mut self.client_assertion)),
            "username" => Some(("username", &mut self.username)),
            "password" => Some(("password", &mut self.password)),
            "assertion" => Some(("assertion", &mut self.assertion)),
            _ => None,
        }
    }
}

/// The only scope, whatever was asked for: the configuration says what a client may do.
const SCOPE: &str = "api";

/// A successful answer: OAuth's fields, and those of Salesforce's own token endpoint, for clients that were written for
/// it. No `Debug`: it contains the token.
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    scope: &'static str,
    /// Where the routes of the wrapper are.
    instance_url: String,
    /// The client as a URL, as Salesforce has it.
    id: String,
    /// Milliseconds since 1970, as text.
    issued_at: String,
    /// HMAC-SHA256 of `id` and `issued_at`, as Salesforce has it.
    signature: String,
}

impl TokenResponse {
    fn new(
        callers: &Callers,
        granted: &GrantedClient<'_>,
        issued: &IssuedToken,
        now: Timestamp,
    ) -> Result<Self, OAuthError> {
        let base = callers.base_url();
        let client = utf8_percent_encode(&granted.known.client.id, NON_ALPHANUMERIC);
        let id = format!("{base}/id/scv-bridge/{client}");
        let issued_at = now.as_millisecond().to_string();
        let signature = callers.sign(&format!("{id}{issued_at}"), granted.secret.as_deref());
        Ok(Self {
            access_token: issued.token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: issued.life.as_secs(),
            scope: SCOPE,
            instance_url: base.to_owned(),
            id,
            issued_at,
            signature: STANDARD.encode(signature.map_err(|_| OAuthError::unable())?),
        })
    }
}

/// Why there is no token (RFC 6749, 5.2).
#[derive(Debug, PartialEq, Eq)]
pub struct OAuthError {
    kind: OAuthErrorKind,
    /// ASCII without quotes and backslashes (RFC 6749, 5.2), and nothing from the request.
    description: Cow<'static, str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OAuthErrorKind {
    InvalidRequest,
    InvalidClient { by_header: bool },
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    TemporarilyUnavailable,
    TooMany { after: Duration },
    TooLarge,
    TooSlow,
}

impl OAuthError {
    fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: OAuthErrorKind::InvalidRequest, description: description.into() }
    }

    fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: OAuthErrorKind::InvalidGrant, description: description.into() }
    }

    fn unauthorized_client(description: &'static str) -> Self {
        Self { kind: OAuthErrorKind::UnauthorizedClient, description: description.into() }
    }

    fn unsupported_grant_type(description: &'static str) -> Self {
        Self { kind: OAuthErrorKind::UnsupportedGrantType, description: description.into() }
    }

    fn unable() -> Self {
        let description = "the bridge can give no token now".into();
        Self { kind: OAuthErrorKind::TemporarilyUnavailable, description }
    }

    /// RFC 6749 has no code for it; the status and Retry-After have the meaning.
    fn throttled(Throttled { after }: Throttled) -> Self {
        let description = "credentials: too many wrong ones came from this address or for this client; wait, then send the right ones";
        Self { kind: OAuthErrorKind::TooMany { after }, description: description.into() }
    }

    /// A client that was not identified. `by_header`: it used the header Authorization.
    fn client(denied: CredentialsRefused, by_header: bool) -> Self {
        let description = match denied {
            CredentialsRefused::Nothing => {
                "credentials: missing; expected client_id and client_secret in the body or as HTTP Basic, or client_assertion"
            }
            CredentialsRefused::Wrong | CredentialsRefused::Token => {
                "credentials: wrong; expected the id and secret of a configured client"
            }
            CredentialsRefused::Assertion(problem) => {
                return Self {
                    kind: OAuthErrorKind::InvalidClient { by_header },
                    description: format!("client_assertion: {problem}").into(),
                };
            }
            CredentialsRefused::Throttled(throttled) => return Self::throttled(throttled),
            CredentialsRefused::Unable => return Self::unable(),
        };
        Self { kind: OAuthErrorKind::InvalidClient { by_header }, description: description.into() }
    }

    /// A grant that is refused. `name`: its parameter.
    fn grant(denied: CredentialsRefused, name: &str) -> Self {
        match denied {
            CredentialsRefused::Assertion(problem) => Self::invalid_grant(format!("{name}: {problem}")),
            CredentialsRefused::Throttled(throttled) => Self::throttled(throttled),
            CredentialsRefused::Unable => Self::unable(),
            CredentialsRefused::Nothing | CredentialsRefused::Wrong | CredentialsRefused::Token => {
                Self::invalid_grant(format!("{name}: wrong"))
            }
        }
    }

    /// The error code.
    pub fn code(&self) -> &'static str {
        match self.kind {
            OAuthErrorKind::InvalidRequest | OAuthErrorKind::TooLarge | OAuthErrorKind::TooSlow => {
                "invalid_request"
            }
            OAuthErrorKind::InvalidClient { .. } => "invalid_client",
            OAuthErrorKind::InvalidGrant => "invalid_grant",
            OAuthErrorKind::UnauthorizedClient => "unauthorized_client",
            OAuthErrorKind::UnsupportedGrantType => "unsupported_grant_type",
            OAuthErrorKind::TemporarilyUnavailable | OAuthErrorKind::TooMany { .. } => {
                "temporarily_unavailable"
            }
        }
    }

    /// What to do about it.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        json!({ "error": self.code(), "error_description": self.description })
    }

    /// One of each kind, for the description of the API.
    pub fn examples() -> Vec<Self> {
        let slow = Self::from(ApiError::SlowBody);
        vec![
            Self::invalid_request("grant_type: missing from the body"),
            Self::client(CredentialsRefused::Wrong, true),
            Self::grant(CredentialsRefused::Wrong, "username or password"),
            Self::unauthorized_client("this client has no username and password_sha256 in the configuration"),
            no_key(),
            Self::throttled(Throttled { after: Duration::from_secs(42) }),
            Self::from(ApiError::TooLarge),
            slow,
            Self::unable(),
        ]
    }

    /// The answer.
    pub fn response(&self) -> HttpResponse {
        let status = match self.kind {
            OAuthErrorKind::InvalidClient { .. } => StatusCode::UNAUTHORIZED,
            OAuthErrorKind::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            OAuthErrorKind::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            OAuthErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            OAuthErrorKind::TooSlow => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = never_stored(HttpResponse::build(status)).json(self.body());
        let header = match self.kind {
            // "MUST ... include the WWW-Authenticate response header field matching the authentication scheme".
            OAuthErrorKind::InvalidClient { by_header: true } => Some((
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"scv-bridge\", charset=\"UTF-8\""),
            )),
            OAuthErrorKind::TemporarilyUnavailable => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            OAuthErrorKind::TooMany { after } => Some((RETRY_AFTER, HeaderValue::from(whole_seconds(after)))),
            _ => None,
        };
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A body that could not be read.
impl From<ApiError> for OAuthError {
    fn from(error: ApiError) -> Self {
        let kind = match error {
            ApiError::TooLarge => OAuthErrorKind::TooLarge,
            ApiError::SlowBody => OAuthErrorKind::TooSlow,
            _ => OAuthErrorKind::InvalidRequest,
        };
        Self { kind, description: error.messages().join("; ").into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: &str, body: &str) -> Result<TokenParameters, OAuthError> {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        }
        TokenParameters::read(&headers, body.as_bytes())
    }

    #[test]
    fn form_and_json_are_the_same_with_every_content_type_that_fits() {
        let form = "grant_type=client_credentials&client_id=a&client_secret=s%2B+%25&scope=api&username=";
        let json = r#"{"grant_type":"client_credentials","client_id":"a","client_secret":"s+ %","scope":["api"],"username":null}"#;
        for (kind, body) in [
            ("application/x-www-form-urlencoded", form),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", form),
            ("application/json", json),
            ("Application/JSON;charset=utf-8", json),
            ("", form),
            ("", json),
            ("text/plain", json),
        ] {
            let read = read(kind, body).unwrap_or_else(|error| panic!("{kind}: {error:?}"));
            assert_eq!(read.grant_type.as_deref(), Some("client_credentials"), "{kind}");
            assert_eq!(read.client_id.as_deref(), Some("a"));
            assert_eq!(read.client_secret.as_deref(), Some("s+ %"));
            assert_eq!(read.username, None);
        }
    }

    #[test]
    fn an_unknown_format_or_a_repeated_parameter_is_an_invalid_request() {
        for (kind, body) in [
            ("application/json", "grant_type=client_credentials"),
            ("application/json", "[]"),
            ("application/json", r#"{"grant_type":"a"} x"#),
            ("application/json", r#"{"grant_type":1}"#),
            ("application/json", r#"{"password":{"a":1}}"#),
            ("application/json", r#"{"password":"a","password":"a"}"#),
            ("application/x-www-form-urlencoded", "client_id=a&client_id=a"),
            ("multipart/form-data; boundary=x", "--x"),
            ("application/xml", "<a/>"),
        ] {
            let error = read(kind, body).err().unwrap_or_else(|| panic!("{kind} {body}"));
            assert_eq!(error.code(), "invalid_request", "{kind} {body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(
            kind in "(|application/json|application/x-www-form-urlencoded|[a-z/;]{0,20})",
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            let _ = TokenParameters::read(&headers, &body);
        }

        #[test]
        fn whatever_is_form_encoded_comes_back(secret in "\\PC{1,40}") {
            let body = form_urlencoded::Serializer::new(String::new()).append_pair("client_secret", &secret).finish();
            let read = read("application/x-www-form-urlencoded", &body).unwrap();
            prop_assert_eq!(read.client_secret, Some(secret));
        }
    }
}
