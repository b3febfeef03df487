//! The targets of flows: exports, their expressions and paths, and the rules of FlowV2. They need nothing that is installed.

use std::hint::black_box;
use std::time::Duration;

use serde_json::{Map, Value, json};
use webex_flow::findings::{BridgeFacts, RouteFacts, of_flow};
use webex_flow::json_path::JsonPath;
use webex_flow::model::{diff, read, templates};
use webex_flow::pebble::{Environment, Template};
use webex_flow::rules;

use super::installation::NOW;

/// The most of a document that is looked at.
const LIMIT: usize = 64 * 1024;

fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input.get(..LIMIT).unwrap_or(input)).ok()
}

/// An export: read, searched for faults, and compared with itself.
pub fn flow_export(input: &[u8]) {
    let Some(Ok(flow)) = text(input).map(read) else { return };
    for (_, activity) in flow.activities() {
        for template in templates(activity) {
            black_box(template);
        }
    }
    let route = |name, deadline, answer| RouteFacts {
        name,
        deadline: Duration::from_millis(deadline),
        answers: vec![json!({"data": answer, "errors": null, "success": true})],
    };
    let facts = BridgeFacts {
        routes: vec![
            route("createVoiceCall", 4500, json!({"voiceCallId": "0LQ5g000000abcDGAQ"})),
            route("clearRouting", 1800, json!({"status": "Success"})),
        ],
        statuses: vec![200, 400, 503],
    };
    black_box(of_flow(&flow, &facts));
    let changes = diff(&flow, &flow);
    assert!(changes.is_empty(), "a flow differs from itself: {changes:?}");
}

/// A first line, and the JSON behind it.
fn with_document(input: &[u8]) -> Option<(&str, Value)> {
    let (line, rest) = text(input)?.split_once('\n')?;
    Some((line, serde_json::from_str(rest).ok()?))
}

/// An expression in the first line, and its variables behind it. What comes of it is the same every time.
pub fn flow_expression(input: &[u8]) {
    let Some((line, variables)) = with_document(input) else { return };
    let variables = match variables {
        Value::Object(variables) => variables,
        _ => Map::new(),
    };
    // In a line, a break is written as it is in JSON.
    let Ok(template) = Template::parse(&line.replace("\\n", "\n")) else { return };
    black_box((template.comparisons(), template.variables(), template.unknown_words()));
    match template.render(&variables, &Environment::at(NOW)) {
        Ok(text) => assert!(text.len() <= 1 << 20, "{} bytes", text.len()),
        Err(error) => assert!(error.column() > 0 && !error.to_string().is_empty(), "{error:?}"),
    }
}

/// A path in the first line, and the document behind it.
pub fn flow_path(input: &[u8]) {
    let Some((line, document)) = with_document(input) else { return };
    if let Ok(path) = JsonPath::parse(line) {
        let _ = black_box(path.read(&document));
    }
}

/// Any JSON as a flow of FlowV2.
pub fn flow_rules(input: &[u8]) {
    let Some(Ok(flow)) = text(input).map(serde_json::from_str::<Value>) else { return };
    for finding in rules::check(&flow) {
        assert!(!finding.message.is_empty(), "{finding:?}");
    }
}
