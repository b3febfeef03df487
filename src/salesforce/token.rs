//! The access token of the telephony API, signed by the bridge itself; and the RS256 signature of every JWT.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, Result};
use jsonwebtoken::signature::Signer;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode, signature};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use reqwest::header::HeaderValue;
use serde::Serialize;

use crate::certificate::SigningCertificate;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::settings::Token;

#[derive(Serialize)]
struct ScrtClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

#[derive(Clone)]
struct SignedToken {
    header: HeaderValue,
    at: Timestamp,
}

/// The tokens of one contact center under one certificate. One token serves all requests until two thirds of its life
/// have passed; then one request signs the next while the others use the old one.
pub struct ScrtTokens {
    issuer: String,
    subject: String,
    certificate: SigningCertificate,
    options: Token,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    current: RwLock<Option<SignedToken>>,
    signing: Mutex<()>,
}

impl ScrtTokens {
    /// For the contact center `subject` of the org `issuer`.
    pub fn new(
        issuer: String,
        subject: String,
        certificate: SigningCertificate,
        options: Token,
        clock: Arc<dyn Clock>,
        ids: Arc<Ids>,
    ) -> Self {
        let (current, signing) = (RwLock::new(None), Mutex::new(()));
        Self { issuer, subject, certificate, options, clock, ids, current, signing }
    }

    /// Whether the tokens are those of this configuration.
    pub fn fits(
        &self,
        issuer: &str,
        subject: &str,
        certificate: &SigningCertificate,
        options: &Token,
    ) -> bool {
        self.issuer == issuer
            && self.subject == subject
            && self.certificate.fingerprint() == certificate.fingerprint()
            && self.options == *options
    }

    /// The `Authorization` header.
    ///
    /// # Errors
    /// When OpenSSL cannot sign.
    pub fn authorization(&self) -> Result<HeaderValue> {
        let now = self.clock.now();
        if self.options.jti {
            return Ok(self.sign(now)?.header);
        }
        let Some(held) = self.held() else {
            return self.renew(now);
        };
        match self.age(&held, now) {
            TokenAge::Fresh => Ok(held.header),
            TokenAge::Over => self.renew(now),
            TokenAge::Due => match self.signing.try_lock() {
                Ok(_turn) => self.store(now),
                Err(_) => Ok(held.header),
            },
        }
    }

    /// Drops a token that Salesforce has just refused, unless another one has replaced it already.
    pub fn forget(&self, refused: &HeaderValue) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|token| token.header == *refused) {
            *current = None;
        }
    }

    fn held(&self) -> Option<SignedToken> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn renew(&self, now: Timestamp) -> Result<HeaderValue> {
        let _turn = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.held() {
            Some(token) if self.age(&token, now) == TokenAge::Fresh => Ok(token.header),
            _ => self.store(now),
        }
    }

    fn store(&self, now: Timestamp) -> Result<HeaderValue> {
        let token = self.sign(now)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token.header)
    }

    fn sign(&self, now: Timestamp) -> Result<SignedToken> {
        let life = i64::try_from(self.options.life.as_secs()).unwrap_or(i64::MAX);
        let claims = ScrtClaims {
            iss: &self.issuer,
            sub: &self.subject,
            iat: now.as_second(),
            exp: now.as_second().saturating_add(life),
            aud: self.options.audience.as_deref(),
            jti: self.options.jti.then(|| self.ids.unique()),
        };
        let token = sign(&claims, &self.certificate)?;
        let mut header =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| ErrorKind::InvalidToken)?;
        header.set_sensitive(true);
        Ok(SignedToken { header, at: now })
    }

    fn age(&self, token: &SignedToken, now: Timestamp) -> TokenAge {
        let life = self.options.life.as_secs_f64();
        let age = now.duration_since(token.at).as_secs_f64();
        // After the clock was set back, a token has a negative age: a new one is signed.
        if age < 0.0 || age >= life {
            TokenAge::Over
        } else if age < life * 2.0 / 3.0 {
            TokenAge::Fresh
        } else {
            TokenAge::Due
        }
    }
}

#[derive(PartialEq, Eq)]
enum TokenAge {
    Fresh,
    Due,
    Over,
}

/// `jsonwebtoken` asks a process-wide provider of plain functions for a signer and passes it the key's bytes, to be
/// parsed for every signature. This one takes the parsed key from here instead, where [`sign`] puts it for one call; no
/// copy of the private key is made.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

thread_local! {
    static KEY: RefCell<Option<PKey<Private>>> = const { RefCell::new(None) };
}

struct OpenSslSigner(PKey<Private>);

impl Signer<Vec<u8>> for OpenSslSigner {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        openssl::sign::Signer::new(MessageDigest::sha256(), &self.0)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(message))
            .map_err(signature::Error::from_source)
    }
}

impl JwtSigner for OpenSslSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

fn signer(algorithm: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    let key = KEY.with_borrow(Clone::clone);
    match (algorithm, key) {
        (Algorithm::RS256, Some(key)) => Ok(Box::new(OpenSslSigner(key))),
        _ => Err(Error::from(ErrorKind::InvalidAlgorithm)),
    }
}

fn verifier(_: &Algorithm, _: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    Err(Error::from(ErrorKind::InvalidAlgorithm))
}

/// Signs `claims` with the certificate's key.
///
/// # Errors
/// When OpenSSL refuses the key.
pub fn sign(claims: &impl Serialize, certificate: &SigningCertificate) -> Result<String> {
    // An error means that a provider is installed already, which is as good.
    let _ = PROVIDER.install_default();
    KEY.set(Some(certificate.key().clone()));
    let token = encode(&Header::new(Algorithm::RS256), claims, &EncodingKey::from_rsa_der(&[]));
    KEY.set(None);
    token
}
