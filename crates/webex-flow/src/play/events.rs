//! What events bring, by the names that Webex documents.

use serde_json::{Map, Value, json};

use super::{Scenario, Script};
use crate::model::Event;

/// The agent of all plays.
const AGENT: &str = "7d6a4a5c-3b0a-4f0e-9a53-0f6f3a1d2b11";
const QUEUE: &str = "2f0c9e0e-5a55-4c8e-8a5e-0f1c5d1f7a21";
const TEAM: &str = "9b1d5c1e-7c44-4f3e-b0c8-6a7b1c9d3e31";

/// What a call brings that comes in.
pub(super) fn of_start(script: &Script<'_>) -> Value {
    json!({
        "ANI": script.caller, "DNIS": script.dialed, "InteractionId": script.interaction_id,
        "InteractionID": script.interaction_id, "Channel": "telephony",
    })
}

/// What an event brings. Without an agent, what is about the agent is empty.
pub(super) fn of_event(event: &Event, has_agent: bool, script: &Script<'_>) -> Value {
    let mut outputs = Map::new();
    let mut put = |name: &str, value: &str| outputs.insert(name.to_owned(), Value::from(value));
    if has_agent {
        put("AgentID", AGENT);
        put("AgentId", AGENT);
        put("TeamID", TEAM);
        put("QueueID", QUEUE);
    }
    match event {
        Event::AgentAnswered | Event::AgentOffered => {
            put("AgentName", "Anna Agent");
            put("AgentSessionID", "5c0f1f3e-0b1a-4b7e-8f6a-2d3c4b5a6978");
            put("QueueName", "Support");
            put("TeamName", "Team 1");
        }
        Event::PhoneContactEnded => {
            put("InboundChannel", "telephony");
        }
        _ => {}
    }
    // Agents without an address are documented.
    if has_agent && script.scenario != Scenario::UnsetVariables {
        put("AgentEmailID", "anna@example.com");
        put("AgentEmailId", "anna@example.com");
    }
    Value::Object(outputs)
}
