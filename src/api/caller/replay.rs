//! An assertion is taken once, known by its `jti` or by itself (RFC 7523, 3).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

/// The most ids that are remembered for a client. An assertion lives at most five minutes, so these are 13 logins a
/// second; a client that has more is refused, and no other is.
const MOST_REPLAYS: usize = 4096;

/// The assertions that were taken. It outlives a change of the configuration; each replica has its own.
#[derive(Debug, Default)]
pub struct Replays {
    /// By client, half a digest of what each is known by and the second from which on it may be forgotten.
    seen: Mutex<HashMap<String, HashMap<[u8; 16], i64>>>,
}

/// What there is to say of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplayCheck {
    /// Never before.
    Never,
    /// Already.
    Before,
    /// There is no room to remember it.
    Full,
}

impl Replays {
    /// Remembers a client's assertion by the digest of its identity; it must be a good one: whoever has no key fills nothing here.
    /// `forget`: the second from which on the assertion is refused for its age.
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
