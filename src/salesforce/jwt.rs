//! Signed tokens: RS256 by OpenSSL, with the key that was parsed when the configuration was read.

use std::cell::RefCell;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, Result};
use jsonwebtoken::signature::{self, Signer};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use serde::Serialize;

use crate::certificate::SigningCertificate;

/// `jsonwebtoken` asks a process-wide provider of plain functions for a signer and hands it the key's bytes, to
/// be parsed for every signature. Ours takes the parsed key from here instead, where [`sign`] lays it for the
/// length of one call; no copy of the private key is made.
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
    // Refused when it is installed already, which is as good.
    let _ = PROVIDER.install_default();
    KEY.set(Some(certificate.key().clone()));
    let token = encode(&Header::new(Algorithm::RS256), claims, &EncodingKey::from_rsa_der(&[]));
    KEY.set(None);
    token
}
