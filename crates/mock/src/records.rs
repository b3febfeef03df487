//! The VoiceCalls of the org, found by id or vendorCallKey.

use std::collections::{BTreeMap, HashMap};

use super::salesforce_id::{record_id, short_form};
use super::voice_call::VoiceCall;

/// The newest VoiceCalls, by the number of their creation.
#[derive(Debug)]
pub(super) struct Records {
    calls: BTreeMap<u64, VoiceCall>,
    by_id: HashMap<String, u64>,
    by_key: HashMap<String, u64>,
    next: u64,
    keep: usize,
}

impl Records {
    /// The first record that is made has the number `first`.
    pub(super) fn new(first: u64, keep: usize) -> Self {
        Self { calls: BTreeMap::new(), by_id: HashMap::new(), by_key: HashMap::new(), next: first, keep }
    }

    /// The id the next record gets.
    pub(super) fn next_id(&self) -> String {
        record_id("0LQ", self.next)
    }

    /// The id the next record's routing gets: routings have numbers of their own.
    pub(super) fn next_routing_id(&mut self) -> String {
        self.next += 1;
        record_id("0JR", self.next)
    }

    /// Adds a record that was made with [`Records::next_id`]. The oldest goes if there are too many.
    pub(super) fn insert(&mut self, call: VoiceCall) {
        let number = self.next;
        self.next += 1;
        if let Some(short) = short_form(&call.id) {
            self.by_id.insert(short.to_owned(), number);
        }
        self.by_key.insert(call.vendor_call_key.clone(), number);
        self.calls.insert(number, call);
        if self.calls.len() > self.keep {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((number, call)) = self.calls.pop_first() else {
            return;
        };
        if let Some(short) = short_form(&call.id) {
            self.by_id.remove(short);
        }
        if self.by_key.get(&call.vendor_call_key) == Some(&number) {
            self.by_key.remove(&call.vendor_call_key);
        }
    }

    fn number(&self, id_or_key: &str) -> Option<u64> {
        let by_id = short_form(id_or_key).and_then(|short| self.by_id.get(short));
        by_id.or_else(|| self.by_key.get(id_or_key)).copied()
    }

    pub(super) fn find(&self, id_or_key: &str) -> Option<&VoiceCall> {
        self.calls.get(&self.number(id_or_key)?)
    }

    pub(super) fn find_mut(&mut self, id_or_key: &str) -> Option<&mut VoiceCall> {
        self.calls.get_mut(&self.number(id_or_key)?)
    }

    /// All that a query finds: a key can name several.
    pub(super) fn select(&self, finds: impl Fn(&VoiceCall) -> bool) -> Vec<VoiceCall> {
        self.calls.values().filter(|call| finds(call)).cloned().collect()
    }

    pub(super) fn all(&self) -> Vec<VoiceCall> {
        self.calls.values().cloned().collect()
    }
}
