//! What this process has learned of calls in the last minute. The journal says more, but while its database stands still
//! nobody can read it, and a create that is repeated meanwhile must not make a second VoiceCall.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::{SignedDuration, Timestamp};

use crate::domain::{Call, CallName};
use crate::store::Note;

/// For how long it is remembered: a database that does not answer for longer has failed, and flows repeat within seconds.
const MEMORY: SignedDuration = SignedDuration::from_secs(60);
/// The most that is remembered, some 10 MB: what a contact center's Salesforce takes in a minute is far less. Of more the
/// oldest is forgotten.
const MOST: usize = 10_000;

/// Whether the journal holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It does.
    Already,
    /// It is still to be written.
    NotYet,
}

/// Notes of the last minute, one for each call.
#[derive(Default)]
pub(super) struct Recent {
    notes: HashMap<CallName, RecentCall, RandomState>,
    /// When they came, the oldest first.
    order: VecDeque<(Timestamp, CallName)>,
}

struct RecentCall {
    note: Arc<Note>,
    /// What the journal does not hold yet.
    unkept: usize,
    /// How often it stands in the order.
    times: usize,
}

impl Recent {
    pub(super) fn add(&mut self, note: &Arc<Note>, kept: Kept) {
        self.forget(note.at);
        let unkept = usize::from(kept == Kept::NotYet);
        match self.notes.entry(note.call.clone()) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                Arc::make_mut(&mut known.note).merge(note);
                known.times += 1;
                known.unkept += unkept;
            }
            Entry::Vacant(place) => {
                place.insert(RecentCall { note: Arc::clone(note), unkept, times: 1 });
            }
        }
        self.order.push_back((note.at, note.call.clone()));
    }

    /// The journal holds it now, or will never.
    pub(super) fn kept(&mut self, note: &Note) {
        if let Some(known) = self.notes.get_mut(&note.call) {
            known.unkept = known.unkept.saturating_sub(1);
        }
    }

    pub(super) fn get(&self, call: &CallName) -> Option<(Call, Kept)> {
        let known = self.notes.get(call)?;
        let kept = if known.unkept == 0 { Kept::Already } else { Kept::NotYet };
        Some((known.note.as_call(), kept))
    }

    fn forget(&mut self, now: Timestamp) {
        let is_old = |at: &Timestamp| now.duration_since(*at) > MEMORY;
        while self.order.front().is_some_and(|(at, _)| is_old(at)) || self.order.len() > MOST {
            let Some((_, call)) = self.order.pop_front() else { return };
            if let Some(known) = self.notes.get_mut(&call) {
                known.times = known.times.saturating_sub(1);
                if known.times == 0 {
                    self.notes.remove(&call);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallCenterName, VendorCallKey};

    fn note(key: &str, second: i64) -> Arc<Note> {
        let center = CallCenterName::parse("Main").unwrap();
        let name = CallName::new(center, VendorCallKey::parse(key).unwrap(), None);
        let at = Timestamp::from_second(second).unwrap();
        Arc::new(Note { ended_at: Some(at), ..Note::of(name, at) })
    }

    #[test]
    fn what_is_learned_of_a_call_is_remembered_for_a_minute_and_as_one() {
        let mut recent = Recent::default();
        let (first, second) = (note("wxcc_1", 0), note("wxcc_1", 50));
        let routed = Arc::new(Note { routed_at: Some(first.at), ended_at: None, ..Note::clone(&first) });
        recent.add(&routed, Kept::NotYet);
        recent.add(&second, Kept::Already);
        let (call, kept) = recent.get(&second.call).unwrap();
        assert_eq!((call.routed_at, call.ended_at, kept), (routed.routed_at, second.ended_at, Kept::NotYet));
        recent.kept(&routed);
        assert_eq!(recent.get(&second.call).unwrap().1, Kept::Already);
        recent.add(&note("wxcc_2", 70), Kept::Already);
        assert!(recent.get(&second.call).is_some());
        recent.add(&note("wxcc_3", 111), Kept::Already);
        assert!(recent.get(&second.call).is_none());
        assert_eq!((recent.notes.len(), recent.order.len()), (2, 2));
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let mut recent = Recent::default();
        for number in 0..MOST + 10 {
            recent.add(&note(&format!("wxcc_{number}"), 0), Kept::Already);
        }
        assert!(recent.notes.len() <= MOST + 1);
    }
}
