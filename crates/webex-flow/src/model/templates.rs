//! The fields of an activity that may hold expressions.

use std::collections::HashSet;

use serde_json::Value;

use super::kind::{ActivityKind, Assignment, Choice, HttpRequest, Mapping, Output, Prompt};
use super::process::Activity;

/// A text that is rendered before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The field as the editor shows it.
    pub field: String,
    /// Its text, with or without expressions.
    pub text: String,
}

/// All templates of an activity. Fields that we do not know are among them if they hold an expression.
pub fn templates(activity: &Activity) -> Vec<Template> {
    let mut found = Found(Vec::new());
    found.of_kind(&activity.kind);
    let mut seen: HashSet<String> = found.0.iter().map(|template| template.text.clone()).collect();
    for (name, value) in &activity.properties {
        // Names that are shown beside a value are copies.
        if !name.contains(':') && !name.starts_with('_') && !name.ends_with("_name") {
            found.of_unknown(name, value, &mut seen);
        }
    }
    found.0
}

/// The name of a field in the editor.
pub(super) fn label(field: &str) -> &str {
    match field {
        "authenticated" => "Use Authenticated Endpoint",
        "connectorId" => "Connector",
        "httpRequestUrl" => "Request URL",
        "httpRequestPath" => "Request Path",
        "httpRequestMethod" => "Method",
        "httpQueryParameters" | "queryParameters" => "Query Parameters",
        "httpRequestHeaders" => "HTTP Request Headers",
        "httpContentType" => "Content Type",
        "httpRequestBody" => "Request Body",
        "httpResponseTimeout" => "Response Timeout",
        "retryAttempts" => "Number of Retries",
        "contentType" => "Parse Settings: Content Type",
        "outputVariableArray" => "Parse Settings",
        "expression" => "Expression",
        "inputVariable" => "Input Variable",
        "description" => "Activity Description",
        "destination" | "queueId" => "Queue",
        "destinationVariable" => "Queue Variable",
        "fallbackQueue" => "Fallback Queue",
        "reportingQueue" => "Reporting Queue",
        "recoveryQueue" => "Recovery Queue",
        "skills" => "Skill Requirements",
        "priority" | "priorityVariable" => "Contact Priority",
        "channelType" => "Channel Type",
        "callbackDn" => "Callback Dial Number",
        "callbackQueue" => "Callback Queue",
        "callbackAni" => "Callback ANI",
        "scheduleDate" => "Callback Date",
        "scheduleStartTime" => "Callback Start Time",
        "scheduleEndTime" => "Callback End Time",
        "scheduleTimezone" => "Callback Timezone",
        "promptsTts" => "Text-to-Speech Message",
        "prompts" => "Audio File",
        "prompt" => "Music File",
        "duration" => "Duration",
        "entryTimeout" => "Entry Timeout",
        "interDigitTimeout" => "Inter-Digit Timeout",
        "minDigits" => "Minimum Digits",
        "maxDigits" => "Maximum Digits",
        "terminatorSymbol" => "Terminator Symbol",
        "interruptible" => "Make Prompt Interruptible",
        "menuLinks" => "Links",
        "menuLinks:input" => "Link Descriptions",
        "transfertodn" => "Transfer Dial Number",
        "transferoutdigits" => "Digits",
        "timeout" => "Timeout",
        "screenPopUrl" => "Screen Pop URL",
        "screenPopDesktopLabel" => "Screen Pop Desktop Label",
        "callerId" => "Caller ID",
        "businessHoursId" => "Business Hours",
        "handOffFlow" => "Flow",
        "subflowId" => "Subflow",
        "subflowInputVariables" => "Subflow Input Variables",
        "subflowOutputVariables" => "Subflow Output Variables",
        "fnInputVariables" => "Function Input Variables",
        "fnOutputVariables" => "Function Output Variables",
        other => other,
    }
}

struct Found(Vec<Template>);

impl Found {
    fn add(&mut self, field: impl Into<String>, text: &str) {
        self.0.push(Template { field: field.into(), text: text.to_owned() });
    }

    fn add_if(&mut self, field: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.add(label(field), text);
        }
    }

    fn choice(&mut self, field: &str, choice: Option<&Choice>) {
        if let Some(Choice::Variable(text)) = choice {
            self.add(label(field), text);
        }
    }

    fn pairs(&mut self, field: &str, pairs: &[(String, String)]) {
        for (name, value) in pairs {
            self.add(format!("{}: {name}", label(field)), value);
            if is_template(name) {
                self.add(format!("{}: name", label(field)), name);
            }
        }
    }

    fn outputs(&mut self, outputs: &[Output]) {
        for output in outputs {
            self.add(format!("Path Expression of {}", output.variable), &output.path);
        }
    }

    fn mappings(&mut self, field: &str, mappings: &[Mapping]) {
        for mapping in mappings {
            self.add(format!("{}: {}", label(field), mapping.target), &mapping.variable);
        }
    }

    fn prompts(&mut self, prompts: &[Prompt]) {
        for prompt in prompts {
            match prompt {
                Prompt::Text(text) => self.add(label("promptsTts"), text),
                Prompt::Variable(text) => self.add(label("prompts"), text),
                Prompt::File(_) => {}
            }
        }
    }

    fn assignments(&mut self, rows: &[Assignment]) {
        for row in rows {
            self.add(format!("Variable {}", row.variable), &row.value);
        }
    }

    fn http_request(&mut self, request: &HttpRequest) {
        self.add_if("httpRequestUrl", request.url.as_ref());
        self.add_if("httpRequestPath", request.path.as_ref());
        self.pairs("httpQueryParameters", &request.query);
        self.pairs("httpRequestHeaders", &request.headers);
        self.add_if("httpRequestBody", request.body.as_ref());
        self.outputs(&request.outputs);
    }

    fn of_kind(&mut self, kind: &ActivityKind) {
        match kind {
            ActivityKind::SetVariable(rows) => self.assignments(rows),
            ActivityKind::Condition { expression } => self.add(label("expression"), expression),
            ActivityKind::Case { expression, cases } => {
                self.add(label("expression"), expression);
                for case in cases {
                    self.add(format!("Case {}", case.exit), &case.value);
                }
            }
            ActivityKind::HttpRequest(request) => self.http_request(request),
            ActivityKind::RulesRequest { query, outputs } => {
                self.pairs("httpQueryParameters", query);
                self.outputs(outputs);
            }
            // The input is the name of a variable, with or without braces.
            ActivityKind::Parse { outputs, .. } => self.outputs(outputs),
            ActivityKind::Function { outputs, .. } => self.outputs(outputs),
            ActivityKind::Subflow { inputs, .. } => {
                let templates: Vec<Mapping> =
                    inputs.iter().filter(|input| is_template(&input.variable)).cloned().collect();
                self.mappings("subflowInputVariables", &templates);
            }
            ActivityKind::QueueContact(queue) => {
                self.choice("destinationVariable", queue.queue.as_ref());
                self.choice("fallbackQueue", queue.fallback_queue.as_ref());
                if queue.priority.as_ref().is_some_and(|priority| is_template(priority)) {
                    self.add_if("priority", queue.priority.as_ref());
                }
            }
            ActivityKind::QueueToAgent { agent, .. } => self.add("Agent Variable", agent),
            ActivityKind::Callback { number, queue, caller_id } => {
                self.add_if("callbackDn", number.as_ref());
                self.choice("callbackQueue", queue.as_ref());
                self.add_if("callbackAni", caller_id.as_ref());
            }
            ActivityKind::PlayMessage(prompts)
            | ActivityKind::SetWhisperAnnouncement(prompts)
            | ActivityKind::Menu { prompts, .. }
            | ActivityKind::CollectDigits { prompts, .. } => self.prompts(prompts),
            ActivityKind::BlindTransfer { number } | ActivityKind::BridgedTransfer { number, .. } => {
                self.add(label("transfertodn"), number);
            }
            ActivityKind::SendDigits { digits } => self.add(label("transferoutdigits"), digits),
            ActivityKind::SetCallerId { number } => self.add_if("callerId", number.as_ref()),
            ActivityKind::ScreenPop { url, query } => {
                self.add_if("screenPopUrl", url.as_ref());
                self.pairs("queryParameters", query);
            }
            _ => {}
        }
    }

    /// A text with an expression anywhere in a field. What is already found is not told twice.
    fn of_unknown(&mut self, field: &str, value: &Value, seen: &mut HashSet<String>) {
        match value {
            Value::String(text) if is_template(text) && seen.insert(text.clone()) => {
                self.add(label(field), text);
            }
            Value::Array(items) => items.iter().for_each(|item| self.of_unknown(field, item, seen)),
            Value::Object(members) => {
                members.values().for_each(|member| self.of_unknown(field, member, seen));
            }
            _ => {}
        }
    }
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}
