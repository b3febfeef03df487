//! What the tests of several files need.

use std::time::Duration;

use serde_json::{Value, json};
use webex_flow::findings::{BridgeFacts, RouteFacts};

/// The bridge with its default deadlines.
pub fn bridge() -> BridgeFacts {
    let route = |name, milliseconds, data: Value| RouteFacts {
        name,
        deadline: Duration::from_millis(milliseconds),
        answers: vec![json!({"data": data, "errors": null, "success": true})],
    };
    BridgeFacts {
        routes: vec![
            route("createVoiceCall", 4500, json!({"voiceCallId": "0LQ5g000000abcDGAQ"})),
            route("updateVoiceCall", 4500, json!({"status": "pending"})),
            route("executeOmniFlow", 4500, json!({"queue": "00G5g000000abcD", "agent": null})),
            route("clearRouting", 1800, json!({"status": "Success"})),
            route("phoneContactEnded", 1800, json!({"outcome": "abandoned", "status": "Success"})),
            route("agentAnswered", 1800, json!({"status": "Success"})),
        ],
        statuses: vec![200, 400, 401, 403, 404, 405, 408, 413, 415, 422, 424, 429, 431, 500, 503, 504],
    }
}
