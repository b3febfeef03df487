//! Recordings of tasks. The address of a recording is signed and dies within the hour: it is not even read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Ask, AskError, Client};
use crate::domain::{FileName, FlowTime, Recording};

/// The most tasks that one query may name.
const TASKS: usize = 10;

/// Recordings by task.
pub type Recordings = BTreeMap<String, Vec<Recording>>;

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    data: Vec<Captured>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Captured {
    task_id: String,
    #[serde(default)]
    recording: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    attributes: Option<Attributes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    file_name: Option<String>,
    start_time: Option<Value>,
    stop_time: Option<Value>,
}

impl Client {
    /// The recordings of these tasks, as far as there are any; ten tasks a query.
    ///
    /// # Errors
    /// When Webex gives none; nothing is known then, also of those that it gave before.
    pub async fn recordings(&self, org_id: &str, tasks: &[String]) -> Result<Recordings, AskError> {
        let mut all = Recordings::new();
        for tasks in tasks.chunks(TASKS) {
            let query = json!({ "orgId": org_id, "taskIds": tasks, "urlExpiration": 1 });
            let body = json!({ "query": query });
            let ask = Ask { method: Method::POST, path: "/v1/captures/query", body: Some(body) };
            let answered: Answered = self.ask(&ask).await?;
            for captured in answered.data {
                let files = captured.recording.into_iter().filter_map(file);
                all.entry(captured.task_id).or_default().extend(files);
            }
        }
        Ok(all)
    }
}

/// A recording whose file has a name.
fn file(recorded: Recorded) -> Option<Recording> {
    let attributes = recorded.attributes?;
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
