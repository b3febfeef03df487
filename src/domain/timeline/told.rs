//! What the bridge has told Salesforce of a call, kept with the events of its task: so nothing is told twice, and what
//! is learned afterwards is known to be new.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::millisecond;
use super::{CallTimeline, Event, What};
use crate::domain::CallName;

/// A final update, or one that corrects it, has been kept for Salesforce; or somebody else had sent the final one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Told {
    /// Which of the task's calls.
    call: String,
    /// The how manieth of that call.
    number: usize,
    /// What was said; none where the final update was not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<Said>,
}

/// What an update said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Said {
    /// `startTime`.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// `endTime`.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// A hash over the other fields.
    pub digest: String,
    /// A hash over `callAttributes`, which are kept apart: what they were made of goes before the story does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    /// Whether it said that the call was abandoned.
    pub is_abandonment: bool,
}

/// What is known of a call's final update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Nothing.
    Unknown,
    /// It was ours, and this is what was said last.
    Ours(&'a Said),
    /// Somebody else has sent it: the call is left alone.
    Others,
}

impl CallTimeline {
    /// How far Salesforce has been told of a call.
    #[must_use]
    pub fn standing(&self, call: &CallName) -> Standing<'_> {
        match self.last_told(&text(call)) {
            None => Standing::Unknown,
            Some(Told { said: Some(said), .. }) => Standing::Ours(said),
            Some(Told { said: None, .. }) => Standing::Others,
        }
    }

    /// The mark for what is said next of a call; `said`: none where the final update turns out not to be ours.
    #[must_use]
    pub fn mark(&self, call: &CallName, said: Option<Said>) -> Event {
        let call = text(call);
        let number = self.last_told(&call).map_or(0, |told| told.number + 1);
        Event {
            at: None,
            id: format!("told:{number}:{call}"),
            what: What::Told(Told { call, number, said }),
            queue: None,
            agent: None,
            direction: None,
        }
    }

    fn last_told(&self, call: &str) -> Option<&Told> {
        let told = self.events().filter_map(|event| match &event.what {
            What::Told(told) if told.call == call => Some(told),
            _ => None,
        });
        told.max_by_key(|told| told.number)
    }
}

/// The contact center, and the parent of a transfer: the key is the task's.
fn text(call: &CallName) -> String {
    format!("{}/{}", call.call_center(), call.parent())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallCenterName, CallReference, VendorCallKey};

    fn name(parent: Option<&str>) -> CallName {
        let parent = parent.map(|parent| CallReference::parse(parent).unwrap());
        let (center, key) = (CallCenterName::parse("Sales"), VendorCallKey::parse("wxcc_1"));
        CallName::new(center.unwrap(), key.unwrap(), parent.as_ref())
    }

    fn said(digest: &str) -> Said {
        let end = Some(Timestamp::UNIX_EPOCH);
        Said { start: None, end, digest: digest.into(), fields: None, is_abandonment: false }
    }

    #[test]
    fn the_last_that_was_said_of_a_call_counts_in_whatever_order_it_is_read() {
        let mut timeline = CallTimeline::default();
        let (call, transfer) = (name(None), name(Some("wxcc_0")));
        assert_eq!(timeline.standing(&call), Standing::Unknown);
        let mut marks = Vec::new();
        for digest in ["a", "b", "a"] {
            let mark = timeline.mark(&call, Some(said(digest)));
            timeline.apply(mark.clone());
            marks.push(mark);
            assert_eq!(timeline.standing(&call), Standing::Ours(&said(digest)));
        }
        timeline.apply(timeline.mark(&transfer, None));
        assert_eq!(timeline.standing(&transfer), Standing::Others);
        let backwards: CallTimeline = marks.into_iter().rev().collect();
        assert_eq!(backwards.standing(&call), Standing::Ours(&said("a")));
        assert_eq!(backwards.standing(&transfer), Standing::Unknown);
        let kept: CallTimeline = serde_json::from_str(&serde_json::to_string(&timeline).unwrap()).unwrap();
        assert_eq!(kept, timeline);
    }
}
