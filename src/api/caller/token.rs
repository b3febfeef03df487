//! Access tokens: signed by the bridge and checked by any replica that has the key, without another request.
//!
//! A token is `scvb_` and, in base64url: a version byte; the second at which it ends, 8 bytes; the stamp, 8 bytes; the
//! client's id; HMAC-SHA256 over all of these, 32 bytes. The stamp names the credential by which the token was issued: when
//! that credential leaves the configuration, or its client does, the token ends.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::md_ctx::MdCtx;
use openssl::memcmp;
use openssl::pkey::{PKey, PKeyRef, Private};
use secrecy::{ExposeSecret, SecretString};

use crate::settings::{Client, TokenEndpoint};

/// Lets people and scanners recognise a token.
const PREFIX: &str = "scvb_";
const VERSION: u8 = 1;
/// Version, end and stamp.
const HEAD: usize = 1 + 8 + 8;
const MAC: usize = 32;

/// The purposes of a MAC, so that one kind cannot be used as another.
const TOKEN: &[u8] = b"scv-bridge token\0";
const STAMP: &[u8] = b"scv-bridge stamp\0";
const ANSWER: &[u8] = b"scv-bridge answer\0";

type Stamp = [u8; 8];

/// Issues and checks access tokens.
pub(super) struct AccessTokens {
    life: Duration,
    current: TokenKey,
    previous: Option<TokenKey>,
}

struct TokenKey {
    mac: PKey<Private>,
    /// The valid stamps, by client.
    stamps: HashMap<String, Vec<Stamp>>,
}

/// A token that was just issued.
pub struct IssuedToken {
    /// The token.
    pub token: SecretString,
    /// How long it is valid.
    pub life: Duration,
}

impl AccessTokens {
    /// None where no key is configured.
    pub(super) fn new(
        endpoint: &TokenEndpoint,
        clients: &[Client],
        sha256: &Sha256,
    ) -> Result<Option<Self>, ErrorStack> {
        let Some(keys) = &endpoint.keys else { return Ok(None) };
        let key = |key: &SecretString| TokenKey::new(key, clients, sha256);
        Ok(Some(Self {
            life: endpoint.token_life,
            current: key(&keys.current)?,
            previous: keys.previous.as_ref().map(key).transpose()?,
        }))
    }

    /// A token for the client with this credential.
    pub(super) fn issue(
        &self,
        client: &str,
        proof: &CredentialProof,
        now: Timestamp,
        sha256: &Sha256,
    ) -> Result<IssuedToken, ErrorStack> {
        // Expiry is in whole seconds, rounded down, because clients count `expires_in` in seconds.
        let end = now.as_second().saturating_add(i64::try_from(self.life.as_secs()).unwrap_or(i64::MAX));
        let mut bytes = vec![VERSION];
        bytes.extend(end.to_be_bytes());
        bytes.extend(self.current.stamp(proof, sha256)?);
        bytes.extend(client.as_bytes());
        let mac = sha256.mac(&self.current.mac, &[TOKEN, &bytes])?;
        bytes.extend(mac);
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into();
        Ok(IssuedToken { token, life: self.life })
    }

    /// The id of the client of a token; none if the token is not of this bridge, has expired, or its credential is gone.
    pub(super) fn client(&self, token: &[u8], now: Timestamp, sha256: &Sha256) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX.as_bytes())?).ok()?;
        let (signed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        let keys = std::iter::once(&self.current).chain(&self.previous);
        let key = keys.into_iter().find(|key| {
            let expected = sha256.mac(&key.mac, &[TOKEN, signed]);
            expected.is_ok_and(|expected| memcmp::eq(mac, &expected))
        })?;
        let (head, client) = signed.split_at_checked(HEAD)?;
        let (version, rest) = head.split_first()?;
        let (end, stamp) = rest.split_first_chunk::<8>()?;
        let client = std::str::from_utf8(client).ok()?;
        let in_time = now.as_second() < i64::from_be_bytes(*end);
        let known = key.stamps.get(client).is_some_and(|stamps| stamps.iter().any(|known| known == stamp));
        (*version == VERSION && in_time && known).then(|| client.to_owned())
    }

    /// A signature over the answer with the token, for a client without a secret.
    pub(super) fn sign(&self, text: &str, sha256: &Sha256) -> Result<[u8; 32], ErrorStack> {
        sha256.mac(&self.current.mac, &[ANSWER, text.as_bytes()])
    }
}

impl TokenKey {
    fn new(key: &SecretString, clients: &[Client], sha256: &Sha256) -> Result<Self, ErrorStack> {
        let mut this = Self { mac: PKey::hmac(key.expose_secret().as_bytes())?, stamps: HashMap::new() };
        for client in clients {
            let stamps = proofs(client, sha256)?
                .iter()
                .map(|proof| this.stamp(proof, sha256))
                .collect::<Result<Vec<_>, _>>()?;
            this.stamps.insert(client.id.clone(), stamps);
        }
        Ok(this)
    }

    fn stamp(&self, proof: &CredentialProof, sha256: &Sha256) -> Result<Stamp, ErrorStack> {
        let mac = sha256.mac(&self.mac, &[STAMP, proof.as_ref()])?;
        Ok(mac.first_chunk().copied().unwrap_or_default())
    }
}

/// The credential of a client, as 32 bytes. A token that was issued for it is valid no longer than it.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialProof([u8; 32]);

impl AsRef<[u8]> for CredentialProof {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl CredentialProof {
    /// A secret, by its digest.
    pub(super) fn secret(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The certificate that verifies an assertion, and the subject of the assertion.
    pub(super) fn assertion(
        fingerprint: &[u8; 32],
        subject: &str,
        sha256: &Sha256,
    ) -> Result<Self, ErrorStack> {
        Ok(Self(sha256.of(&[b"assertion\0", fingerprint, subject.as_bytes()])?))
    }

    /// A name in the certificate of the connection.
    pub(super) fn certificate_name(name: &str, sha256: &Sha256) -> Result<Self, ErrorStack> {
        Ok(Self(sha256.of(&[b"certificate name\0", name.as_bytes()])?))
    }

    /// This credential, with the name and password of the client's user.
    pub(super) fn with_password(
        &self,
        name: &str,
        password: &[u8; 32],
        sha256: &Sha256,
    ) -> Result<Self, ErrorStack> {
        Ok(Self(sha256.of(&[b"password\0", &self.0, password, name.as_bytes()])?))
    }
}

/// All credentials of the client, for requests and for tokens.
fn proofs(client: &Client, sha256: &Sha256) -> Result<Vec<CredentialProof>, ErrorStack> {
    let mut proofs: Vec<_> = client.secrets.iter().copied().map(CredentialProof::secret).collect();
    for name in &client.certificate_names {
        proofs.push(CredentialProof::certificate_name(name, sha256)?);
    }
    for key in &client.assertion_keys {
        proofs.push(CredentialProof::assertion(&key.fingerprint, &client.id, sha256)?);
    }
    let Some(user) = &client.user else { return Ok(proofs) };
    if let Some(password) = &user.password_sha256 {
        for proof in proofs.clone() {
            proofs.push(proof.with_password(&user.name, password, sha256)?);
        }
    }
    for key in &client.assertion_keys {
        proofs.push(CredentialProof::assertion(&key.fingerprint, &user.name, sha256)?);
    }
    Ok(proofs)
}

/// SHA-256, fetched once: OpenSSL looks an algorithm up by its name, which takes longer than using it.
pub(super) struct Sha256(Md);

impl Sha256 {
    pub(super) fn new() -> Result<Self, ErrorStack> {
        Ok(Self(Md::fetch(None, "SHA256", None)?))
    }

    /// Over the parts, one after the other.
    pub(super) fn of(&self, parts: &[&[u8]]) -> Result<[u8; 32], ErrorStack> {
        let mut digest = [0; 32];
        let mut context = MdCtx::new()?;
        context.digest_init(&self.0)?;
        for part in parts {
            context.digest_update(part)?;
        }
        context.digest_final(&mut digest)?;
        Ok(digest)
    }

    /// HMAC over the parts, one after the other.
    pub(super) fn mac(&self, key: &PKeyRef<Private>, parts: &[&[u8]]) -> Result<[u8; 32], ErrorStack> {
        let mut mac = [0; 32];
        let mut context = MdCtx::new()?;
        context.digest_sign_init(Some(&self.0), key)?;
        for part in parts {
            context.digest_sign_update(part)?;
        }
        context.digest_sign_final(Some(&mut mac))?;
        Ok(mac)
    }
}

/// Whether one of the expected digests is this one. Takes the same time for any digest, also where none is expected.
pub(super) fn is_one_of(digest: &[u8; 32], expected: &[[u8; 32]]) -> bool {
    const NOTHING: [[u8; 32]; 1] = [[0; 32]];
    let expected = if expected.is_empty() { &NOTHING } else { expected };
    expected.iter().fold(false, |found, one| found | memcmp::eq(digest, one))
}
