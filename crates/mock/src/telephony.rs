//! The Telephony Integration REST API.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Refused};
use super::locate::{Operation, Target};
use super::org::{Incoming, Org};
use super::token::{self, Caller};
use super::{bodies, work};

/// Fields of the Apex wrapper, and the id that stands in the path: this API must never see them in a body.
const FOREIGN: [&str; 3] = ["callCenterDevName", "certDevName", "voiceCallId"];
const CENTER: &str = "callCenterApiName";

pub(super) fn attend(org: &Org, target: &Target, incoming: &Incoming) -> Result<Answer, Refused> {
    let caller = token::caller(org, incoming)?;
    if incoming.provider_name.as_deref() != Some(org.settings.provider_name.as_str()) {
        let reason = "Telephony-Provider-Name: missing, or not the provider of this contact center";
        return Err(Refused::new(403, "INVALID_PROVIDER", reason));
    }
    incoming.must_be_json()?;
    let body = match target.operation {
        Operation::ClearRouting if incoming.body.is_empty() => Map::new(),
        _ => incoming.object()?,
    };
    refuse_foreign(&body)?;
    match target.operation {
        Operation::Create => create(org, &caller, &body),
        Operation::Update => update(org, &caller, &target.id, &body),
        Operation::OmniFlow => {
            let run = bodies::omni_flow(&body)?;
            let routed = work::omni_flow(org, &target.id, &caller.call_center, run)?;
            Ok(Answer::json(200, &routed))
        }
        _ => {
            work::clear_routing(org, &target.id, &caller.call_center)?;
            Ok(Answer::empty())
        }
    }
}

fn refuse_foreign(body: &Map<String, Value>) -> Result<(), Refused> {
    let foreign: Vec<_> = FOREIGN
        .iter()
        .filter(|name| body.contains_key(**name))
        .map(|name| format!("{name}: no field of the telephony API"))
        .collect();
    if foreign.is_empty() { Ok(()) } else { Err(Refused::fields(foreign)) }
}

fn create(org: &Org, caller: &Caller, body: &Map<String, Value>) -> Result<Answer, Refused> {
    let create = bodies::create(body, CENTER)?;
    if create.call_center != caller.call_center {
        let reason = format!("{CENTER}: must be the contact center of the token");
        return Err(Refused::fields(vec![reason]));
    }
    let id = work::create(org, create)?;
    Ok(Answer::json(201, &json!({ "voiceCallId": id, "errors": [] })))
}

fn update(org: &Org, caller: &Caller, id: &str, body: &Map<String, Value>) -> Result<Answer, Refused> {
    let update = bodies::update(body, CENTER)?;
    work::update(org, id, &caller.call_center, update)?;
    Ok(Answer::json(200, &json!({ "status": "pending" })))
}
