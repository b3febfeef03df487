//! The updates that the bridge has sent to Salesforce of a call, stored with the events of its task: so nothing is sent
//! twice, and whatever is learned afterwards is known to be new.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::CallName;
use super::event::millisecond;
use super::{CallTimeline, EventKind, TaskEvent};

/// An update that is stored for Salesforce: a final one, or one that corrects it. Or the final update of another sender.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SentUpdate {
    /// The call of the task.
    call: String,
    /// The number of this update among those of the call.
    number: usize,
    /// The content; none where the final update was sent by another sender.
    #[serde(rename = "said", default, skip_serializing_if = "Option::is_none")]
    content: Option<UpdateContent>,
}

/// The content of an update.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UpdateContent {
    /// `startTime`.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// `endTime`.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// A hash over the other fields.
    pub digest: String,
    /// A hash over `callAttributes`, which are stored apart: their sources are deleted before the timeline is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    /// Whether the update reports that the call was abandoned.
    pub is_abandonment: bool,
    /// Whether the update reports that the caller had chosen to be called back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_callback: bool,
    /// Whether it contains nothing but start, end and reason: from a flow, or for a contact center without enrichment.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_plain: bool,
}

/// The outcome of a call for its caller, in the order of precedence: an update never goes back to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallOutcome {
    /// The caller gave up.
    Abandoned,
    /// The caller chose to be called back, and no agent reached them.
    Callback,
    /// An agent had the call.
    Answered,
}

impl UpdateContent {
    /// The outcome that the update reports.
    pub fn outcome(&self) -> CallOutcome {
        match (self.is_abandonment, self.is_callback) {
            (true, _) => CallOutcome::Abandoned,
            (false, true) => CallOutcome::Callback,
            (false, false) => CallOutcome::Answered,
        }
    }

    /// Whether `now` is worth sending after this update. A plain one is complete but for the outcome, or completed by its
    /// sender.
    pub fn is_corrected_by(&self, now: &Self) -> bool {
        let is_theirs = self.is_plain && self.outcome() < CallOutcome::Answered;
        now != self && now.outcome() >= self.outcome() && (now.outcome() > self.outcome() || !is_theirs)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The final update of a call, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalUpdateState<'a> {
    /// None was sent.
    Unknown,
    /// The bridge sent it; this is the content of its last update.
    Ours(&'a UpdateContent),
    /// Another sender sent it: the bridge sends none.
    Others,
}

impl CallTimeline {
    /// The state of the final update of a call.
    pub fn final_update(&self, call: &CallName) -> FinalUpdateState<'_> {
        match self.last_sent(&text(call)) {
            None => FinalUpdateState::Unknown,
            Some(SentUpdate { content: Some(content), .. }) => FinalUpdateState::Ours(content),
            Some(SentUpdate { content: None, .. }) => FinalUpdateState::Others,
        }
    }

    /// The event for the next update of a call; `content`: none where another sender has sent the final update.
    pub fn sent_update(&self, call: &CallName, content: Option<UpdateContent>) -> TaskEvent {
        let call = text(call);
        let number = self.last_sent(&call).map_or(0, |update| update.number + 1);
        TaskEvent {
            at: None,
            id: format!("told:{number}:{call}"),
            kind: EventKind::UpdateSent(SentUpdate { call, number, content }),
            queue: None,
            agent: None,
            direction: None,
        }
    }

    fn last_sent(&self, call: &str) -> Option<&SentUpdate> {
        let update = self.events().filter_map(|event| match &event.kind {
            EventKind::UpdateSent(update) if update.call == call => Some(update),
            _ => None,
        });
        update.max_by_key(|update| update.number)
    }
}

/// The contact center, and the parent of a transfer; the key is that of the task.
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

    fn content(digest: &str) -> UpdateContent {
        let end = Some(Timestamp::UNIX_EPOCH);
        UpdateContent {
            start: None,
            end,
            digest: digest.into(),
            fields: None,
            is_abandonment: false,
            is_callback: false,
            is_plain: false,
        }
    }

    #[test]
    fn an_update_is_corrected_only_by_a_stronger_outcome_or_an_enriched_one() {
        let update = |outcome, is_plain, digest: &str| UpdateContent {
            is_abandonment: outcome == CallOutcome::Abandoned,
            is_callback: outcome == CallOutcome::Callback,
            is_plain,
            ..content(digest)
        };
        let all = [CallOutcome::Abandoned, CallOutcome::Callback, CallOutcome::Answered];
        for (before, now, is_plain) in all
            .iter()
            .flat_map(|one| all.iter().flat_map(move |other| [(one, other, false), (one, other, true)]))
        {
            let (first, second) = (update(*before, is_plain, ""), update(*now, false, "more"));
            assert_eq!((first.outcome(), second.outcome()), (*before, *now));
            let corrects = now > before || now == before && (!is_plain || *now == CallOutcome::Answered);
            assert_eq!(first.is_corrected_by(&second), corrects, "{before:?} {now:?} {is_plain}");
            assert!(!first.is_corrected_by(&first));
        }
    }

    #[test]
    fn the_last_update_of_a_call_counts_in_any_order_of_reading() {
        let mut timeline = CallTimeline::default();
        let (call, transfer) = (name(None), name(Some("wxcc_0")));
        assert_eq!(timeline.final_update(&call), FinalUpdateState::Unknown);
        let mut marks = Vec::new();
        for digest in ["a", "b", "a"] {
            let mark = timeline.sent_update(&call, Some(content(digest)));
            timeline.apply(mark.clone());
            marks.push(mark);
            assert_eq!(timeline.final_update(&call), FinalUpdateState::Ours(&content(digest)));
        }
        timeline.apply(timeline.sent_update(&transfer, None));
        assert_eq!(timeline.final_update(&transfer), FinalUpdateState::Others);
        let backwards: CallTimeline = marks.into_iter().rev().collect();
        assert_eq!(backwards.final_update(&call), FinalUpdateState::Ours(&content("a")));
        assert_eq!(backwards.final_update(&transfer), FinalUpdateState::Unknown);
        let stored: CallTimeline = serde_json::from_str(&serde_json::to_string(&timeline).unwrap()).unwrap();
        assert_eq!(stored, timeline);
    }
}
