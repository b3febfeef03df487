//! A task as Webex's records have it after its end. It replaces webhooks that were lost.

use jiff::Timestamp;

use crate::phone::PhoneNumber;

/// A telephony task that has ended, by Webex's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedTask {
    /// Its id: the interaction id of the flow, `data.taskId` of the webhooks.
    pub id: String,
    /// When it began.
    pub began: Option<Timestamp>,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether the record is active nevertheless: then the end is that of a consulted party.
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
    /// How the call was handled; none where the record has no counts.
    pub handling: Option<CallHandling>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// Why, in free words.
    pub reason: Option<String>,
    /// The activities, the oldest first. Empty where Webex did not give all of them with their times.
    pub history: Vec<TaskActivity>,
    /// Counts and durations, independent of the activities.
    pub figures: TaskFigures,
    /// Whether the caller has chosen to be called back.
    pub is_callback: bool,
    /// Whether there is, or will be, a recording.
    pub has_capture: bool,
}

/// How a call was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallHandling {
    /// An agent had the call.
    Answered,
    /// The caller was queued and hung up before an agent accepted.
    Abandoned,
    /// The call ended before it was queued.
    LeftInIvr,
    /// The caller has chosen to be called back, and no agent has reached them.
    Callback,
}

/// One activity of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskActivity {
    /// The type of the webhook for it, such as `task:connected`.
    pub event: String,
    /// When.
    pub at: Timestamp,
}

/// Counts, and durations in milliseconds; none where the record has no figure.
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
    /// The handling of a call without a callback. A call that was connected once was answered. Else it was abandoned
    /// if Webex marks it so, or if it was queued; never queued, it ended in the IVR. Missing counts give none.
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
