//! From a task of Search to what the bridge works with.

use jiff::Timestamp;

use crate::domain::{EndedTask, Figures, Handling, Happening};
use crate::webex::{Activities, Task};

/// Activities that are events of webhooks too; Search leaves out `task:`.
const EVENTS: [&str; 13] = [
    "new",
    "parked",
    "connect",
    "connected",
    "on-hold",
    "hold-done",
    "consulting",
    "consult-done",
    "conferencing",
    "conference-done",
    "conference-transferred",
    "ended",
    "failed",
];

/// A task that is over; none for what goes on, has no end or is no telephony.
#[must_use]
pub fn ended_task(task: Task) -> Option<EndedTask> {
    let is_telephony =
        task.channel_type.as_deref().is_none_or(|channel| channel.eq_ignore_ascii_case("telephony"));
    if !is_telephony || task.is_active == Some(true) {
        return None;
    }
    let ended = task.ended_time?;
    let is_abandoned =
        task.contact_handle_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("abandoned"));
    Some(EndedTask {
        handling: Handling::of(task.connected_count, task.queue_count, is_abandoned),
        history: task.activities.as_ref().map(history).unwrap_or_default(),
        figures: Figures {
            connected: task.connected_count.unwrap_or_default(),
            connected_for: task.connected_duration.unwrap_or_default(),
            holds: task.hold_count.unwrap_or_default(),
            held_for: task.hold_duration.unwrap_or_default(),
            queued: task.queue_count.unwrap_or_default(),
            queued_for: task.queue_duration.unwrap_or_default(),
        },
        id: task.id,
        began: task.created_time,
        ended,
        direction: task.direction,
        origin: task.origin,
        destination: task.destination,
        queue: task.last_queue.and_then(|queue| queue.id),
        agent: task.last_agent.and_then(|agent| agent.id),
        ended_by: task.terminating_end,
        reason: task.termination_reason.or(task.termination_type),
        has_capture: task.capture_requested == Some(true),
    })
}

/// All of it or nothing: half a history would tell another story.
fn history(activities: &Activities) -> Vec<Happening> {
    let timed: Option<Vec<(&str, Timestamp)>> =
        activities.nodes.iter().map(|node| Some((node.event_name.as_str(), node.created_time?))).collect();
    let Some(mut timed) = timed.filter(|_| activities.are_whole()) else { return Vec::new() };
    // Search shows the newest first; among those of the same moment, that order is the only one there is.
    timed.reverse();
    timed.sort_by_key(|(_, at)| *at);
    let known = timed.into_iter().filter(|(name, _)| EVENTS.contains(name));
    known.map(|(name, at)| Happening { event: format!("task:{name}"), at }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(task: Value) -> Option<EndedTask> {
        ended_task(serde_json::from_value(task).unwrap())
    }

    #[test]
    fn only_telephony_that_is_over_counts() {
        assert!(read(json!({ "id": "t", "endedTime": 5, "channelType": "telephony" })).is_some());
        assert!(read(json!({ "id": "t", "endedTime": 5, "channelType": "chat" })).is_none());
        assert!(read(json!({ "id": "t", "endedTime": 5, "isActive": true })).is_none());
        assert!(read(json!({ "id": "t", "isActive": false })).is_none());
    }

    #[test]
    fn a_history_is_told_from_the_oldest_on_in_the_words_of_webhooks() {
        let nodes = json!([
            { "eventName": "ended", "createdTime": 9 },
            { "eventName": "recording-started", "createdTime": 7 },
            { "eventName": "connected", "createdTime": 7 },
            { "eventName": "new", "createdTime": 1 },
        ]);
        let task =
            |activities: Value| read(json!({ "id": "t", "endedTime": 9, "activities": activities })).unwrap();
        let whole = task(json!({ "totalCount": 4, "nodes": nodes }));
        let told: Vec<_> =
            whole.history.iter().map(|each| (each.event.as_str(), each.at.as_millisecond())).collect();
        assert_eq!(told, [("task:new", 1), ("task:connected", 7), ("task:ended", 9)]);
        assert_eq!(task(json!({ "totalCount": 5, "nodes": nodes })).history, []);
        assert_eq!(task(json!({ "nodes": [{ "eventName": "new" }] })).history, []);
    }
}
