//! Which grant, by whom: the decision of the token endpoint.

use jiff::Timestamp;

use super::OAuthError;
use super::parameters::TokenParameters;
use crate::api::caller::{
    AssertionProblem, Authorization, Callers, Credentials, CredentialsRefused, IdentifiedClient, Peer,
};
use crate::settings::Client;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request for a token.
pub(super) struct TokenRequest<'a> {
    pub(super) callers: &'a Callers,
    pub(super) parameters: &'a TokenParameters,
    pub(super) peer: Peer<'a>,
    pub(super) now: Timestamp,
}

/// Who gets a token.
pub(super) struct GrantedClient<'a> {
    pub(super) known: IdentifiedClient<'a>,
    /// The secret that the client sent, to sign the answer with.
    pub(super) secret: Option<Vec<u8>>,
}

pub(super) fn no_key() -> OAuthError {
    OAuthError::unsupported_grant_type(
        "this bridge gives no access tokens: set oauth.signing_key_file in its configuration, or use HTTP Basic",
    )
}

impl<'a> TokenRequest<'a> {
    pub(super) fn decide(&self) -> Result<GrantedClient<'a>, OAuthError> {
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

    /// The assertion says who the client is. Credentials besides it are not needed (RFC 7523, 3.1); if there are any,
    /// they are looked at, and must be of the same client.
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

    /// What the client shows; one way only (RFC 6749, 2.3), but the same secret twice is fine.
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

    /// Whether the body names nobody else than the header, as it stands or form-decoded.
    fn body_agrees(&self, header: &Credentials) -> bool {
        let (id, secret) = (&self.parameters.client_id, &self.parameters.client_secret);
        let agrees = |header: &Credentials| {
            id.as_ref().is_none_or(|id| *id == header.id)
                && secret.as_ref().is_none_or(|secret| secret.as_bytes() == header.secret)
        };
        agrees(header) || header.form_decoded().as_ref().is_some_and(agrees)
    }
}

/// What a client shows to be let in.
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
