//! What is sent to the bridge.
//!
//! Webex fills a body in as text, without a thought for JSON. So every expression stands in quotes, and what it may be holds no
//! quote: ids, times, and a number that `SetCall` has cleaned. What was never set is filled in with nothing, which the bridge
//! counts as left out.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::plan::{Kind, Plan, Request};
use super::{NewFlow, OmniFlow};

/// An HTTP activity, as it is entered by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastedActivity {
    /// The name of the activity.
    pub name: String,
    /// The event in whose flow it stands; none: the main flow.
    pub event: Option<String>,
    /// The path behind the connector.
    pub path: String,
    /// The body.
    pub body: String,
    /// Response Timeout, in milliseconds.
    pub timeout_ms: u64,
    /// Retry Attempts.
    pub retries: u8,
    /// Variables and the paths into the answer that fill them.
    pub outputs: Vec<(String, String)>,
    /// Where it leads.
    pub edges: Vec<PastedEdge>,
}

/// A way out of an activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastedEdge {
    /// The port: `default`. An HTTP activity has no other; faults of the connection come to the error flow.
    pub port: String,
    /// The activity that follows.
    pub to: String,
}

pub(super) fn pasted(plan: &Plan) -> Vec<PastedActivity> {
    let all = [&plan.main, &plan.events].into_iter().flat_map(|process| {
        process.steps.iter().filter_map(move |step| {
            let Kind::Http(request) = &step.kind else { return None };
            let leaving = process.edges.iter().filter(|edge| edge.from == step.name);
            let outputs = request.outputs.iter();
            Some(PastedActivity {
                name: step.name.clone(),
                event: process.event_of(&step.name).map(str::to_owned),
                path: request.path.clone(),
                body: request.body.clone(),
                timeout_ms: request.timeout_ms,
                retries: request.retries,
                outputs: outputs.map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect(),
                edges: leaving
                    .map(|edge| PastedEdge { port: edge.port.to_owned(), to: edge.to.clone() })
                    .collect(),
            })
        })
    });
    all.collect()
}

pub(super) fn create(flow: &NewFlow) -> Request {
    let start = flow.spelling.new_contact();
    let mut body = json!({
        "callCenterDevName": flow.call_center,
        "certDevName": flow.certificate,
        "vendorCallKey": "{{SCV_VendorCallKey}}",
        "to": format!("{{{{{start}.DNIS}}}}"),
        "from": "{{SCV_CallerNumber}}",
        "initiationMethod": "Inbound",
        "startTime": "{{SCV_CallStartTime}}",
        "participants": [{"participantKey": "{{SCV_CallerNumber}}", "type": "END_USER"}],
    });
    put(&mut body, "callAttributes", object(&flow.call_attributes));
    let outputs = vec![("SCV_VoiceCallRecordId", "$.data.voiceCallId")];
    request(flow, "createVoiceCall", &body, flow.deadlines.create_voice_call, outputs)
}

pub(super) fn omni(flow: &NewFlow, omni: &OmniFlow) -> Request {
    let start = flow.spelling.new_contact();
    let mut body = json!({
        "callCenterDevName": flow.call_center,
        "certDevName": flow.certificate,
        "voiceCallId": "{{SCV_VoiceCallRecordId}}",
        "dialedNumber": format!("{{{{{start}.DNIS}}}}"),
        "flowDevName": omni.name,
    });
    put(&mut body, "fallbackQueue", omni.fallback_queue.as_deref().map(Value::from));
    put(&mut body, "flowInputParameters", object(&omni.input));
    let outputs = vec![("SCV_OmniFlowQueue", "$.data.queue"), ("SCV_OmniFlowAgent", "$.data.agent")];
    request(flow, "executeOmniFlow", &body, flow.deadlines.execute_omni_flow, outputs)
}

pub(super) fn agent_answered(flow: &NewFlow) -> Request {
    let event = flow.spelling.agent_answered();
    let body = json!({
        "callCenterDevName": flow.call_center,
        "vendorCallKey": "{{SCV_VendorCallKey}}",
        "agentId": format!("{{{{{event}.AgentID}}}}"),
        "queueId": format!("{{{{{event}.QueueID}}}}"),
    });
    request(flow, "agentAnswered", &body, flow.deadlines.agent_answered, Vec::new())
}

pub(super) fn contact_ended(flow: &NewFlow) -> Request {
    end(flow, Some(flow.spelling.contact_ended()))
}

/// Nobody has had the call.
pub(super) fn callback_failed(flow: &NewFlow) -> Request {
    end(flow, None)
}

/// The end of a call, with the event that tells of its last agent.
fn end(flow: &NewFlow, event: Option<&str>) -> Request {
    let start = flow.spelling.new_contact();
    let mut body = json!({
        "callCenterDevName": flow.call_center,
        "certDevName": flow.certificate,
        "vendorCallKey": "{{SCV_VendorCallKey}}",
        "voiceCallId": "{{SCV_VoiceCallRecordId}}",
        "startTime": "{{SCV_CallStartTime}}",
        // For a call that was never created.
        "from": "{{SCV_CallerNumber}}",
        "to": format!("{{{{{start}.DNIS}}}}"),
    });
    put(&mut body, "agentId", event.map(|event| Value::from(format!("{{{{{event}.AgentID}}}}"))));
    request(flow, "phoneContactEnded", &body, flow.deadlines.phone_contact_ended, Vec::new())
}

fn request(
    flow: &NewFlow,
    route: &str,
    body: &Value,
    deadline: Duration,
    outputs: Vec<(&'static str, &'static str)>,
) -> Request {
    Request {
        path: format!("{}/{route}", flow.base_path.trim_end_matches('/')),
        body: format!("{body:#}"),
        timeout_ms: flow.timeout_ms(deadline),
        retries: flow.retries,
        outputs,
    }
}

/// An object, or nothing when it would be empty.
fn object(fields: &[(String, String)]) -> Option<Value> {
    let fields: Map<String, Value> =
        fields.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}

fn put(body: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(fields), Some(value)) = (body.as_object_mut(), value) {
        fields.insert(name.to_owned(), value);
    }
}
