//! The Apex wrapper inside the org.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Refused};
use super::fields::Fields;
use super::locate::Operation;
use super::org::{Incoming, Org};
use super::{bodies, oauth, work};

const CENTER: &str = "callCenterDevName";

pub(super) fn attend(org: &Org, operation: Operation, incoming: &Incoming) -> Result<Answer, Refused> {
    oauth::check_session(org, incoming)?;
    incoming.must_be_json()?;
    let body = incoming.object()?;
    let call_center = names(org, &body)?;
    let data = match operation {
        Operation::Create => {
            let id = work::create(org, bodies::create(&body, CENTER)?)?;
            json!({ "voiceCallId": id })
        }
        Operation::Update => {
            let id = voice_call_id(&body)?;
            work::update(org, &id, &call_center, bodies::update(&body, CENTER)?)?;
            json!({ "status": "pending" })
        }
        Operation::OmniFlow => {
            let id = voice_call_id(&body)?;
            let routed = work::omni_flow(org, &id, &call_center, bodies::omni_flow(&body)?)?;
            if let Some(errors) = routed.get("errors") {
                return Ok(envelope(400, &Value::Null, errors));
            }
            json!({ "queue": routed.get("queue"), "agent": routed.get("agent") })
        }
        _ => {
            work::clear_routing(org, &voice_call_id(&body)?, &call_center)?;
            json!({ "status": "Success" })
        }
    };
    Ok(envelope(200, &data, &Value::Null))
}

fn envelope(status: u16, data: &Value, errors: &Value) -> Answer {
    Answer::json(status, &json!({ "data": data, "errors": errors, "success": errors.is_null() }))
}

/// The contact center, if it and the certificate are known to the org.
fn names(org: &Org, body: &Map<String, Value>) -> Result<String, Refused> {
    let mut fields = Fields::new(body);
    let call_center = fields.required_text(CENTER);
    if !call_center.is_empty() && !org.settings.call_centers.contains(&call_center) {
        fields.problem(format!("{CENTER}: no contact center with this name"));
    }
    let certificate = fields.required_text("certDevName");
    if !certificate.is_empty() && !org.settings.known_certificates.contains(&certificate) {
        fields.problem("certDevName: no certificate with this name");
    }
    fields.finish(call_center)
}

fn voice_call_id(body: &Map<String, Value>) -> Result<String, Refused> {
    let mut fields = Fields::new(body);
    let id = fields.required_text("voiceCallId");
    fields.finish(id)
}
