//! Exports near the limit: whatever looks for each activity among all of them does not end here.

mod common;

use std::time::{Duration, Instant};

use common::bridge;
use serde_json::{Value, json};
use webex_flow::findings::of_flow;
use webex_flow::model::{diff, read};
use webex_flow::rules;

/// How many activities a flow may have.
const MOST: usize = 10_000;

/// A create, a condition on it, a variable and a prompt, one behind the other.
fn properties(place: usize, name: &str) -> Value {
    let key = "wxcc_{{NewPhoneContact.InteractionId}}";
    match place % 4 {
        0 => {
            let body = json!({"vendorCallKey": key, "from": "{{NewPhoneContact.ANI}}", "to": "{{NewPhoneContact.DNIS}}",
                "callAttributes": {"language": "{{ V0 }}", "queue": "{{ V1 | upper }}"}});
            json!({"activityName": "http-request-v2", "authenticated": true, "connectorId": "c", "connectorId:name": "c",
                "httpRequestPath": "/voice/v1/createVoiceCall", "httpRequestMethod": "POST", "retryAttempts": 1,
                "httpContentType": "Application/JSON", "contentType": "JSON", "httpResponseTimeout": 5500,
                "httpRequestHeaders": {"X-Request-Id": key}, "httpRequestBody": body.to_string(),
                "outputVariableArray": [{"outputVariable": "V1", "jsonPathExp": "$.data.voiceCallId"}]})
        }
        1 => json!({"activityName": "condition-activity", "description": name,
            "expression": format!("{{{{ A{}.httpStatusCode == 200 and NewPhoneContact.ANI is not empty }}}}", place - 1)}),
        2 => {
            json!({"activityName": "set-variable", "setTo": "set-to-expression", "srcVariable": format!("V{}", place % 1000),
            "srcVariableType": "STRING", "literal": "", "expr": "{{ NewPhoneContact.ANI | replace({'+': ''}) }}"})
        }
        _ => {
            json!({"activityName": "play-message", "prompts": [{"name": "welcome.wav", "value": "welcome.wav"}]})
        }
    }
}

/// FlowV2 with so many activities, a tenth as many variables, and a link from each to the next.
fn export(activities: usize) -> String {
    let mut nodes =
        vec![json!({"id": "s", "name": "NewPhoneContact", "activityType": "start", "group": "start",
        "properties": {"activityName": "start"}})];
    let mut edges = vec![json!({"id": "e", "from": "s", "to": "id-0", "condition": "out", "properties": {}})];
    for place in 0..activities - 1 {
        let name = format!("A{place}");
        nodes.push(
            json!({"id": format!("id-{place}"), "name": name, "activityType": "action", "group": "action",
            "properties": properties(place, &name)}),
        );
        let exits: &[&str] = if place % 4 == 1 { &["true", "false"] } else { &["default"] };
        edges.extend(exits.iter().map(|exit| {
            json!({"id": format!("e-{place}-{exit}"), "from": name, "to": format!("A{}", place + 1), "condition": exit,
                "properties": {}})
        }));
    }
    let variables: Vec<Value> = (0..activities / 10)
        .map(|id| json!({"name": format!("V{id}"), "type": "STRING", "value": "x"}))
        .collect();
    json!({"name": "large", "flowType": "FLOW", "variables": variables, "nodes": nodes, "edges": edges})
        .to_string()
}

#[test]
fn a_large_export_is_read_judged_and_compared() {
    // A debug build takes its time.
    let text = export(MOST / 4);
    let flow = read(&text).unwrap();
    assert_eq!(flow.activities().count(), MOST / 4);
    assert!(diff(&flow, &flow).is_empty());
    assert!(!of_flow(&flow, &bridge()).is_empty());
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(rules::check(&value).iter().all(|one| !one.message.is_empty()));
}

/// The least of some tries, which others that use the machine disturb least.
fn least(mut work: impl FnMut()) -> Duration {
    let tries = (0..7).map(|_| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    });
    tries.min().unwrap_or_default()
}

#[test]
#[ignore = "prints figures for docs/performance.md"]
fn how_long_the_largest_export_takes() {
    for activities in [MOST / 10, MOST] {
        let text = export(activities);
        let value: Value = serde_json::from_str(&text).unwrap();
        let flow = read(&text).unwrap();
        let bridge = bridge();
        let parsed = least(|| drop(serde_json::from_str::<Value>(&text).unwrap()));
        println!("{activities} activities, {} kB; serde_json {parsed:?}", text.len() / 1000);
        let steps: [(&str, &dyn Fn()); 4] = [
            ("read", &|| drop(read(&text).unwrap())),
            ("rules", &|| drop(rules::check(&value))),
            ("findings", &|| drop(of_flow(&flow, &bridge))),
            ("diff", &|| drop(diff(&flow, &flow))),
        ];
        for (name, step) in steps {
            let took = least(step);
            println!("{name}: {took:?}, {:.1} times serde_json", took.as_secs_f64() / parsed.as_secs_f64());
        }
    }
}
