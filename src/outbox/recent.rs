//! What this process has learned of calls in the last minute. The journal says more, but while its database stands still
//! nobody can read it, and a create that is repeated meanwhile must not make a second VoiceCall.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::{SignedDuration, Timestamp};

use crate::domain::{Call, CallCenterName, CallName, VoiceCallId};
use crate::store::Note;

/// For how long it is remembered at least: a database that does not answer for longer has failed, and flows repeat within
/// seconds.
const MEMORY: SignedDuration = SignedDuration::from_secs(60);
/// How many of the last calls are remembered at least, however fast they come, some 5 MB: what a contact center's Salesforce
/// takes in a minute is far less.
const MOST: usize = 5_000;

/// Whether the journal holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It does.
    Already,
    /// It is still to be written.
    NotYet,
}

/// Notes, one for each call of a generation. The older generation is forgotten as one when the newer is a minute old or full:
/// to look for what is too old, note by note, cost a create more than to remember it. What the journal does not hold yet is
/// remembered until it does, or will never.
#[derive(Default)]
pub(super) struct Recent {
    newer: Generation,
    older: Generation,
    unkept: Notes,
}

type Notes = HashMap<CallName, RecentCall, RandomState>;

#[derive(Default)]
struct Generation {
    notes: Notes,
    began_at: Option<Timestamp>,
}

struct RecentCall {
    note: Arc<Note>,
    /// What the journal does not hold yet.
    unkept: usize,
}

impl Generation {
    fn is_over(&self, now: Timestamp) -> bool {
        let is_old = self.began_at.is_some_and(|began| now.duration_since(began).abs() > MEMORY);
        is_old || self.notes.len() >= MOST
    }
}

/// Adds what is known of a call to what was.
fn add(notes: &mut Notes, call: CallName, known: RecentCall) {
    match notes.entry(call) {
        Entry::Occupied(mut before) => {
            let before = before.get_mut();
            Arc::make_mut(&mut before.note).merge(&known.note);
            before.unkept += known.unkept;
        }
        Entry::Vacant(place) => {
            place.insert(known);
        }
    }
}

impl Recent {
    pub(super) fn add(&mut self, note: &Arc<Note>, kept: Kept) {
        // A clock that was set back ends a generation too.
        if self.newer.is_over(note.at) {
            let over = std::mem::replace(&mut self.older, std::mem::take(&mut self.newer));
            let unkept = over.notes.into_iter().filter(|(_, known)| known.unkept > 0);
            for (call, known) in unkept.take(MOST.saturating_sub(self.unkept.len())) {
                add(&mut self.unkept, call, known);
            }
        }
        self.newer.began_at.get_or_insert(note.at);
        let known = RecentCall { note: Arc::clone(note), unkept: usize::from(kept == Kept::NotYet) };
        add(&mut self.newer.notes, note.call.clone(), known);
    }

    /// The journal holds it now, or will never.
    pub(super) fn kept(&mut self, note: &Note) {
        let all = [&mut self.newer.notes, &mut self.older.notes, &mut self.unkept];
        let mut held = all.into_iter().filter_map(|notes| notes.get_mut(&note.call));
        let known = held.find(|known| known.unkept > 0);
        drop(held);
        if let Some(known) = known {
            known.unkept -= 1;
        }
        if self.unkept.get(&note.call).is_some_and(|known| known.unkept == 0) {
            self.unkept.remove(&note.call);
        }
    }

    /// The name of the call with this id, for who cannot ask the journal: rare enough to look through all.
    pub(super) fn named(&self, center: &CallCenterName, id: &VoiceCallId) -> Option<CallName> {
        let all = [&self.newer.notes, &self.older.notes, &self.unkept];
        let mut notes = all.into_iter().flat_map(HashMap::values).map(|known| &known.note);
        let is_meant =
            |note: &&Arc<Note>| note.call.call_center() == center && note.voice_call_id.as_ref() == Some(id);
        notes.find(is_meant).map(|note| note.call.clone())
    }

    pub(super) fn get(&self, call: &CallName) -> Option<(Call, Kept)> {
        let all = [&self.unkept, &self.older.notes, &self.newer.notes];
        let mut known = all.into_iter().filter_map(|notes| notes.get(call));
        let first = known.next()?;
        let (mut note, mut unkept) = (Arc::clone(&first.note), first.unkept);
        for known in known {
            Arc::make_mut(&mut note).merge(&known.note);
            unkept += known.unkept;
        }
        Some((note.as_call(), if unkept == 0 { Kept::Already } else { Kept::NotYet }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::VendorCallKey;

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
        let told = |recent: &Recent| {
            recent.get(&second.call).map(|(call, kept)| (call.routed_at, call.ended_at, kept))
        };
        assert_eq!(told(&recent), Some((routed.routed_at, second.ended_at, Kept::NotYet)));
        recent.kept(&routed);
        assert_eq!(told(&recent), Some((routed.routed_at, second.ended_at, Kept::Already)));
        recent.add(&note("wxcc_2", 110), Kept::Already);
        assert!(told(&recent).is_some(), "it is a minute old");
        recent.add(&note("wxcc_3", 171), Kept::Already);
        assert_eq!(told(&recent), None);
        assert_eq!((recent.older.notes.len(), recent.newer.notes.len()), (1, 1));
    }

    #[test]
    fn a_call_of_both_generations_is_told_as_one() {
        let mut recent = Recent::default();
        let (first, second) = (note("wxcc_1", 0), note("wxcc_1", 61));
        let created = Arc::new(Note { created_at: Some(first.at), ended_at: None, ..Note::clone(&first) });
        recent.add(&created, Kept::NotYet);
        recent.add(&second, Kept::NotYet);
        for expected in [Kept::NotYet, Kept::NotYet, Kept::Already] {
            let (call, kept) = recent.get(&first.call).unwrap();
            assert_eq!(
                (call.created_at, call.ended_at, kept),
                (created.created_at, second.ended_at, expected)
            );
            recent.kept(&first);
        }
    }

    #[test]
    fn what_the_journal_does_not_hold_is_remembered_until_it_does() {
        let mut recent = Recent::default();
        let first = note("wxcc_1", 0);
        recent.add(&first, Kept::NotYet);
        for number in 1..9 {
            recent.add(&note(&format!("wxcc_{number}0"), number * 61), Kept::Already);
        }
        assert_eq!(recent.get(&first.call).unwrap().1, Kept::NotYet);
        recent.add(&note("wxcc_1", 500), Kept::NotYet);
        for _ in 0..2 {
            assert_eq!(recent.get(&first.call).unwrap().1, Kept::NotYet);
            recent.kept(&first);
        }
        assert_eq!(recent.get(&first.call).unwrap().1, Kept::Already);
        assert!(recent.unkept.is_empty());
    }

    #[test]
    fn the_last_calls_are_remembered_and_no_more_than_there_is_room_for() {
        let mut recent = Recent::default();
        let all: Vec<_> = (0..3 * MOST).map(|number| note(&format!("wxcc_{number}"), 0)).collect();
        all.iter().for_each(|note| recent.add(note, Kept::Already));
        assert_eq!(recent.older.notes.len() + recent.newer.notes.len(), 2 * MOST);
        assert!(all.iter().rev().take(MOST).all(|note| recent.get(&note.call).is_some()));
    }
}
