//! Of which keys the journal is known to hold every call as answered, in memory: an agent's hold need not ask for what
//! the acceptance told. For SQLite only, where one process writes calls.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use crate::domain::{CallName, VendorCallKey};

/// How many keys are remembered; then all are forgotten, which costs a question for each.
const MOST: usize = 16_384;

/// What is known of keys. A key that names several calls, as a transfer makes them, is never remembered: an answer is one
/// of them only, and the next may be on its way to the journal while somebody looks.
#[derive(Default)]
pub(super) struct Answered {
    hasher: RandomState,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    /// By a hash of the key.
    all: HashMap<u64, Key, RandomState>,
    looks: u64,
}

#[derive(Default)]
struct Key {
    /// A hash of the only name that was met.
    name: Option<u64>,
    is_several: bool,
    state: State,
}

#[derive(Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    /// Somebody looks; the newest look counts.
    Looking(u64),
    Answered,
}

/// A look at the calls of a key, begun before they were asked for.
#[derive(Debug, Default)]
pub struct Look {
    key: u64,
    number: u64,
}

impl Answered {
    /// Before a note of the call is on its way.
    pub(super) fn meet(&self, call: &CallName) {
        let (key, name) = (self.hash(call.vendor_call_key()), self.hasher.hash_one(call));
        let mut keys = self.keys();
        let known = keys.entry(key);
        let is_other = known.name.is_some_and(|known| known != name);
        known.name = Some(name);
        if is_other || !call.parent().is_empty() {
            known.is_several = true;
            known.state = State::Unknown;
        }
    }

    /// Begins a look; none where all calls of the key are known as answered.
    pub(super) fn look(&self, key: &VendorCallKey) -> Option<Look> {
        let key = self.hash(key);
        let mut keys = self.keys();
        keys.looks += 1;
        let number = keys.looks;
        let known = keys.entry(key);
        if known.state == State::Answered {
            return None;
        }
        known.state = State::Looking(number);
        Some(Look { key, number })
    }

    /// What the look found is answered, durably.
    pub(super) fn found(&self, look: &Look) {
        if let Some(known) = self.keys().all.get_mut(&look.key)
            && known.state == State::Looking(look.number)
            && !known.is_several
        {
            known.state = State::Answered;
        }
    }

    /// Calls were removed from the journal.
    pub(super) fn clear(&self) {
        self.keys().all.clear();
    }

    fn hash(&self, key: &VendorCallKey) -> u64 {
        self.hasher.hash_one(key)
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn entry(&mut self, key: u64) -> &mut Key {
        if self.all.len() >= MOST && !self.all.contains_key(&key) {
            self.all.clear();
        }
        self.all.entry(key).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallCenterName, CallReference};

    fn key(number: usize) -> VendorCallKey {
        VendorCallKey::parse(format!("wxcc_{number}")).unwrap()
    }

    fn call(center: &str, parent: Option<&str>) -> CallName {
        let parent = parent.map(|text| CallReference::parse(text).unwrap());
        CallName::new(CallCenterName::parse(center).unwrap(), key(1), parent.as_ref())
    }

    fn find(answered: &Answered, number: usize) -> bool {
        let look = answered.look(&key(number));
        look.inspect(|look| answered.found(look)).is_some()
    }

    #[test]
    fn what_was_found_is_not_looked_for_again_until_calls_are_removed() {
        let answered = Answered::default();
        answered.meet(&call("Sales", None));
        assert!(find(&answered, 1) && !find(&answered, 1));
        answered.meet(&call("Sales", None));
        assert!(find(&answered, 2) && !find(&answered, 1), "more was learned of the same call");
        answered.clear();
        assert!(find(&answered, 1));
    }

    #[test]
    fn a_key_of_several_calls_is_always_looked_for_whenever_the_second_came() {
        for second in [call("Support", None), call("Sales", Some("wxcc_0"))] {
            let answered = Answered::default();
            answered.meet(&call("Sales", None));
            assert!(find(&answered, 1));
            answered.meet(&second);
            assert!(find(&answered, 1) && find(&answered, 1));
            answered.clear();
            answered.meet(&call("Sales", None));
            let look = answered.look(&key(1)).unwrap();
            answered.meet(&second);
            answered.found(&look);
            assert!(find(&answered, 1), "it came during the look");
        }
    }

    #[test]
    fn of_two_who_look_the_newer_counts() {
        let answered = Answered::default();
        let (older, newer) = (answered.look(&key(1)).unwrap(), answered.look(&key(1)).unwrap());
        answered.found(&older);
        let newest = answered.look(&key(1)).unwrap();
        answered.found(&newer);
        answered.found(&newest);
        assert!(!find(&answered, 1));
    }

    #[test]
    fn it_stays_small() {
        let answered = Answered::default();
        for number in 0..=2 * MOST {
            assert!(find(&answered, number));
            assert!(answered.keys().all.len() <= MOST);
        }
    }
}
