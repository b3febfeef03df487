//! Recordings: the query, and the files behind addresses that die.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use openssl::sha::sha256;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::super::answer::Answer;
use super::refused::Refused;
use super::tenant::{Incoming, Tenant, only};

/// A recording of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Its name.
    pub file_name: String,
    /// When it began, in epoch milliseconds.
    pub start_time: i64,
    /// When it ended, in epoch milliseconds.
    pub stop_time: i64,
}

/// `{"query":{"orgId","taskIds":[at most 10],"urlExpiration":1 to 60 minutes}}`
pub(super) fn attend(tenant: &Tenant, incoming: &Incoming) -> Result<Answer, Refused> {
    let body = incoming.object(&["query"])?;
    let query = body.get("query").and_then(Value::as_object);
    let query = query.ok_or_else(|| Refused::field("query: must be an object"))?;
    only(query, &["orgId", "taskIds", "urlExpiration", "includeSegments"])?;
    if query.get("orgId").and_then(Value::as_str) != Some(&tenant.settings.org_id) {
        return Err(Refused::new(403, "forbidden", "orgId: not the organisation of the token"));
    }
    let tasks: Vec<&str> = match query.get("taskIds").and_then(Value::as_array) {
        Some(ids) if (1..=10).contains(&ids.len()) => ids.iter().filter_map(Value::as_str).collect(),
        _ => return Err(Refused::field("taskIds: must be 1 to 10 ids")),
    };
    let minutes = match query.get("urlExpiration").map(Value::as_i64) {
        None => 60,
        Some(Some(minutes)) if (1..=60).contains(&minutes) => minutes,
        Some(_) => return Err(Refused::field("urlExpiration: must be 1 to 60 minutes")),
    };
    let expires = tenant.now().checked_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX);
    let state = tenant.state();
    let known = tasks.iter().filter_map(|task| Some((*task, state.recordings.get(*task)?)));
    let data = known.map(|(task, recordings)| {
        let shown = recordings.iter().map(|recording| shown(tenant, recording, expires));
        json!({ "taskId": task, "recording": shown.collect::<Vec<_>>() })
    });
    let data: Vec<Value> = data.collect();
    Ok(Answer::json(200, &json!({ "meta": { "orgId": tenant.settings.org_id }, "data": data })))
}

fn shown(tenant: &Tenant, recording: &Recording, expires: Timestamp) -> Value {
    let (file, expires) = (&recording.file_name, expires.as_millisecond());
    let signature = signature(tenant, file, expires);
    let path = format!("{}/recordings/{file}?expires={expires}&signature={signature}", tenant.url);
    json!({
        "id": URL_SAFE_NO_PAD.encode(sha256(file.as_bytes())),
        "attributes": {
            "fileName": file,
            "filePath": path,
            "startTime": recording.start_time,
            "stopTime": recording.stop_time,
        },
    })
}

fn signature(tenant: &Tenant, file: &str, expires: i64) -> String {
    let signed = format!("{}|{file}|{expires}", tenant.settings.client_secret);
    URL_SAFE_NO_PAD.encode(sha256(signed.as_bytes()))
}

/// The file itself, until its address has died.
pub(super) fn download(tenant: &Tenant, file: &str, incoming: &Incoming) -> Result<Answer, Refused> {
    let dead = || Refused::new(403, "forbidden", "signature: wrong, or its time is over");
    let mut expires = None;
    let mut signed = None;
    for (name, value) in form_urlencoded::parse(incoming.query.as_bytes()) {
        match &*name {
            "expires" => expires = value.parse::<i64>().ok(),
            "signature" => signed = Some(value.into_owned()),
            _ => {}
        }
    }
    let expires = expires.filter(|at| *at > tenant.now().as_millisecond()).ok_or_else(dead)?;
    match signed {
        Some(signed) if signed == signature(tenant, file, expires) => Ok(Answer {
            content_type: "audio/wav",
            body: b"RIFF".to_vec(),
            ..Answer::json(200, &Value::Null)
        }),
        _ => Err(dead()),
    }
}
