//! An exported flow of Flow Designer, as far as its HTTP Request activities go, and the templates in it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment};
use serde::Deserialize;

/// The HTTP Request activities of a flow, those of its event flows included, by name.
#[derive(Debug, Clone)]
pub struct Flow {
    activities: BTreeMap<String, HttpActivity>,
    variables: BTreeMap<String, String>,
}

/// One HTTP Request activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpActivity {
    /// The name the author gave it.
    pub name: String,
    /// The path below the connector's host.
    pub path: String,
    /// The body, still a template.
    pub body: String,
    /// The Content-Type of the request.
    pub content_type: String,
    /// One timeout for connect, TLS and answer together.
    pub timeout: Duration,
    /// The flow variables that are set from the answer.
    pub outputs: Vec<Output>,
}

/// A flow variable and where its value is in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The variable's name.
    pub variable: String,
    /// JSONPath into the answer, such as `$.data.voiceCallId`.
    pub path: String,
}

/// The text is no exported flow.
#[derive(Debug, thiserror::Error)]
#[error("not an exported flow: {0}")]
pub struct FlowError(#[from] serde_json::Error);

impl Flow {
    /// Reads an export.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn parse(export: &str) -> Result<Self, FlowError> {
        let export: FlowExport = serde_json::from_str(export)?;
        let events = export.event_flows.events_map.into_values().map(|event| event.process);
        let mut flow = Self { activities: BTreeMap::new(), variables: BTreeMap::new() };
        for process in std::iter::once(export.process).chain(events) {
            for activity in process.activities.into_values() {
                flow.add(activity.properties);
            }
        }
        Ok(flow)
    }

    /// An HTTP Request activity by its name.
    pub fn activity(&self, name: &str) -> Option<&HttpActivity> {
        self.activities.get(name)
    }

    /// The template that the flow sets a variable to.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    fn add(&mut self, properties: ActivityProperties) {
        for set in properties.set_variables_array {
            self.variables.insert(set.src_variable, set.expr);
        }
        if let (Some(path), Some(body)) = (properties.http_request_path, properties.http_request_body) {
            let activity = HttpActivity {
                name: properties.name.clone(),
                path,
                body,
                content_type: properties.http_content_type.unwrap_or_default(),
                timeout: Duration::from_millis(
                    properties.http_response_timeout.map_or(2000, Milliseconds::get),
                ),
                outputs: properties.output_variable_array.into_iter().map(Output::from).collect(),
            };
            self.activities.insert(properties.name, activity);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FlowExport {
    process: FlowProcess,
    #[serde(default)]
    event_flows: EventFlows,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct EventFlows {
    #[serde(default)]
    events_map: BTreeMap<String, EventFlow>,
}

#[derive(Deserialize)]
struct EventFlow {
    process: FlowProcess,
}

#[derive(Deserialize)]
struct FlowProcess {
    activities: BTreeMap<String, FlowActivity>,
}

#[derive(Deserialize)]
struct FlowActivity {
    properties: ActivityProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActivityProperties {
    #[serde(default)]
    name: String,
    http_request_path: Option<String>,
    http_request_body: Option<String>,
    http_content_type: Option<String>,
    http_response_timeout: Option<Milliseconds>,
    #[serde(default)]
    output_variable_array: Vec<OutputVariable>,
    #[serde(default)]
    set_variables_array: Vec<SetVariable>,
}

/// Exports hold the timeout as text or as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Milliseconds {
    Number(u64),
    Text(String),
}

impl Milliseconds {
    fn get(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Text(text) => text.parse().unwrap_or(2000),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputVariable {
    output_variable: String,
    json_path_exp: String,
}

impl From<OutputVariable> for Output {
    fn from(read: OutputVariable) -> Self {
        Self { variable: read.output_variable, path: read.json_path_exp }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetVariable {
    src_variable: String,
    #[serde(default)]
    expr: String,
}

/// A template that cannot be filled.
#[derive(Debug, thiserror::Error)]
#[error("the template cannot be filled: {0}")]
pub struct TemplateError(#[from] minijinja::Error);

/// Fills `template` with the variables, as Webex does: plain text, no JSON escaping; unset variables leave nothing.
/// `now()` renders as `2026-11-21T10:00:00.123Z[UTC]`; the filter `replace` takes a map of what to replace by what.
///
/// # Errors
/// When the template uses something that is not known here.
pub fn fill(template: &str, variables: &Value, now: Timestamp) -> Result<String, TemplateError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_function("now", move || format!("{now:.3}[UTC]"));
    environment.add_filter("replace", replace);
    Ok(environment.render_str(template, variables)?)
}

fn replace(text: String, pairs: &Value) -> Result<String, minijinja::Error> {
    pairs.try_iter()?.try_fold(text, |text, from| {
        let to = pairs.get_item(&from)?;
        Ok(text.replace(&from.to_string(), &to.to_string()))
    })
}

#[cfg(test)]
mod flow_tests {
    use super::*;

    const EXPORT: &str = include_str!("../../tests/fixtures/flows/ServiceCloudVoice_Template.json");

    #[test]
    fn the_vendors_flow_has_its_four_requests() {
        let flow = Flow::parse(EXPORT).unwrap();
        let shape = |name: &str| {
            let activity = flow.activity(name).unwrap();
            let path = activity.path.rsplit('/').next().unwrap().to_owned();
            (path, activity.timeout.as_millis(), activity.outputs.len())
        };
        assert_eq!(shape("CreateVoiceCall"), ("createVoiceCall".into(), 5000, 1));
        assert_eq!(shape("ExecuteOmniFlow"), ("executeOmniFlow".into(), 5000, 2));
        assert_eq!(shape("ClearRouting"), ("clearRouting".into(), 2000, 1));
        assert_eq!(shape("UpdateVoiceCall"), ("updateVoiceCall".into(), 5000, 1));
        assert_eq!(flow.variable("SCV_VendorCallKey"), Some("wxcc_{{NewPhoneContact.InteractionId}}"));
    }

    #[test]
    fn something_else_is_no_flow() {
        for text in ["", "{}", "[]", "{\"process\":{}}"] {
            assert!(Flow::parse(text).is_err(), "{text}");
        }
    }
}

#[cfg(test)]
mod template_tests {
    use minijinja::context;

    use super::*;

    fn filled(template: &str) -> String {
        let now = "2026-11-21T10:00:00.123456Z".parse().unwrap();
        let variables = context! { NewPhoneContact => context! { ANI => "+14693150217" }, Key => "wxcc_1" };
        fill(template, &variables, now).unwrap()
    }

    #[test]
    fn variables_are_put_in_as_they_are() {
        assert_eq!(
            filled("{\"from\": \"{{NewPhoneContact.ANI}}\", \"k\": \"{{ Key }}\"}"),
            "{\"from\": \"+14693150217\", \"k\": \"wxcc_1\"}"
        );
    }

    #[test]
    fn what_is_not_set_leaves_nothing() {
        assert_eq!(filled("[{{Nothing}}][{{NewPhoneContact.DNIS}}]"), "[][]");
    }

    #[test]
    fn the_time_carries_a_suffix_that_authors_strip() {
        assert_eq!(filled("{{now()}}"), "2026-11-21T10:00:00.123Z[UTC]");
        assert_eq!(filled("{{now() | replace({'[UTC]': ''})}}"), "2026-11-21T10:00:00.123Z");
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        assert!(fill("{{ x | reverse_all }}", &context! {}, Timestamp::UNIX_EPOCH).is_err());
    }
}
