//! Failed logins, limited per address and per client id, without ever locking out who knows the secret.
//!
//! A limit that refuses before the comparison would let an attacker who knows a client's id lock that client out; one
//! that compares first limits no guessing. So it depends on whether the secret can be guessed at all:
//!
//! 1. **A secret of the shape that `scv-bridge secret new` prints** (256 random bits, 43 characters) is always compared.
//!    To guess one is hopeless, so there is nothing to limit, and its holder cannot be locked out: not by a flood of
//!    their id, not by an attacker behind the same address, not right after a start. The same is true of a
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
//! An unknown id is treated as any other, so that no answer shows which exist. The memory is bounded: [`ADDRESSES`] and [`PROVEN`]
//! are generations of a [`GenerationMap`], and client ids share [`IDS`] places by a keyed hash; two that share one only reach
//! the limit sooner that never refuses a first try. Each replica counts for itself.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::{FORWARDED, HeaderMap, X_FORWARDED_FOR};
use arc_swap::ArcSwap;

use crate::clock::Clock;
use crate::settings::{FailedLogins, Proxies, ProxyHeader};

/// Addresses that failed, for each of two generations.
const ADDRESSES: usize = 8192;
/// Pairs of client and address that succeeded, for each of two generations. Only who knows a secret adds one.
const PROVEN: usize = 4096;
/// Places for the failures of client ids.
const IDS: usize = 1024;
/// What `scv-bridge secret new` prints: 32 bytes as base64url without padding.
const GENERATED: usize = 43;

/// A login before its credentials are compared.
#[derive(Debug, Clone, Copy)]
pub struct LoginAttempt<'a> {
    /// The client id in the request, known or not.
    pub client: &'a str,
    /// From where.
    pub from: IpAddr,
    /// Whether the credential could be guessed: see [`guessable`]. A signature cannot.
    pub guessable: bool,
}

/// Too many logins failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// When the next one may be tried.
    pub after: Duration,
}

/// Whether a secret may have been chosen by a person: it has not the shape of a generated one.
pub fn guessable(secret: &[u8]) -> bool {
    let alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    secret.len() != GENERATED || !secret.iter().all(alphabet)
}

/// The logins that failed and succeeded recently, of all workers together.
pub struct Throttle {
    rules: ArcSwap<ThrottleRules>,
    clock: Arc<dyn Clock>,
    hash: RandomState,
    memory: Mutex<ThrottleState>,
}

/// The configured limits.
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
    /// Keyed hashes of client id and address of logins that succeeded.
    proven: GenerationMap<u64, ()>,
    ids: Box<[FailureLevel]>,
}

impl Throttle {
    /// Nothing has failed yet.
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

    /// Replaces the limits. Earlier failures and successes still count.
    pub fn adopt(&self, limits: &FailedLogins, proxies: Proxies) {
        self.rules.store(Arc::new(ThrottleRules::new(limits, proxies)));
    }

    /// The client's address, by the connection and the header of a trusted proxy.
    pub fn caller(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
        caller(&self.rules.load().proxies, peer, headers)
    }

    /// Whether the attempt may be compared. Between this and [`Throttle::failed`] there should be no wait.
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

    /// The credentials were wrong.
    ///
    /// # Errors
    /// When the address was over its limit before: the answer is 429, whatever was compared.
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

    /// The credentials were right.
    pub fn succeeded(&self, attempt: LoginAttempt<'_>) {
        // A credential that is always compared needs no history.
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

/// How many hops are read: behind more proxies than this, the nearest hop that was read counts.
const HOPS: usize = 16;

/// What counts as one address. Of IPv6 that is a network of 64 bits: a host with one address of it has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientAddress {
    /// An IPv4 address.
    V4(u32),
    /// The leading half of an IPv6 address.
    V6(u64),
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.into()),
            IpAddr::V6(address) => Self::V6(u64::try_from(u128::from(address) >> 64).unwrap_or_default()),
        }
    }
}

/// The client's address: the last hop that is no trusted proxy. Hops before it may be forged.
pub fn caller(proxies: &Proxies, peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
    // Every TCP connection has a peer address; requests without one share the unspecified address.
    let mut nearest = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let Some(header) = proxies.header else { return nearest };
    if !proxies.networks.is_empty() && !proxies.include(nearest) {
        return nearest;
    }
    let name = match header {
        ProxyHeader::XForwardedFor => X_FORWARDED_FOR,
        ProxyHeader::Forwarded => FORWARDED,
    };
    let lines: Vec<&str> = headers.get_all(name).map(|line| line.to_str().unwrap_or_default()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS) {
        // A hop that is hidden or malformed ends the search.
        let Some(address) = hop_address(header, hop) else { break };
        nearest = address;
        if !proxies.include(nearest) {
            break;
        }
    }
    nearest
}

/// The address of one hop, with or without a port. A comma within quotes would cut a hop in two; neither half is an
/// address then.
fn hop_address(header: ProxyHeader, hop: &str) -> Option<IpAddr> {
    let text = match header {
        ProxyHeader::XForwardedFor => hop.trim(),
        ProxyHeader::Forwarded => hop.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
        })?,
    };
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// The failures that are allowed within a window, regained evenly.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    window: i64,
    /// The part of the window that one failure uses, in milliseconds.
    cost: i64,
}

impl Allowance {
    /// So many within the window.
    pub fn new(failures: u32, limits: &FailedLogins) -> Self {
        let window = i64::try_from(limits.window.as_millis()).unwrap_or(i64::MAX / 4);
        Self { window, cost: (window / i64::from(failures.max(1))).max(1) }
    }
}

/// The failures that count now, as the moment at which none counts any more, in milliseconds since 1970: the generic cell
/// rate algorithm. The default is in the past of every clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailureLevel(i64);

impl FailureLevel {
    /// How much of the window they use. After a clock was set back it is at most the whole window.
    fn left(self, now: i64, allowance: Allowance) -> i64 {
        self.0.saturating_sub(now).clamp(0, allowance.window)
    }

    /// Whether no failure counts.
    #[must_use]
    pub fn is_none(self, now: i64, allowance: Allowance) -> bool {
        self.left(now, allowance) == 0
    }

    /// How long until the next failure is allowed; none: it is allowed now.
    #[must_use]
    pub fn exhausted(self, now: i64, allowance: Allowance) -> Option<Duration> {
        let wait = self.left(now, allowance) - (allowance.window - allowance.cost);
        u64::try_from(wait).ok().filter(|&wait| wait > 0).map(Duration::from_millis)
    }

    /// Adds a failure; never beyond the window, so that every failure is forgotten after it.
    #[must_use]
    pub fn more(self, now: i64, allowance: Allowance) -> Self {
        let left = self.left(now, allowance).saturating_add(allowance.cost).min(allowance.window);
        Self(now.saturating_add(left))
    }
}

/// A map of limited size in two generations: when the young one is full it becomes the old one, and the old one is
/// dropped. Each step takes constant time on average, also for an attacker who tries to fill it.
pub struct GenerationMap<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation: usize,
}

impl<K: Eq + Hash, V: Copy> GenerationMap<K, V> {
    /// Holds at most two generations of this many.
    pub fn new(generation: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation }
    }

    /// What is known.
    pub fn get(&self, key: &K) -> Option<V> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    /// Notes it, as the most recent.
    pub fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.generation && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod client_address_tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::settings::Network;

    fn proxies(header: Option<ProxyHeader>, networks: &[&str]) -> Proxies {
        Proxies { header, networks: networks.iter().map(|text| Network::parse(text).unwrap()).collect() }
    }

    fn called(proxies: &Proxies, peer: &str, name: &'static str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(line).unwrap());
        }
        caller(proxies, Some(SocketAddr::new(peer.parse().unwrap(), 4711)), &headers).to_string()
    }

    #[test]
    fn without_a_trusted_proxy_its_header_is_not_read() {
        let nobody = proxies(None, &[]);
        assert_eq!(called(&nobody, "192.0.2.1", "x-forwarded-for", &["203.0.113.9"]), "192.0.2.1");
    }

    #[test]
    fn one_proxy_is_believed_about_the_last_hop_only() {
        let one = proxies(Some(ProxyHeader::XForwardedFor), &[]);
        let called = |lines: &[&str]| called(&one, "10.0.0.1", "x-forwarded-for", lines);
        assert_eq!(called(&["203.0.113.9"]), "203.0.113.9");
        assert_eq!(called(&["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(called(&["1.1.1.1", "2.2.2.2,203.0.113.9:80 "]), "203.0.113.9");
        assert_eq!(called(&["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(called(&["2001:db8::1"]), "2001:db8::1");
        assert_eq!(called(&["::ffff:203.0.113.9"]), "203.0.113.9");
        for unreadable in ["", "unknown", "203.0.113.9, ", "203.0.113.9, somebody", "\u{fc}"] {
            assert_eq!(called(&[unreadable]), "10.0.0.1", "{unreadable}");
        }
        assert_eq!(called(&[]), "10.0.0.1");
    }

    #[test]
    fn of_several_proxies_the_last_hop_that_is_none_of_them_called() {
        let several = proxies(Some(ProxyHeader::XForwardedFor), &["10.0.0.0/8", "192.0.2.7"]);
        let called = |peer, line| called(&several, peer, "x-forwarded-for", &[line]);
        assert_eq!(called("10.0.0.1", "1.1.1.1, 203.0.113.9, 192.0.2.7, 10.9.9.9"), "203.0.113.9");
        assert_eq!(called("10.0.0.1", "10.9.9.9"), "10.9.9.9");
        assert_eq!(called("10.0.0.1", "203.0.113.9, hidden, 10.9.9.9"), "10.9.9.9");
        assert_eq!(called("198.51.100.1", "203.0.113.9"), "198.51.100.1", "the peer is no proxy");
    }

    #[test]
    fn the_other_header_is_never_read() {
        let one = proxies(Some(ProxyHeader::Forwarded), &[]);
        assert_eq!(called(&one, "10.0.0.1", "x-forwarded-for", &["203.0.113.9"]), "10.0.0.1");
        let called = |line| called(&one, "10.0.0.1", "forwarded", &[line]);
        assert_eq!(called("for=1.1.1.1, FOR=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9");
        assert_eq!(called("proto=https; for=\"[2001:db8::1]:4711\""), "2001:db8::1");
        for hidden in ["for=_hidden", "for=unknown", "proto=https", "for=\"203.0.113.9,\""] {
            assert_eq!(called(hidden), "10.0.0.1", "{hidden}");
        }
    }

    #[test]
    fn all_of_an_ipv6_network_is_one_address() {
        let of = |text: &str| ClientAddress::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    proptest! {
        /// A client cannot choose its address by forging forwarded-for entries left of the trusted proxies'.
        #[test]
        fn forged_forwarding_entries_do_not_change_the_address_of_the_caller(forged in "[ -~]{0,60}") {
            let one = proxies(Some(ProxyHeader::XForwardedFor), &["10.0.0.0/8"]);
            let line = format!("{forged}, 203.0.113.9, 10.0.0.2");
            prop_assert_eq!(called(&one, "10.0.0.1", "x-forwarded-for", &[&line]), "203.0.113.9");
        }
    }
}

#[cfg(test)]
mod failure_level_tests {
    use proptest::prelude::*;

    use super::*;

    fn allowance(failures: u32, seconds: u64) -> Allowance {
        let window = Duration::from_secs(seconds);
        Allowance::new(failures, &FailedLogins { per_address: failures, per_client: failures, window })
    }

    proptest! {
        #[test]
        fn within_any_window_no_more_than_twice_the_allowance_passes(
            failures in 1_u32..50,
            steps in proptest::collection::vec(0_i64..5_000, 1..400),
        ) {
            let (window, mut now, mut debt) = (10_000, 1_000_000, FailureLevel::default());
            let allowance = allowance(failures, 10);
            let mut passed: Vec<i64> = Vec::new();
            for step in steps {
                now += step;
                if debt.exhausted(now, allowance).is_none() {
                    debt = debt.more(now, allowance);
                    passed.push(now);
                }
            }
            for (index, from) in passed.iter().enumerate() {
                let within = passed[index..].iter().take_while(|at| **at - from < window).count();
                // A full allowance at once, and what is given back during the window.
                prop_assert!(within <= 2 * failures as usize + 1, "{} of {}", within, failures);
            }
        }

        #[test]
        fn a_client_that_waits_for_retry_after_may_try_again(failures in 1_u32..100, tries in 1_usize..300, now in 0_i64..1 << 50) {
            let allowance = allowance(failures, 60);
            let debt = (0..tries).fold(FailureLevel::default(), |debt, _| debt.more(now, allowance));
            if let Some(wait) = debt.exhausted(now, allowance) {
                let wait = i64::try_from(wait.as_millis()).unwrap();
                prop_assert!(debt.exhausted(now + wait, allowance).is_none());
                prop_assert!(debt.exhausted(now + wait - 1, allowance).is_some());
            } else {
                prop_assert!(tries < failures as usize);
            }
            prop_assert!(debt.is_none(now + 60_000, allowance));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_off_longer_than_the_window() {
        let allowance = allowance(1, 60);
        let debt = FailureLevel::default().more(1_000_000_000, allowance);
        assert_eq!(debt.exhausted(0, allowance), Some(Duration::from_secs(60)));
    }
}

#[cfg(test)]
mod generation_map_tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_bounded_and_knows_a_generation_of_the_latest(keys in proptest::collection::vec(0_u16..40, 1..300)) {
            let mut recent = GenerationMap::new(10);
            for (at, key) in keys.iter().enumerate() {
                recent.put(*key, at);
                prop_assert!(recent.len() <= 20);
            }
            // The ten keys that came last are known, each with its last value.
            let mut latest: Vec<(u16, usize)> = Vec::new();
            for (at, key) in keys.iter().enumerate().rev() {
                if latest.len() < 10 && latest.iter().all(|(known, _)| known != key) {
                    latest.push((*key, at));
                }
            }
            for (key, at) in latest {
                prop_assert_eq!(recent.get(&key), Some(at));
            }
        }
    }
}

/// What attackers may do to the throttle, and what good clients must not notice of it.
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::ManualClock;

    const SECONDS: u64 = 60;

    fn throttle(per_address: u32, per_client: u32) -> (Throttle, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap()));
        let limits = FailedLogins { per_address, per_client, window: Duration::from_secs(SECONDS) };
        let proxies = Proxies { header: None, networks: Vec::new() };
        (Throttle::new(&limits, proxies, clock.clone()), clock)
    }

    fn attempt(client: &str, from: u32) -> LoginAttempt<'_> {
        LoginAttempt { client, from: IpAddr::from(from.to_be_bytes()), guessable: true }
    }

    /// Tries a wrong secret.
    fn guess(throttle: &Throttle, attempt: LoginAttempt<'_>) -> Result<(), Throttled> {
        throttle.check(attempt)?;
        throttle.failed(attempt)
    }

    /// How many of so many guesses were compared.
    fn compared(throttle: &Throttle, attempt: LoginAttempt<'_>, guesses: usize) -> usize {
        (0..guesses).filter(|_| guess(throttle, attempt).is_ok()).count()
    }

    #[test]
    fn an_address_may_fail_so_often_and_then_waits() {
        let (throttle, clock) = throttle(3, 100);
        assert_eq!(compared(&throttle, attempt("flow", 1), 10), 3);
        let refused = throttle.check(attempt("flow", 1)).unwrap_err();
        assert_eq!(refused.after, Duration::from_secs(SECONDS / 3));
        assert!(throttle.check(attempt("another", 1)).is_err(), "whatever id is tried");
        assert!(throttle.check(attempt("flow", 2)).is_ok(), "another address");
        clock.advance(refused.after);
        assert_eq!(compared(&throttle, attempt("flow", 1), 10), 1);
        clock.advance(Duration::from_secs(SECONDS));
        assert_eq!(compared(&throttle, attempt("flow", 1), 10), 3);
    }

    #[test]
    fn a_client_id_that_many_guess_at_leaves_each_address_one_try() {
        let (throttle, _) = throttle(5, 20);
        let tries: Vec<usize> = (0..100).map(|from| compared(&throttle, attempt("flow", from), 10)).collect();
        assert_eq!(tries[..4], [5, 5, 5, 5]);
        assert!(tries[4..].iter().all(|tries| *tries == 1), "{tries:?}");
        assert_eq!(compared(&throttle, attempt("another", 1000), 10), 5, "another id");
    }

    #[test]
    fn a_client_that_succeeded_from_an_address_is_always_compared_from_there() {
        let (throttle, _) = throttle(3, 3);
        throttle.succeeded(attempt("flow", 1));
        assert_eq!(compared(&throttle, attempt("another", 1), 10), 3);
        assert!(throttle.check(attempt("another", 1)).is_err());
        assert!(throttle.check(attempt("flow", 1)).is_ok());
        // A client with wrong secrets behind that address is compared first, and refused with 429 all the same.
        assert!(throttle.failed(attempt("flow", 1)).is_err());
    }

    #[test]
    fn a_secret_that_cannot_be_guessed_is_always_compared_and_a_wrong_one_refused() {
        let (throttle, _) = throttle(3, 3);
        let signed = LoginAttempt { guessable: false, ..attempt("flow", 1) };
        for _ in 0..10 {
            let _ = throttle.failed(signed);
        }
        assert!(throttle.check(signed).is_ok());
        assert!(throttle.failed(signed).is_err());
    }

    #[test]
    fn only_the_shape_of_a_generated_secret_is_taken_for_one() {
        assert!(!guessable(b"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJC"));
        assert!(!guessable(b"-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-"));
        for guess in
            [&b""[..], b"secret", b"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJ", &[b'a'; 44], &[b' '; 43]]
        {
            assert!(guessable(guess));
        }
    }

    #[test]
    fn the_memory_is_bounded_for_any_clients() {
        let (throttle, _) = throttle(3, 3);
        for from in 0..100_000 {
            let id = from.to_string();
            let _ = guess(&throttle, attempt(&id, from));
            throttle.succeeded(attempt(&id, from));
        }
        let memory = throttle.memory.lock().unwrap();
        assert!(memory.addresses.len() <= 2 * ADDRESSES, "{}", memory.addresses.len());
        assert!(memory.proven.len() <= 2 * PROVEN, "{}", memory.proven.len());
        assert_eq!(memory.ids.len(), IDS);
    }

    /// What an attacker may do: guess at an id from an address, or wait.
    fn attack() -> impl Strategy<Value = Vec<(usize, u32, u64)>> {
        proptest::collection::vec((0_usize..3, 0_u32..40, 0_u64..4), 0..300)
    }

    const NAMES: [&str; 3] = ["flow", "another", "nobody"];

    proptest! {
        /// The promise of this module, against any order of guesses at the client's own id and others.
        #[test]
        fn good_clients_are_never_locked_out(attack in attack(), per_address in 1_u32..5, per_client in 1_u32..5) {
            let (throttle, clock) = throttle(per_address, per_client);
            let (known, fresh) = (attempt("flow", 7), attempt("flow", 999));
            throttle.succeeded(known);
            for (name, from, seconds) in attack {
                clock.advance(Duration::from_secs(seconds));
                let _ = guess(&throttle, attempt(NAMES[name], from));
                prop_assert!(throttle.check(known).is_ok(), "from where it succeeded, the attacker beside it");
                prop_assert!(throttle.check(fresh).is_ok(), "the first try from a new address");
                let generated = LoginAttempt { guessable: false, ..attempt("flow", from) };
                prop_assert!(throttle.check(generated).is_ok(), "with a generated secret, from anywhere");
            }
        }

        /// And the reason why there is one.
        #[test]
        fn guesses_from_one_address_are_few(
            pauses in proptest::collection::vec(0_u64..3, 1..400),
            per_address in 1_u32..10,
        ) {
            let (throttle, clock) = throttle(per_address, 1000);
            let mut compared = 0;
            for pause in &pauses {
                clock.advance(Duration::from_secs(*pause));
                compared += u64::from(guess(&throttle, attempt("flow", 1)).is_ok());
            }
            let given_back = pauses.iter().sum::<u64>() * u64::from(per_address) / SECONDS;
            prop_assert!(compared <= u64::from(per_address) + given_back + 1);
        }
    }
}
