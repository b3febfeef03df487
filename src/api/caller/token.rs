//! Access tokens: signed by us and checked by any replica that has the key, without asking anybody.
//!
//! A token is `scvb_` and, in base64url: a version byte; the second at which it ends, 8 bytes; the stamp, 8 bytes; the
//! client's id; HMAC-SHA256 over all of these, 32 bytes. The stamp says by which credential the token was got: when
//! that credential leaves the configuration, or its client does, the token is over.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::memcmp;
use openssl::pkey::{PKey, Private};
use secrecy::{ExposeSecret, SecretString};

use super::digest::Sha256;
use super::proof::{CredentialProof, proofs};
use crate::settings::{Client, TokenEndpoint};

/// Lets people and scanners see what it is.
const PREFIX: &str = "scvb_";
const VERSION: u8 = 1;
/// Version, end and stamp.
const HEAD: usize = 1 + 8 + 8;
const MAC: usize = 32;

/// What a MAC is over, so that no two kinds of them can be mistaken for each other.
const TOKEN: &[u8] = b"scv-bridge token\0";
const STAMP: &[u8] = b"scv-bridge stamp\0";
const ANSWER: &[u8] = b"scv-bridge answer\0";

type Stamp = [u8; 8];

/// Gives and checks access tokens.
pub(super) struct AccessTokens {
    life: Duration,
    current: TokenKey,
    previous: Option<TokenKey>,
}

struct TokenKey {
    mac: PKey<Private>,
    /// The stamps that are good, by client.
    stamps: HashMap<String, Vec<Stamp>>,
}

/// A token that was just given.
pub struct IssuedToken {
    /// What the client sends from now on.
    pub token: SecretString,
    /// How long it is taken.
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

    /// A token for the client, who got it by this proof.
    pub(super) fn issue(
        &self,
        client: &str,
        proof: &CredentialProof,
        now: Timestamp,
        sha256: &Sha256,
    ) -> Result<IssuedToken, ErrorStack> {
        // Cut to whole seconds, as clients count.
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

    /// The id of the client that a token stands for; none if it is not ours, is over, or was got by a credential that
    /// is gone.
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

    /// A signature over what is answered beside the token, for a client that has no secret to sign it with.
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
