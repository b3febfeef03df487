//! Pages under `/mock` for people who watch and script the stand-alone org. Not part of Salesforce.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refused};
use super::bad_day::Script;
use super::org::{Incoming, Org};

const AGENT: &str = "agent@example.com";

pub(super) fn attend(org: &Org, page: &str, incoming: &Incoming) -> Result<Answer, Refused> {
    match (incoming.method.as_str(), page.split_once('/').unwrap_or((page, ""))) {
        ("GET", ("voiceCalls", "")) => Ok(list(&org.state().records.all())),
        ("GET", ("voiceCalls", id)) => one(org.state().records.find(id)),
        ("GET", ("refusals", "")) => Ok(list(&org.state().refusals.all())),
        ("GET", ("requests", "")) => Ok(list(&org.state().requests.all())),
        ("POST", ("agentAccepts", id)) => {
            let now = org.now();
            let mut state = org.state();
            let call = state.records.find_mut(id);
            one(call.and_then(|call| call.accept(AGENT, now).then_some(&*call)))
        }
        ("GET", ("script", "")) => Ok(list(&to_come(org))),
        ("POST", ("script", "")) => script(org, incoming),
        ("DELETE", ("script", "")) => Ok(end_scripts(org)),
        ("POST", ("revokeSessions", "")) => {
            org.state().sessions.clear();
            Ok(Answer::json(200, &json!({ "status": "Success" })))
        }
        _ => Err(Refused::new(404, "NOT_FOUND", "no such page of the mock org, or another method")),
    }
}

fn list<T: Serialize>(entries: &[T]) -> Answer {
    Answer::json(200, &serde_json::to_value(entries).unwrap_or_default())
}

fn one<T: Serialize>(entry: Option<&T>) -> Result<Answer, Refused> {
    let entry = entry.ok_or_else(|| Refused::new(404, "NOT_FOUND", "no such VoiceCall, or it is over"))?;
    Ok(Answer::json(200, &serde_json::to_value(entry).unwrap_or_default()))
}

/// `{"kind":"unavailable","times":3,"on":"update"}`
fn script(org: &Org, incoming: &Incoming) -> Result<Answer, Refused> {
    let script: Script = serde_json::from_value(Value::Object(incoming.object()?))
        .map_err(|error| Refused::new(400, "JSON_PARSER_ERROR", error.to_string()))?;
    org.state().diary.push(script);
    Ok(list(&to_come(org)))
}

/// The bad days that have not come yet.
pub(super) fn to_come(org: &Org) -> Vec<Script> {
    org.state().diary.iter().filter(|script| script.times > 0).cloned().collect()
}

/// Ends all scripts, and tells what has not come of them. An answer that a script keeps back is kept back still.
fn end_scripts(org: &Org) -> Answer {
    let ended = to_come(org);
    org.state().diary.clear();
    list(&ended)
}
