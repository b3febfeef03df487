//! Signed assertions (RFC 7523): as a client's credential, and as a grant. Each is taken once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use openssl::hash::MessageDigest;
use openssl::sign::Verifier;
use serde::Deserialize;

use crate::settings::AssertionKey;

/// The longest life of an assertion, in seconds.
const LONGEST_LIFE_SECONDS: i64 = 300;
/// How far the clocks of client and bridge may differ, in seconds.
const LEEWAY: i64 = 30;

/// Why an assertion is refused. The client may know: nothing of it is a secret to the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionProblem {
    /// Not three parts of base64url, or not JSON within.
    #[error("it is no JWT in compact form with the claims iss, sub, aud and exp")]
    Unreadable,
    /// Another algorithm, `none` among them.
    #[error("its alg is not RS256")]
    Algorithm,
    /// A header that changes what the token means.
    #[error("its header holds crit")]
    Critical,
    /// No such client, no certificate for it, or another key.
    #[error("its signature fits no certificate that is registered for its iss")]
    Signature,
    /// The registered certificate is over, or not valid yet.
    #[error("the certificate that is registered for its iss is not valid today")]
    Certificate,
    /// Sent in the name of another client.
    #[error("its iss is not the client that sent it")]
    Issuer,
    /// The client may not use this subject.
    #[error("its sub is neither the client nor a user of it")]
    Subject,
    /// Meant for another server.
    #[error("its aud is neither the address of this token endpoint nor of this bridge")]
    Audience,
    /// `exp` has passed.
    #[error("it has expired; compare the clocks")]
    Expired,
    /// `iat` or `nbf` is in the future.
    #[error("it is not valid yet; compare the clocks")]
    Early,
    /// Its life is too long.
    #[error("it lives longer than 5 minutes")]
    TooLong,
    /// Its `jti` was used before; or the assertion itself, if it has none.
    #[error("it was used before: a new one, with a jti of its own, for each token")]
    Replayed,
}

/// The claims that are checked.
#[derive(Deserialize)]
pub(super) struct SignedAssertionClaims {
    pub(super) iss: String,
    pub(super) sub: String,
    aud: AssertionAudience,
    exp: NumericDate,
    iat: Option<NumericDate>,
    nbf: Option<NumericDate>,
    jti: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AssertionAudience {
    One(String),
    Several(Vec<String>),
}

/// Seconds since 1970, possibly with a fraction (RFC 7519, 2). A published client for Salesforce sends them as text, and
/// Salesforce accepts that.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumericDate {
    Number(f64),
    Text(String),
}

#[derive(Deserialize)]
struct AssertionHeader {
    alg: String,
    crit: Option<serde_json::Value>,
}

/// A parsed assertion, not verified yet.
pub(super) struct SignedAssertion<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    pub(super) claims: SignedAssertionClaims,
}

impl<'a> SignedAssertion<'a> {
    /// Its identity, by which a repetition is known: its `jti`, or the whole signed text where it has none. RFC 7523
    /// leaves the `jti` to the client, and nobody else can change either.
    pub(super) fn identity(&self) -> &[u8] {
        let jti = self.claims.jti.as_deref().filter(|jti| !jti.is_empty());
        jti.unwrap_or(self.signed).as_bytes()
    }

    pub(super) fn read(text: &'a str) -> Result<Self, AssertionProblem> {
        let unreadable = AssertionProblem::Unreadable;
        let (signed, signature) = text.rsplit_once('.').ok_or(unreadable)?;
        let (header, claims) = signed.split_once('.').ok_or(unreadable)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| unreadable);
        let header: AssertionHeader = serde_json::from_slice(&decode(header)?).map_err(|_| unreadable)?;
        // The bridge chooses the algorithm, never the token (RFC 8725, 3.1).
        if header.alg != "RS256" {
            return Err(AssertionProblem::Algorithm);
        }
        if header.crit.is_some() {
            return Err(AssertionProblem::Critical);
        }
        let claims = serde_json::from_slice(&decode(claims)?).map_err(|_| unreadable)?;
        Ok(Self { signed, signature: decode(signature)?, claims })
    }

    /// The key that made the signature.
    pub(super) fn signed_by<'k>(
        &self,
        keys: &'k [AssertionKey],
        now: Timestamp,
    ) -> Result<&'k AssertionKey, AssertionProblem> {
        let fits = |key: &&AssertionKey| {
            let verifier = Verifier::new(MessageDigest::sha256(), &key.public);
            let verify =
                |mut verifier: Verifier<'_>| verifier.verify_oneshot(&self.signature, self.signed.as_bytes());
            verifier.and_then(verify).unwrap_or(false)
        };
        let key = keys.iter().find(fits).ok_or(AssertionProblem::Signature)?;
        let (from, to) = key.valid;
        match from <= now && now <= to {
            true => Ok(key),
            false => Err(AssertionProblem::Certificate),
        }
    }

    /// Checks times and audience. Returns the second from which on this assertion has expired for certain.
    pub(super) fn check(&self, audiences: &[String], now: i64) -> Result<i64, AssertionProblem> {
        let claims = &self.claims;
        let ours = |audience: &String| audiences.iter().any(|ours| audience.trim_end_matches('/') == ours);
        let meant = match &claims.aud {
            AssertionAudience::One(audience) => ours(audience),
            AssertionAudience::Several(audiences) => audiences.iter().any(ours),
        };
        if !meant {
            return Err(AssertionProblem::Audience);
        }
        let exp = claims.exp.second()?;
        let [iat, nbf] =
            [&claims.iat, &claims.nbf].map(|time| time.as_ref().map(NumericDate::second).transpose());
        let (iat, nbf) = (iat?, nbf?);
        let over = exp.saturating_add(LEEWAY);
        if over <= now {
            return Err(AssertionProblem::Expired);
        }
        if [iat, nbf].into_iter().flatten().any(|time| time > now.saturating_add(LEEWAY)) {
            return Err(AssertionProblem::Early);
        }
        let life = iat.map_or(0, |iat| exp.saturating_sub(iat));
        let left = exp.saturating_sub(now);
        match life > LONGEST_LIFE_SECONDS || left > LONGEST_LIFE_SECONDS + LEEWAY {
            true => Err(AssertionProblem::TooLong),
            false => Ok(over),
        }
    }
}

impl NumericDate {
    /// A time that does not fit saturates.
    fn second(&self) -> Result<i64, AssertionProblem> {
        let time = match self {
            Self::Number(time) => *time,
            Self::Text(text) => text.parse().map_err(|_| AssertionProblem::Unreadable)?,
        };
        match time.is_finite() {
            true => Ok(time.floor() as i64),
            false => Err(AssertionProblem::Unreadable),
        }
    }
}

/// The most ids that are stored for a client. An assertion lives at most five minutes, so these are 13 logins a second; a
/// client with more is refused, and no other one is.
const MOST_REPLAYS: usize = 4096;

/// The assertions that were used. They outlive a change of the configuration; each replica has its own.
#[derive(Debug, Default)]
pub struct Replays {
    /// By client, half a digest of each identity and the second from which on it may be removed.
    seen: Mutex<HashMap<String, HashMap<[u8; 16], i64>>>,
}

/// The result of the check for a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplayCheck {
    /// Not used before.
    Never,
    /// Used before.
    Before,
    /// There is no room to store it.
    Full,
}

impl Replays {
    /// Stores a client's assertion by the digest of its identity; only verified ones are stored. `forget`: the second
    /// from which on the assertion has expired.
    pub(super) fn remember(&self, client: &str, digest: &[u8; 32], forget: i64, now: i64) -> ReplayCheck {
        let digest = digest.first_chunk().copied().unwrap_or_default();
        let mut clients = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = match clients.get_mut(client) {
            Some(seen) => seen,
            None => clients.entry(client.to_owned()).or_default(),
        };
        if seen.len() >= MOST_REPLAYS {
            seen.retain(|_, forget| *forget > now);
        }
        let full = seen.len() >= MOST_REPLAYS;
        match seen.entry(digest) {
            Entry::Occupied(entry) if *entry.get() > now => ReplayCheck::Before,
            Entry::Vacant(_) if full => ReplayCheck::Full,
            entry => {
                entry.insert_entry(forget);
                ReplayCheck::Never
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u32) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        bytes
    }

    #[test]
    fn an_id_is_taken_once_for_each_client_until_it_is_too_old_anyway() {
        let replays = Replays::default();
        assert_eq!(replays.remember("a", &digest(1), 300, 0), ReplayCheck::Never);
        assert_eq!(replays.remember("a", &digest(1), 300, 299), ReplayCheck::Before);
        assert_eq!(replays.remember("b", &digest(1), 300, 0), ReplayCheck::Never);
        assert_eq!(replays.remember("a", &digest(1), 600, 300), ReplayCheck::Never);
    }

    #[test]
    fn the_memory_is_bounded_for_each_client_and_the_old_make_room() {
        let replays = Replays::default();
        for number in 0..u32::try_from(MOST_REPLAYS).unwrap() {
            assert_eq!(replays.remember("a", &digest(number), 300, 0), ReplayCheck::Never);
        }
        assert_eq!(replays.remember("a", &digest(u32::MAX), 300, 0), ReplayCheck::Full);
        assert_eq!(replays.remember("a", &digest(0), 300, 0), ReplayCheck::Before);
        assert_eq!(replays.remember("b", &digest(u32::MAX), 300, 0), ReplayCheck::Never);
        assert_eq!(replays.remember("a", &digest(u32::MAX), 600, 300), ReplayCheck::Never);
        assert_eq!(replays.seen.lock().unwrap()["a"].len(), 1);
    }
}
