//! From a task of Search to what the bridge works with.

use crate::domain::{CallHandling, EndedTask, EventKind, TaskActivity, TaskFigures};
use crate::webex::{SearchActivities, SearchTask};

/// Activities by which an agent gives the call away. Webhooks tell of them by what follows only, if anything does.
const TRANSFER_ACTIVITIES: [&str; 4] = ["Transferred", "ConsultTransfer", "blind-transfer", "vt-transfer"];

/// Activities that are events of webhooks too; Search leaves out `task:`.
const WEBHOOK_ACTIVITIES: [&str; 15] = [
    "new",
    "parked",
    "optOutOfQueue",
    "callbackFailed",
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

/// Those of them that only a callback has.
const CALLBACK_EVENTS: [&str; 2] = ["task:optOutOfQueue", "task:callbackFailed"];

/// A record without an id is that of no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record of Search has no id")]
pub struct MissingTaskId;

/// A task that has ended; none for what has no end or is no telephony.
///
/// # Errors
/// When the record has no id.
pub fn ended_task(task: SearchTask) -> Result<Option<EndedTask>, MissingTaskId> {
    let is_telephony =
        task.channel_type.as_deref().is_none_or(|channel| channel.eq_ignore_ascii_case("telephony"));
    let id = task.id.ok_or(MissingTaskId)?;
    let Some(ended) = task.ended_time.filter(|_| is_telephony) else { return Ok(None) };
    let is_abandoned =
        task.contact_handle_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("abandoned"));
    let history = task.activities.as_ref().map(history).unwrap_or_default();
    let tells_callback = |each: &TaskActivity| CALLBACK_EVENTS.contains(&each.event.as_str());
    let is_callback = task.is_callback == Some(true) || history.iter().any(tells_callback);
    let handling = CallHandling::of(task.connected_count, task.queue_count, is_abandoned);
    Ok(Some(EndedTask {
        handling: handling.map(|handling| match handling {
            CallHandling::Abandoned | CallHandling::LeftInIvr if is_callback => CallHandling::Callback,
            handling => handling,
        }),
        is_callback,
        history,
        figures: TaskFigures {
            connected: task.connected_count.unwrap_or_default(),
            connected_for: task.connected_duration,
            holds: task.hold_count,
            held_for: task.hold_duration,
            queued: task.queue_count.unwrap_or_default(),
            queued_for: task.queue_duration.unwrap_or_default(),
        },
        id,
        began: task.created_time,
        ended,
        is_active: task.is_active == Some(true),
        direction: task.direction,
        origin: task.origin,
        destination: task.destination,
        queue: task.last_queue.and_then(|queue| queue.id),
        agent: task.last_agent.and_then(|agent| agent.id),
        ended_by: task.terminating_end,
        // `terminationType` says how it ended, such as `normal`: that is no reason.
        reason: task.termination_reason,
        has_capture: task.capture_requested == Some(true),
    }))
}

/// All of it or nothing: half a history would tell another story.
fn history(activities: &SearchActivities) -> Vec<TaskActivity> {
    let Some(mut timed) = activities.whole() else { return Vec::new() };
    // Search shows the newest first; among those of the same moment, that order is the only one there is.
    timed.reverse();
    timed.sort_by_key(|(_, at)| *at);
    let event = |name: &str| match name {
        name if WEBHOOK_ACTIVITIES.contains(&name) => Some(format!("task:{name}")),
        name if TRANSFER_ACTIVITIES.contains(&name) => Some(EventKind::Transferred.name().to_owned()),
        _ => None,
    };
    timed.into_iter().filter_map(|(name, at)| Some(TaskActivity { event: event(name)?, at })).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(task: Value) -> Option<EndedTask> {
        ended_task(serde_json::from_value(task).unwrap()).unwrap()
    }

    #[test]
    fn only_telephony_that_has_ended_counts() {
        assert!(read(json!({ "id": "t", "endedTime": 5, "channelType": "telephony" })).is_some());
        assert!(read(json!({ "id": "t", "endedTime": 5, "channelType": "chat" })).is_none());
        assert!(read(json!({ "id": "t", "endedTime": 5, "isActive": true })).unwrap().is_active);
        assert!(read(json!({ "id": "t", "isActive": false })).is_none());
        assert_eq!(
            ended_task(serde_json::from_value(json!({ "id": null, "endedTime": 5 })).unwrap()),
            Err(MissingTaskId)
        );
    }

    #[test]
    fn how_a_task_ended_is_no_reason_where_none_is_given() {
        let reason = |fields: Value| {
            let mut task = json!({ "id": "t", "endedTime": 5, "terminationType": "normal" });
            task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            read(task).unwrap().reason
        };
        assert_eq!(reason(json!({ "terminationReason": null })), None);
        assert_eq!(reason(json!({})), None);
        assert_eq!(reason(json!({ "terminationReason": "left" })).as_deref(), Some("left"));
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
        for odd in [
            json!({ "nodes": [{ "eventName": "new" }] }),
            json!({ "nodes": null }),
            json!({ "nodes": [null, { "eventName": "new", "createdTime": 1 }] }),
            json!({ "nodes": "none" }),
            json!(null),
            json!([7]),
        ] {
            assert_eq!(task(odd.clone()).history, [], "{odd}");
        }
        let in_text = json!({ "totalCount": "1", "nodes": [{ "eventName": "new", "createdTime": "1.4" }] });
        assert_eq!(task(in_text).history.len(), 1);
    }
}
