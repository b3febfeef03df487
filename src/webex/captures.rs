//! Recordings of tasks. The address of a recording is signed and dies within the hour: it is not even read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{ApiClient, ApiRequest, WebexError};
use crate::domain::{FileName, FlowTime, Recording};

/// The most tasks that one query may name.
const TASKS_PER_QUERY: usize = 10;

/// The `callType` of the caller's own call; others are `consult` and `va-...`.
const MAIN_CALL: &str = "main";

/// Recordings by task.
pub type Recordings = BTreeMap<String, Vec<Recording>>;

/// One odd record must not keep those beside it: each is read by itself.
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

/// Adds what can be read, and tells how much could not.
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
/// caller's.
fn file(recorded: CaptureRecord) -> Option<Recording> {
    let attributes = recorded.attributes?;
    let kind = attributes.call_type.as_ref().and_then(Value::as_str);
    if kind.is_some_and(|kind| !kind.trim().is_empty() && !kind.trim().eq_ignore_ascii_case(MAIN_CALL)) {
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

#[cfg(test)]
mod tests {
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
