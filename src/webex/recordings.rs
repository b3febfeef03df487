//! Recordings of tasks, by the Captures API. The signed address of a recording expires within the hour: it is not even read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::client::{ApiClient, ApiRequest, WebexError};
use crate::domain::{AnnouncedRecordings, FileName, FlowTime, Recording, TaskId};
use crate::telemetry::Metrics;

/// The most tasks that one query may name.
const TASKS_PER_QUERY: usize = 10;

/// The `callType` of the caller's own call; others are `consult` and `va-...`.
const CALLERS_CALL: &str = "main";

/// Recordings by task.
pub type Recordings = BTreeMap<String, Vec<Recording>>;

/// The answer of the Captures API. Each record is parsed by itself, so that a malformed one does not affect the others.
#[derive(Deserialize)]
struct CapturesAnswer {
    data: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskCaptures {
    task_id: String,
    recording: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct CaptureRecord {
    attributes: Option<CaptureAttributes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CaptureAttributes {
    call_type: Option<Value>,
    file_name: Option<String>,
    start_time: Option<Value>,
    stop_time: Option<Value>,
}

impl ApiClient {
    /// The recordings of these tasks, as far as there are any; ten tasks a query.
    ///
    /// # Errors
    /// When Webex gives none; nothing is known then, also of those that it gave before.
    pub async fn recordings(&self, org_id: &str, tasks: &[String]) -> Result<Recordings, WebexError> {
        let mut all = Recordings::new();
        for tasks in tasks.chunks(TASKS_PER_QUERY) {
            let query = json!({ "orgId": org_id, "taskIds": tasks, "urlExpiration": 1 });
            let body = json!({ "query": query });
            let ask = ApiRequest { method: Method::POST, path: "/v1/captures/query", body: Some(body) };
            let answered: CapturesAnswer = self.ask(&ask).await?;
            add(answered, &mut all);
        }
        Ok(all)
    }
}

/// Adds the records that can be parsed, and logs how many cannot.
fn add(answered: CapturesAnswer, all: &mut Recordings) {
    let mut skipped = 0_usize;
    for captured in answered.data.unwrap_or_default() {
        let Ok(captured) = serde_json::from_value::<TaskCaptures>(captured) else {
            skipped += 1;
            continue;
        };
        let files = all.entry(captured.task_id).or_default();
        for recorded in captured.recording.unwrap_or_default() {
            match serde_json::from_value::<CaptureRecord>(recorded) {
                Ok(recorded) => files.extend(file(recorded)),
                Err(_) => skipped += 1,
            }
        }
    }
    if skipped > 0 {
        tracing::warn!(skipped, "Webex lists recordings that cannot be read; those beside them are taken");
    }
}

/// A recording of the caller's call whose file has a name. A consult is recorded under the same task, and is not the
/// caller's call.
fn file(recorded: CaptureRecord) -> Option<Recording> {
    let attributes = recorded.attributes?;
    let kind = attributes.call_type.as_ref().and_then(Value::as_str);
    if kind.is_some_and(|kind| !kind.trim().is_empty() && !kind.trim().eq_ignore_ascii_case(CALLERS_CALL)) {
        return None;
    }
    let file = FileName::parse(attributes.file_name?).ok()?;
    let [started, stopped] = [attributes.start_time, attributes.stop_time].map(|time| moment(&time?));
    Some(Recording { started, stopped, file })
}

/// Epoch milliseconds, as a number or as text, or RFC 3339.
fn moment(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::String(text) => FlowTime::parse(text),
        other => FlowTime::from_epoch(other.as_f64()?),
    };
    time.ok().map(FlowTime::timestamp)
}

/// How long to wait for an answer: the tasks of the query are leased meanwhile.
pub(super) const RECORDINGS_WITHIN: Duration = Duration::from_secs(5);
/// How long no query is sent after one without an answer.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);
/// The shortest and the longest time between two queries for the same recording.
const PAUSE_BOUNDS: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(30), SignedDuration::from_hours(6));
/// The longest time until the next query after one without an answer.
const PAUSE_IF_UNANSWERED: SignedDuration = SignedDuration::from_mins(2);
/// How long an announced recording is queried.
const ASK_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long it is where the last query had no answer: that Webex has none is not known then.
const ASK_FOR_UNANSWERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Queries recordings; one for each process.
pub struct RecordingClient {
    client: Arc<ApiClient>,
    org_id: String,
    metrics: Arc<Metrics>,
    /// Until when no query is sent.
    paused: Mutex<Option<Timestamp>>,
}

impl RecordingClient {
    /// Queries with `client` for recordings of this organisation.
    pub fn new(client: Arc<ApiClient>, org_id: String, metrics: Arc<Metrics>) -> Self {
        Self { client, org_id, metrics, paused: Mutex::default() }
    }

    /// The recordings of these tasks that there are by now; or until when no query is sent.
    pub(super) async fn ask(&self, tasks: &[TaskId], now: Timestamp) -> Result<Recordings, Timestamp> {
        if let Some(until) = self.paused().filter(|until| *until > now) {
            return Err(until);
        }
        let (client, org_id) = (Arc::clone(&self.client), self.org_id.clone());
        let ids: Vec<String> = tasks.iter().map(ToString::to_string).collect();
        // The request runs in a task of its own, which the timeout does not cancel: it may be renewing the token.
        let asking = tokio::spawn(async move { client.recordings(&org_id, &ids).await });
        let (error, pause) = match timeout(RECORDINGS_WITHIN, asking).await {
            Ok(Ok(Ok(recordings))) => return Ok(recordings),
            Ok(Ok(Err(WebexError::Limited { after }))) => ("Webex limits our requests".to_owned(), after),
            Ok(Ok(Err(error))) => (error.to_string(), PAUSE_AFTER_FAILURE),
            Ok(Err(broken)) => (broken.to_string(), PAUSE_AFTER_FAILURE),
            Err(_) => (format!("no answer within {} s", RECORDINGS_WITHIN.as_secs()), PAUSE_AFTER_FAILURE),
        };
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        tracing::warn!(
            tasks = tasks.len(),
            error,
            "recordings cannot be asked for; again in {} s",
            pause.as_secs().max(1)
        );
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        Err(until)
    }

    /// Counts the result of a query for one task.
    pub(super) fn count(&self, outcome: &'static str) {
        self.metrics.recording_query(outcome);
    }

    fn paused(&self) -> Option<Timestamp> {
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When to query again a recording that was queried in vain: after half of the time since its announcement; after a query
/// without an answer, within minutes, but not before `earliest`. None: never again.
pub(super) fn again(
    announced: AnnouncedRecordings,
    ended_at: Timestamp,
    now: Timestamp,
    earliest: Option<Timestamp>,
) -> Option<Timestamp> {
    let since = announced.at.unwrap_or(ended_at);
    let waited = now.duration_since(since).max(SignedDuration::ZERO);
    let (shortest, longest) = PAUSE_BOUNDS;
    let (longest, ask_for) = match earliest {
        Some(_) => (PAUSE_IF_UNANSWERED, ASK_FOR_UNANSWERED),
        None => (longest, ASK_FOR),
    };
    if waited >= ask_for {
        return None;
    }
    let half = SignedDuration::from_millis(i64::try_from(waited.as_millis() / 2).unwrap_or(i64::MAX));
    let last = since.max(now).checked_add(ask_for.saturating_sub(waited)).unwrap_or(Timestamp::MAX);
    let next = now.checked_add(half.clamp(shortest, longest)).unwrap_or(Timestamp::MAX).min(last);
    Some(earliest.map_or(next, |earliest| next.max(earliest)))
}

#[cfg(test)]
mod captures_tests {
    use super::*;

    fn files(answer: Value) -> Vec<(String, Vec<String>)> {
        let mut all = Recordings::new();
        add(serde_json::from_value(answer).unwrap(), &mut all);
        let names =
            |files: Vec<Recording>| files.into_iter().map(|file| file.file.expose().to_owned()).collect();
        all.into_iter().map(|(task, files)| (task, names(files))).collect()
    }

    fn recorded(name: &str, call_type: &Value) -> Value {
        json!({ "attributes": { "fileName": name, "callType": call_type, "startTime": 1, "stopTime": 2 } })
    }

    #[test]
    fn only_the_callers_own_call_counts() {
        let recording = [
            recorded("main.wav", &json!("main")),
            recorded("Main.wav", &json!(" MAIN ")),
            recorded("consult.wav", &json!("consult")),
            recorded("va.wav", &json!("va-main")),
            recorded("unsaid.wav", &json!(null)),
        ];
        let found = files(json!({ "data": [{ "taskId": "t", "recording": recording }] }));
        assert_eq!(
            found,
            [("t".to_owned(), vec!["main.wav".into(), "Main.wav".into(), "unsaid.wav".into()])]
        );
    }

    #[test]
    fn one_odd_record_keeps_none_beside_it() {
        let data = json!([
            null, 7, { "recording": [] }, { "taskId": "nothing", "recording": null },
            { "taskId": "t", "recording": [null, "x", { "attributes": null }, recorded("a.wav", &json!("main"))] },
        ]);
        let found = files(json!({ "data": data }));
        assert_eq!(found, [("nothing".to_owned(), vec![]), ("t".to_owned(), vec!["a.wav".into()])]);
        assert_eq!(files(json!({ "data": null })), []);
    }
}

#[cfg(test)]
mod recorder_tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn announced(second: i64) -> AnnouncedRecordings {
        AnnouncedRecordings { times: 1, at: Some(at(second)) }
    }

    #[test]
    fn the_questions_come_further_and_further_apart_and_end_after_a_day() {
        let mut now = 10;
        let mut asked = vec![now];
        while let Some(next) = again(announced(0), at(-60), at(now), None) {
            now = next.as_second() - at(0).as_second();
            asked.push(now);
        }
        assert_eq!(asked[..5], [10, 40, 70, 105, 157]);
        assert_eq!(asked.last(), Some(&86_400));
        assert!(asked.len() < 30, "{asked:?}");
    }

    #[test]
    fn what_webex_has_not_answered_is_asked_again_within_minutes_however_old_the_call_is() {
        assert_eq!(again(announced(0), at(0), at(40_000), Some(at(40_010))), Some(at(40_120)));
        assert_eq!(again(announced(0), at(0), at(40_000), Some(at(40_900))), Some(at(40_900)));
        assert_eq!(again(announced(0), at(0), at(40_000), None), Some(at(60_000)));
        // A day after it was announced only an answer ends it: else a pause in that moment would.
        assert_eq!(again(announced(0), at(0), at(90_000), Some(at(90_021))), Some(at(90_120)));
        assert_eq!(again(announced(0), at(0), at(90_120), None), None);
        assert_eq!(again(announced(0), at(0), at(7 * 86_400), Some(at(604_821))), None);
    }

    proptest! {
        #[test]
        fn a_requested_pause_is_kept_and_requests_are_half_a_minute_apart(
            since in -100_i64..100_000, now in 0_i64..200_000, pause in proptest::option::of(0_i64..10_000),
        ) {
            let earliest = pause.map(|pause| at(now + pause));
            match again(announced(since), at(0), at(now), earliest) {
                Some(next) => {
                    let days = if pause.is_some() { 7 } else { 1 };
                    let end = at(since.max(now) + days * 86_400).max(earliest.unwrap_or(at(0)));
                    prop_assert!(next > at(now) && next <= end && earliest.is_none_or(|earliest| next >= earliest));
                    prop_assert!(next >= at(now + 30) || next == at(since + days * 86_400));
                }
                None => prop_assert!(now - since >= 86_400),
            }
        }
    }
}
