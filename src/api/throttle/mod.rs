//! Failed logins, limited per address and per client id, without ever locking out who knows the secret.
//!
//! A limit that refuses before it looks would let anybody who knows a client's id keep that client out; one that looks
//! first limits no guessing. So the two are told apart by what can be guessed at all:
//!
//! 1. **A secret of the shape that `scv-bridge secret new` prints** (256 random bits, 43 characters) is always compared.
//!    To guess one is hopeless, so there is nothing to limit, and its holder cannot be locked out by anybody: not by a
//!    flood of their id, not by a stranger behind the same address, not right after a start. The same is true of a
//!    signature.
//! 2. **Any other secret may have been thought up by a person.** It is compared
//!    - always from an address from where this client has succeeded before;
//!    - else as long as the address has failed less than `failed_logins_per_address` allows, and the client id less
//!      than `failed_logins_per_client` does. The latter never refuses an address that has failed nothing of late: a
//!      client that comes from a new address gets its first try, however many others are guessing at its id.
//!
//! What is not compared is answered 429. A wrong secret from an address over its limit is answered 429 as well. One case
//! is slowed down, and only for secrets of the second kind: a client that was not seen since the start, from an address
//! that an attacker shares at that moment, waits until the address has some of its allowance back. Who shares the address
//! of a client that succeeded can guess at a secret of the second kind without a limit: that cannot be had together with
//! never locking out, and is why secrets should be made by `secret new`.
//!
//! An unknown id is treated as any other, so nothing tells which exist. The memory is bounded: [`ADDRESSES`] and [`PROVEN`]
//! are generations of a [`GenerationMap`], and client ids share [`IDS`] places by a keyed hash; two that share one only reach
//! the limit sooner that never refuses a first try. Each replica counts for itself.

mod address;
mod debt;
mod recent;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use arc_swap::ArcSwap;

use self::address::caller;
use self::debt::{Allowance, FailureLevel};
use self::recent::GenerationMap;
use crate::clock::Clock;
use crate::settings::{FailedLogins, Proxies};

pub use self::address::ClientAddress;

/// Addresses that failed, for each of two generations.
const ADDRESSES: usize = 8192;
/// Pairs of client and address that succeeded, for each of two generations. Only who knows a secret adds one.
const PROVEN: usize = 4096;
/// Places for the failures of client ids.
const IDS: usize = 1024;
/// What `scv-bridge secret new` prints: 32 bytes as base64url without padding.
const GENERATED: usize = 43;

/// A login that is about to be tried.
#[derive(Debug, Clone, Copy)]
pub struct LoginAttempt<'a> {
    /// The client id that was given, whether there is such a client or not.
    pub client: &'a str,
    /// From where.
    pub from: IpAddr,
    /// Whether what proves it could be guessed: see [`guessable`]. A signature cannot.
    pub guessable: bool,
}

/// Too many logins failed; when the next may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// How long to wait.
    pub after: Duration,
}

/// Whether a secret may have been thought up by a person: it has not the shape of a generated one.
#[must_use]
pub fn guessable(secret: &[u8]) -> bool {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    secret.len() != GENERATED || !secret.iter().all(alphabet)
}

/// What failed and what succeeded of late, of all workers together.
pub struct Throttle {
    rules: ArcSwap<ThrottleRules>,
    clock: Arc<dyn Clock>,
    hash: RandomState,
    memory: Mutex<ThrottleState>,
}

/// As configured at this moment.
struct ThrottleRules {
    proxies: Proxies,
    per_address: Allowance,
    per_client: Allowance,
}

impl ThrottleRules {
    fn new(limits: &FailedLogins, proxies: Proxies) -> Self {
        let [per_address, per_client] =
            [limits.per_address, limits.per_client].map(|failures| Allowance::new(failures, limits));
        Self { proxies, per_address, per_client }
    }
}

struct ThrottleState {
    addresses: GenerationMap<ClientAddress, FailureLevel>,
    /// Keyed hashes of client id and address.
    proven: GenerationMap<u64, ()>,
    ids: Box<[FailureLevel]>,
}

impl Throttle {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(limits: &FailedLogins, proxies: Proxies, clock: Arc<dyn Clock>) -> Self {
        let memory = ThrottleState {
            addresses: GenerationMap::new(ADDRESSES),
            proven: GenerationMap::new(PROVEN),
            ids: vec![FailureLevel::default(); IDS].into(),
        };
        Self {
            rules: ArcSwap::from_pointee(ThrottleRules::new(limits, proxies)),
            clock,
            hash: RandomState::new(),
            memory: Mutex::new(memory),
        }
    }

    /// Goes by other rules from now on. What failed and what succeeded before still counts.
    pub fn adopt(&self, limits: &FailedLogins, proxies: Proxies) {
        self.rules.store(Arc::new(ThrottleRules::new(limits, proxies)));
    }

    /// Who called, by the connection and what a trusted proxy says of it.
    #[must_use]
    pub fn caller(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
        caller(&self.rules.load().proxies, peer, headers)
    }

    /// Whether the attempt may be tried. Between this and [`Throttle::failed`] nothing should wait.
    ///
    /// # Errors
    /// When it must not be tried now: the secret must not be looked at.
    pub fn check(&self, attempt: LoginAttempt<'_>) -> Result<(), Throttled> {
        if !attempt.guessable {
            return Ok(());
        }
        let (now, address, rules) = (self.now(), ClientAddress::from(attempt.from), self.rules.load());
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.proven.get(&self.pair(attempt)).is_some() {
            return Ok(());
        }
        let of_address = memory.addresses.get(&address).unwrap_or_default();
        let of_client = memory.ids.get(self.place(attempt.client)).copied().unwrap_or_default();
        let refused = of_address.exhausted(now, rules.per_address).or_else(|| {
            let failed_before = !of_address.is_none(now, rules.per_address);
            of_client.exhausted(now, rules.per_client).filter(|_| failed_before)
        });
        refused.map_or(Ok(()), |after| Err(Throttled { after }))
    }

    /// The attempt was tried and was wrong.
    ///
    /// # Errors
    /// When the address was over its limit before: the answer should say so, whatever was compared.
    pub fn failed(&self, attempt: LoginAttempt<'_>) -> Result<(), Throttled> {
        let (now, address, rules) = (self.now(), ClientAddress::from(attempt.from), self.rules.load());
        let (pair, place) = (self.pair(attempt), self.place(attempt.client));
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let before = memory.addresses.get(&address).unwrap_or_default();
        let after = before.more(now, rules.per_address);
        memory.addresses.put(address, after);
        let proven = memory.proven.get(&pair).is_some();
        if let Some(of_client) = memory.ids.get_mut(place).filter(|_| !proven) {
            *of_client = of_client.more(now, rules.per_client);
        }
        drop(memory);
        if let Some(after) = before.exhausted(now, rules.per_address) {
            return Err(Throttled { after });
        }
        if after.exhausted(now, rules.per_address).is_some() {
            tracing::warn!(address = %attempt.from, "too many failed logins; further ones are refused for a while");
        }
        Ok(())
    }

    /// The attempt was tried and was right.
    pub fn succeeded(&self, attempt: LoginAttempt<'_>) {
        // What is compared in any case needs no history.
        if attempt.guessable {
            let pair = self.pair(attempt);
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.proven.put(pair, ());
        }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn pair(&self, attempt: LoginAttempt<'_>) -> u64 {
        self.hash.hash_one((attempt.client, ClientAddress::from(attempt.from)))
    }

    fn place(&self, client: &str) -> usize {
        usize::try_from(self.hash.hash_one(client) % IDS as u64).unwrap_or_default()
    }
}
