//! What Webex says of a call afterwards: the ground on which a call is closed whose events were lost.

use jiff::Timestamp;

use crate::phone::PhoneNumber;

/// A telephony task that has ended, as Webex's own records have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedTask {
    /// Its id: the interaction id of the flow, `data.taskId` of the webhooks.
    pub id: String,
    /// When it began.
    pub began: Option<Timestamp>,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether the record says all the same that it is active: the end is then that of a consulted party.
    pub is_active: bool,
    /// `inbound`, `outbound`, `outdial`.
    pub direction: Option<String>,
    /// The caller's number.
    pub origin: Option<PhoneNumber>,
    /// The dialed number.
    pub destination: Option<PhoneNumber>,
    /// Webex's id of the last queue.
    pub queue: Option<String>,
    /// Webex's id of the last agent.
    pub agent: Option<String>,
    /// What became of the caller; none where the record does not say.
    pub handling: Option<CallHandling>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// Why, in free words.
    pub reason: Option<String>,
    /// What happened, the oldest first. Empty where Webex did not give all of it with its times.
    pub history: Vec<TaskActivity>,
    /// How often and how long, whatever the history says.
    pub figures: TaskFigures,
    /// Whether the caller has chosen to be called back.
    pub is_callback: bool,
    /// Whether a recording will come, or has.
    pub has_capture: bool,
}

/// What became of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallHandling {
    /// An agent had the call.
    Answered,
    /// The caller was queued and left before an agent came.
    Abandoned,
    /// The call ended before it was queued.
    LeftInIvr,
    /// The caller has chosen to be called back, and no agent has reached them.
    Callback,
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskActivity {
    /// In the words of the webhooks: `task:connected`.
    pub event: String,
    /// When.
    pub at: Timestamp,
}

/// Counts, and durations in milliseconds. None where the record does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskFigures {
    /// How often an agent was connected.
    pub connected: u32,
    /// How long agents talked.
    pub connected_for: Option<u64>,
    /// How often it was on hold.
    pub holds: Option<u32>,
    /// How long it was on hold.
    pub held_for: Option<u64>,
    /// How often it was queued.
    pub queued: u32,
    /// How long it was queued.
    pub queued_for: u64,
}

impl CallHandling {
    /// Of a call without a callback. Abandoned: Webex says so, or the call was queued and never connected; never connected and never queued: it
    /// ended in the IVR. Whoever was connected once has not abandoned. What the record leaves out is none.
    #[must_use]
    pub fn of(connected: Option<u32>, queued: Option<u32>, is_marked_abandoned: bool) -> Option<Self> {
        match (connected, queued) {
            (Some(1..), _) => Some(Self::Answered),
            _ if is_marked_abandoned => Some(Self::Abandoned),
            (Some(0), Some(0)) => Some(Self::LeftInIvr),
            (Some(0), Some(_)) => Some(Self::Abandoned),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_abandoned_only_if_nobody_was_connected() {
        use CallHandling::{Abandoned, Answered, LeftInIvr};
        for (connected, queued, marked, wanted) in [
            (Some(1), Some(1), false, Some(Answered)),
            (Some(2), None, true, Some(Answered)),
            (Some(0), Some(1), false, Some(Abandoned)),
            (Some(0), Some(0), false, Some(LeftInIvr)),
            (Some(0), Some(0), true, Some(Abandoned)),
            (None, None, true, Some(Abandoned)),
            (None, Some(1), false, None),
            (Some(0), None, false, None),
        ] {
            assert_eq!(
                CallHandling::of(connected, queued, marked),
                wanted,
                "{connected:?} {queued:?} {marked}"
            );
        }
    }
}
