//! Who calls: a configured client, by HTTP Basic, by an access token or by the certificate of its connection; and who
//! asks for an access token.

mod assertion;
mod authorization;
#[cfg(test)]
mod tests;
mod token;

use std::any::Any;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_tls::accept::openssl::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::http::header::HeaderMap;
use actix_web::rt::net::TcpStream;
pub use assertion::{AssertionProblem, Replays};
use assertion::{ReplayCheck, SignedAssertion};
pub use authorization::{Authorization, Credentials};
use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::X509Ref;
use token::{AccessTokens, Sha256, is_one_of};
pub use token::{CredentialProof, IssuedToken};

use super::throttle::{LoginAttempt, Throttle, Throttled, guessable};
use crate::settings::{Client, Settings, TokenEndpoint};

/// The paths of the token endpoint: Salesforce's, and short.
pub const TOKEN_PATHS: [&str; 2] = ["/services/oauth2/token", "/oauth2/token"];

/// What the log calls a client id that is not configured.
const UNKNOWN: &str = "(unknown)";

/// All credentials of one configuration. Another configuration needs another one.
pub struct Callers {
    clients: HashMap<String, Client>,
    by_certificate_name: HashMap<String, String>,
    sha256: Sha256,
    tokens: Option<AccessTokens>,
    /// The accepted `aud` of an assertion, without a slash at the end.
    audiences: Vec<String>,
    base_url: String,
    replays: Arc<Replays>,
    throttle: Arc<Throttle>,
}

/// A client that was identified, and by which credential.
#[derive(Clone)]
pub struct IdentifiedClient<'a> {
    /// The client.
    pub client: &'a Client,
    /// The credential.
    pub proof: CredentialProof,
}

impl Callers {
    /// The callers of a configuration. `base_url`: the public URL of the bridge, without a slash at the end.
    ///
    /// # Errors
    /// When this OpenSSL has no SHA-256.
    pub fn new(
        settings: &Settings,
        base_url: String,
        replays: Arc<Replays>,
        throttle: Arc<Throttle>,
    ) -> Result<Self, ErrorStack> {
        Self::of(&settings.clients, &settings.oauth, base_url, replays, throttle)
    }

    /// The callers of clients and a token endpoint.
    ///
    /// # Errors
    /// As [`Callers::new`].
    pub fn of(
        clients: &[Client],
        oauth: &TokenEndpoint,
        base_url: String,
        replays: Arc<Replays>,
        throttle: Arc<Throttle>,
    ) -> Result<Self, ErrorStack> {
        let sha256 = Sha256::new()?;
        let names = clients
            .iter()
            .flat_map(|client| client.certificate_names.iter().map(|name| (name.clone(), client.id.clone())));
        let own = TOKEN_PATHS.map(|path| format!("{base_url}{path}"));
        let configured = oauth.audiences.iter().map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self {
            by_certificate_name: names.collect(),
            tokens: AccessTokens::new(oauth, clients, &sha256)?,
            audiences: std::iter::once(base_url.clone()).chain(own).chain(configured).collect(),
            clients: clients.iter().map(|client| (client.id.clone(), client.clone())).collect(),
            sha256,
            base_url,
            replays,
            throttle,
        })
    }

    /// The client whose credentials the request has. The header decides where there is one; else the certificate of the
    /// connection.
    ///
    /// # Errors
    /// When there are none, or they are wrong.
    pub fn identify(&self, peer: &Peer<'_>, now: Timestamp) -> Result<&Client, CredentialsRefused> {
        match Authorization::of(peer.headers) {
            Authorization::Basic(credentials) => Ok(self.by_secret(&credentials, peer)?.client),
            Authorization::Bearer(token) => self.by_token(token, now),
            Authorization::Missing => Ok(self.by_certificate(peer)?.client),
            Authorization::Unreadable => Err(CredentialsRefused::Wrong),
        }
    }

    /// The client that a request says to be from, for the log. A name that is no client's is not told: it may be a secret
    /// in the wrong place.
    pub fn claimed(&self, peer: &Peer<'_>) -> Option<String> {
        match Authorization::of(peer.headers) {
            Authorization::Basic(sent) => Some(self.known(&sent.id)),
            Authorization::Bearer(_) | Authorization::Missing | Authorization::Unreadable => None,
        }
    }

    /// A client's id, or that it is none.
    pub fn known(&self, id: &str) -> String {
        self.clients.get(id).map_or(UNKNOWN, |client| client.id.as_str()).to_owned()
    }

    /// The address of the client, for the log.
    pub fn address(&self, peer: &Peer<'_>) -> String {
        self.throttle.caller(peer.address, peer.headers).to_string()
    }

    /// By id and secret. An unknown id takes as long as a wrong secret.
    ///
    /// # Errors
    /// When they are wrong.
    pub fn by_secret(
        &self,
        credentials: &Credentials,
        peer: &Peer<'_>,
    ) -> Result<IdentifiedClient<'_>, CredentialsRefused> {
        self.by_either(credentials, None, peer).map(|(known, _)| known)
    }

    /// By id and secret in one of two spellings, with the spelling that is right. It was sent once, so it counts as one
    /// attempt.
    ///
    /// # Errors
    /// When both are wrong.
    pub fn by_either<'c>(
        &self,
        sent: &'c Credentials,
        other: Option<&'c Credentials>,
        peer: &Peer<'_>,
    ) -> Result<(IdentifiedClient<'_>, &'c Credentials), CredentialsRefused> {
        self.attempt(&sent.id, Some(&sent.secret), peer, |_| {
            // An empty secret is never right, whatever digest the configuration has.
            let spellings = other.into_iter().chain([sent]).filter(|spelling| !spelling.secret.is_empty());
            spellings.into_iter().find_map(|spelling| {
                let client = self.clients.get(&spelling.id);
                let digest = self.sha256.of(&[&spelling.secret]).ok()?;
                let expected = client.map_or(&[][..], |client| &client.secrets);
                let client = is_one_of(&digest, expected).then_some(client).flatten()?;
                Some((IdentifiedClient { client, proof: CredentialProof::secret(digest) }, spelling))
            })
        })
    }

    /// By user name and password, of an identified client.
    ///
    /// # Errors
    /// When they are wrong, or the client has no user.
    pub fn by_password<'a>(
        &self,
        known: &IdentifiedClient<'a>,
        name: &str,
        password: &str,
        peer: &Peer<'_>,
    ) -> Result<IdentifiedClient<'a>, CredentialsRefused> {
        // Counted apart from the client's secret: a client that has it can still guess a password.
        let user = format!("{}\0password", known.client.id);
        self.attempt(&user, Some(password.as_bytes()), peer, |_| {
            let digest = self.sha256.of(&[password.as_bytes()]).ok()?;
            let user = known.client.user.as_ref();
            let expected = user.and_then(|user| user.password_sha256);
            let equal = is_one_of(&digest, expected.as_slice()) && !password.is_empty();
            let user = user.filter(|user| equal && user.name == name)?;
            let proof = known.proof.with_password(&user.name, &digest, &self.sha256).ok()?;
            Some(IdentifiedClient { client: known.client, proof })
        })
    }

    /// By a signed assertion in the name of its `iss`. `fits`: whether that client and the `sub` are acceptable.
    ///
    /// # Errors
    /// When it is not to be believed.
    pub fn by_assertion(
        &self,
        text: &str,
        fits: impl FnOnce(&Client, &str) -> Result<(), AssertionProblem>,
        peer: &Peer<'_>,
        now: Timestamp,
    ) -> Result<IdentifiedClient<'_>, CredentialsRefused> {
        let assertion = SignedAssertion::read(text)?;
        let mut problem = AssertionProblem::Signature;
        let signed = self.attempt(&assertion.claims.iss, None, peer, |client| {
            let client = client?;
            let key =
                assertion.signed_by(&client.assertion_keys, now).map_err(|found| problem = found).ok()?;
            Some((client, key))
        });
        let (client, key) = match signed {
            Err(CredentialsRefused::Wrong) => return Err(problem.into()),
            other => other?,
        };
        let sub = &assertion.claims.sub;
        fits(client, sub)?;
        let now = now.as_second();
        let forget = assertion.check(&self.audiences, now)?;
        self.take_once(client, &assertion, forget, now)?;
        let proof = CredentialProof::assertion(&key.fingerprint, sub, &self.sha256)
            .map_err(|_| CredentialsRefused::Unable)?;
        Ok(IdentifiedClient { client, proof })
    }

    /// By the certificate of the connection, which the handshake has verified.
    ///
    /// # Errors
    /// When there is none, or it names none of the clients, or several.
    pub fn by_certificate(&self, peer: &Peer<'_>) -> Result<IdentifiedClient<'_>, CredentialsRefused> {
        let mut found = None;
        for name in peer.names {
            let Some(id) = self.by_certificate_name.get(name) else { continue };
            if found.is_some_and(|(_, other)| other != id) {
                return Err(CredentialsRefused::Nothing);
            }
            found = found.or(Some((name, id)));
        }
        let (name, id) = found.ok_or(CredentialsRefused::Nothing)?;
        let client = self.clients.get(id).ok_or(CredentialsRefused::Nothing)?;
        let proof =
            CredentialProof::certificate_name(name, &self.sha256).map_err(|_| CredentialsRefused::Unable)?;
        Ok(IdentifiedClient { client, proof })
    }

    /// An access token for an identified client. None where no signing key is configured.
    pub fn issue(
        &self,
        known: &IdentifiedClient<'_>,
        now: Timestamp,
    ) -> Option<Result<IssuedToken, ErrorStack>> {
        let tokens = self.tokens.as_ref()?;
        Some(tokens.issue(&known.client.id, &known.proof, now, &self.sha256))
    }

    /// Salesforce's signature over the answer with a token: with the client's secret where it was sent, else with the
    /// signing key.
    ///
    /// # Errors
    /// When OpenSSL refuses the secret as a key.
    pub fn sign(&self, text: &str, secret: Option<&[u8]>) -> Result<[u8; 32], ErrorStack> {
        match (secret, &self.tokens) {
            (None, Some(tokens)) => tokens.sign(text, &self.sha256),
            (secret, _) => {
                let key = openssl::pkey::PKey::hmac(secret.unwrap_or_default())?;
                self.sha256.mac(&key, &[text.as_bytes()])
            }
        }
    }

    /// The public URL of the bridge, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Whether a signing key is configured.
    pub fn gives_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// By an access token. It cannot be guessed: it is as long as a key.
    fn by_token(&self, token: &[u8], now: Timestamp) -> Result<&Client, CredentialsRefused> {
        let tokens = self.tokens.as_ref().ok_or(CredentialsRefused::Wrong)?;
        let id = tokens.client(token, now, &self.sha256).ok_or(CredentialsRefused::Token)?;
        self.clients.get(&id).ok_or(CredentialsRefused::Token)
    }

    /// The one place where a credential that can be guessed is compared: for every route and for the token endpoint, with
    /// the client id, the secret (none: a signature) and the peer.
    fn attempt<'s, T>(
        &'s self,
        id: &str,
        secret: Option<&[u8]>,
        peer: &Peer<'_>,
        check: impl FnOnce(Option<&'s Client>) -> Option<T>,
    ) -> Result<T, CredentialsRefused> {
        let from = self.throttle.caller(peer.address, peer.headers);
        let attempt = LoginAttempt { client: id, from, guessable: secret.is_some_and(guessable) };
        self.throttle.check(attempt)?;
        let Some(right) = check(self.clients.get(id)) else {
            self.throttle.failed(attempt)?;
            return Err(CredentialsRefused::Wrong);
        };
        self.throttle.succeeded(attempt);
        Ok(right)
    }

    fn take_once(
        &self,
        client: &Client,
        assertion: &SignedAssertion<'_>,
        forget: i64,
        now: i64,
    ) -> Result<(), CredentialsRefused> {
        let digest = self.sha256.of(&[assertion.identity()]).map_err(|_| CredentialsRefused::Unable)?;
        match self.replays.remember(&client.id, &digest, forget, now) {
            ReplayCheck::Never => Ok(()),
            ReplayCheck::Before => Err(AssertionProblem::Replayed.into()),
            ReplayCheck::Full => Err(CredentialsRefused::Unable),
        }
    }
}

/// Why a request is not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsRefused {
    /// No credentials.
    Nothing,
    /// Wrong ones.
    Wrong,
    /// The access token is not of this bridge, has expired, or its credential is gone.
    Token,
    /// The assertion is refused.
    Assertion(AssertionProblem),
    /// Too many credentials were wrong; these were not compared, or are wrong too.
    Throttled(Throttled),
    /// The credentials cannot be checked now.
    Unable,
}

impl From<Throttled> for CredentialsRefused {
    fn from(throttled: Throttled) -> Self {
        Self::Throttled(throttled)
    }
}

impl From<AssertionProblem> for CredentialsRefused {
    fn from(problem: AssertionProblem) -> Self {
        Self::Assertion(problem)
    }
}

/// The names in the client certificate of a connection. The handshake has verified it.
pub struct CertificateNames(Vec<String>);

/// Stores the names of the client certificate with the connection.
pub fn on_connect(stream: &dyn Any, connection: &mut Extensions) {
    let Some(stream) = stream.downcast_ref::<TlsStream<TcpStream>>() else {
        return;
    };
    if let Some(certificate) = stream.ssl().peer_certificate() {
        connection.insert(CertificateNames::of(&certificate));
    }
}

impl CertificateNames {
    /// Common names, and the DNS names, URIs and mail addresses of subjectAltName.
    fn of(certificate: &X509Ref) -> Self {
        let common = certificate
            .subject_name()
            .entries_by_nid(Nid::COMMONNAME)
            .filter_map(|entry| entry.data().to_string().ok());
        let mut names: Vec<String> = common.collect();
        for other in certificate.subject_alt_names().iter().flatten() {
            names.extend(other.dnsname().or(other.uri()).or(other.email()).map(str::to_owned));
        }
        Self(names)
    }
}

/// The sender of a request, by its connection and headers.
pub struct Peer<'a> {
    /// The address of the connection's other end.
    pub address: Option<SocketAddr>,
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The names in the certificate; empty without mutual TLS.
    pub names: &'a [String],
}

impl<'a> Peer<'a> {
    /// The sender of a request.
    pub fn of(request: &'a HttpRequest) -> Self {
        let names = request.conn_data::<CertificateNames>().map_or(&[][..], |names| &names.0);
        Self { address: request.peer_addr(), headers: request.headers(), names }
    }
}
