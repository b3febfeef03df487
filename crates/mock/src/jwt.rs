//! JSON Web Tokens, taken apart by hand: a second opinion on those who sign with a library.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKeyRef, Public};
use openssl::sign::Verifier;
use serde_json::{Map, Value};

/// A token's parts. Nothing in it is trustworthy before [`Jwt::is_signed_by`] said so.
pub(super) struct Jwt<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Takes a token apart; the error says which part is not what RFC 7519 wants.
    pub(super) fn parse(token: &'a str) -> Result<Self, &'static str> {
        let (signed, signature) = token.rsplit_once('.').ok_or("not a JWT: three parts are needed")?;
        let (header, claims) = signed.split_once('.').ok_or("not a JWT: three parts are needed")?;
        Ok(Self {
            header: object(header).ok_or("JWT header: not base64url of a JSON object")?,
            claims: object(claims).ok_or("JWT claims: not base64url of a JSON object")?,
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| "JWT signature: not base64url")?,
            signed,
        })
    }

    /// Whether the header says `RS256` and `JWT`.
    pub(super) fn check_header(&self) -> Result<(), &'static str> {
        let says = |name, wanted| self.header.get(name).and_then(Value::as_str) == Some(wanted);
        if !says("alg", "RS256") {
            return Err("JWT header: alg must be RS256");
        }
        if !says("typ", "JWT") {
            return Err("JWT header: typ must be JWT");
        }
        Ok(())
    }

    pub(super) fn is_signed_by(&self, key: &PKeyRef<Public>) -> bool {
        Verifier::new(MessageDigest::sha256(), key)
            .and_then(|mut verifier| verifier.verify_oneshot(&self.signature, self.signed.as_bytes()))
            .unwrap_or(false)
    }

    pub(super) fn has(&self, claim: &str) -> bool {
        self.claims.contains_key(claim)
    }

    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// A claim in whole seconds.
    pub(super) fn seconds(&self, claim: &str) -> Option<i64> {
        self.claims.get(claim)?.as_i64()
    }

    /// Whether `aud`, a string or an array of them, names one of `audiences`.
    pub(super) fn is_for(&self, audiences: &[&str]) -> bool {
        let named = |value: &Value| value.as_str().is_some_and(|name| audiences.contains(&name));
        match self.claims.get("aud") {
            Some(Value::Array(names)) => names.iter().any(named),
            Some(name) => named(name),
            None => false,
        }
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
