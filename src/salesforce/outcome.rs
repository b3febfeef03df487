//! What an answer of Salesforce means, decided from status and body, in this one place.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use super::http::{HttpAnswer, HttpFault};
use crate::domain::quote;

/// The operations of Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// createVoiceCall.
    Create,
    /// updateVoiceCall.
    Update,
    /// executeOmniFlow.
    OmniFlow,
    /// clearRouting.
    ClearRouting,
    /// A query for a VoiceCall; it changes nothing.
    Query,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Create, Self::Update, Self::OmniFlow, Self::ClearRouting, Self::Query];

    /// The name in flows and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "createVoiceCall",
            Self::Update => "updateVoiceCall",
            Self::OmniFlow => "executeOmniFlow",
            Self::ClearRouting => "clearRouting",
            Self::Query => "query",
        }
    }

    /// Whether doing it twice has the same result as doing it once.
    fn repeatable(self) -> bool {
        matches!(self, Self::Update | Self::ClearRouting | Self::Query)
    }
}

/// The API that gave an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SalesforceApi {
    /// The Telephony Integration REST API.
    Telephony,
    /// The Apex wrapper in the org.
    Apex,
    /// The REST API, for queries only.
    Rest,
}

/// The outcome of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerOutcome {
    /// Done, with this result.
    Done(Value),
    /// Not now; the same request may succeed later.
    Again {
        /// The pause that Salesforce asks for.
        after: Option<Duration>,
        /// Its error text, fit to be shown.
        words: String,
    },
    /// It is not known whether the request is done: the answer cannot be parsed, or comes from a gateway that got none.
    Unknown {
        /// The answer, fit to be shown.
        words: String,
    },
    /// The token or session was refused; a new one may succeed.
    Reauthenticate {
        /// Its error text, fit to be shown.
        words: String,
    },
    /// The data was refused; the same request will be refused again.
    Refused {
        /// Its error text, fit to be shown.
        words: String,
    },
    /// The configuration was refused; an administrator must act.
    Misconfigured {
        /// Its error text, and the settings to check.
        words: String,
    },
}

impl AnswerOutcome {
    /// The result, or the failure. A refused token is a fault of the configuration once a new one was refused too.
    ///
    /// # Errors
    /// Everything but [`AnswerOutcome::Done`].
    pub fn into_result(self) -> Result<Value, Failure> {
        match self {
            Self::Done(data) => Ok(data),
            Self::Again { after, words } => Err(Failure::Again { after, words }),
            Self::Unknown { words } => Err(Failure::Unanswered { words }),
            Self::Refused { words } => Err(Failure::Refused { words }),
            Self::Reauthenticate { words } | Self::Misconfigured { words } => {
                Err(Failure::Misconfigured { words })
            }
        }
    }
}

/// Why a request to Salesforce failed, in words that a flow may read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Salesforce is down, limits the bridge, or answers something that cannot be parsed.
    #[error("Salesforce cannot do this now: {words}")]
    Again {
        /// The pause that it asks for.
        after: Option<Duration>,
        /// Its error text.
        words: String,
    },
    /// The connection broke before the answer, or the answer cannot be parsed: it is not known what Salesforce has done.
    #[error("Salesforce cannot do this now: {words}")]
    Unanswered {
        /// What happened.
        words: String,
    },
    /// The route's deadline passed.
    #[error("Salesforce did not answer before the deadline of this route passed")]
    Late,
    /// The bridge itself sends nothing now: the breaker is open, all slots are taken, or creates are limited.
    #[error("Salesforce is not asked now: {words}")]
    NotAsked {
        /// When to try again.
        after: Duration,
        /// Why.
        words: String,
    },
    /// Nothing was sent, because its answer would have come too late.
    #[error("no time was left to ask Salesforce before the deadline of this route passed")]
    NoTime,
    /// Salesforce refused the data.
    #[error("Salesforce refused: {words}")]
    Refused {
        /// Its error text.
        words: String,
    },
    /// Salesforce refused the bridge.
    #[error("Salesforce refused the bridge, an administrator must act: {words}")]
    Misconfigured {
        /// Its error text, and the settings to check.
        words: String,
    },
}

impl Failure {
    /// Whether the same request may succeed later without a change.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Again { .. }
            | Self::Unanswered { .. }
            | Self::Late
            | Self::NotAsked { .. }
            | Self::NoTime => true,
            Self::Refused { .. } | Self::Misconfigured { .. } => false,
        }
    }

    /// Whether a request was sent that came to this, as far as the failure itself tells.
    pub fn is_of_request(&self) -> bool {
        !matches!(self, Self::NotAsked { .. } | Self::NoTime)
    }

    /// Whether Salesforce may nevertheless have done it, or may still do it.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unanswered { .. } | Self::Late => true,
            Self::Again { .. }
            | Self::NotAsked { .. }
            | Self::NoTime
            | Self::Refused { .. }
            | Self::Misconfigured { .. } => false,
        }
    }
}

impl From<HttpFault> for Failure {
    fn from(fault: HttpFault) -> Self {
        match fault {
            HttpFault::Late => Self::Late,
            HttpFault::Connect(_) => Self::Again { after: None, words: "it cannot be reached".into() },
            HttpFault::Broken(_) => {
                Self::Unanswered { words: "the connection broke before the answer".into() }
            }
        }
    }
}

/// Error codes that mean "later", wherever they are.
const TRANSIENT: [&str; 3] = ["UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE"];

/// The outcome of an answer.
pub fn judge(api: SalesforceApi, operation: Operation, answer: &HttpAnswer) -> AnswerOutcome {
    let text = AnswerText::read(answer);
    let status = answer.status;
    if (200..300).contains(&status) {
        return accepted(api, operation, text, answer);
    }
    let words = text.words(status);
    let again = |words: String| AnswerOutcome::Again { after: answer.retry_after, words };
    if TRANSIENT.iter().any(|code| text.mentions(code)) {
        return again(words);
    }
    match (status, api) {
        (300..=399, _) => AnswerOutcome::Misconfigured {
            words: format!(
                "it answered with a redirect (HTTP {status}); the configured address is not the API's"
            ),
        },
        (401 | 403, _) => AnswerOutcome::Reauthenticate { words },
        // The Apex class exists, and the VoiceCall does not.
        (404, SalesforceApi::Apex) if text.mentions("voiceCallId") => AnswerOutcome::Refused { words },
        (404, SalesforceApi::Apex) => AnswerOutcome::Misconfigured {
            words: format!(
                "{words}; is the package installed, path_prefix right, and may the user run the class ServiceRouting?"
            ),
        },
        (404, SalesforceApi::Telephony) if operation == Operation::Create || !is_unknown_call(&text) => {
            AnswerOutcome::Misconfigured { words: format!("{words}; is telephony_url right?") }
        }
        (408 | 429, _) => again(words),
        // A 405 means that no request is accepted at this URL.
        (405, SalesforceApi::Telephony) => {
            AnswerOutcome::Misconfigured { words: format!("{words} (HTTP 405); is telephony_url right?") }
        }
        (405, SalesforceApi::Apex) => AnswerOutcome::Misconfigured {
            words: format!("{words} (HTTP 405); are login_url and path_prefix right?"),
        },
        (400..=499, SalesforceApi::Telephony | SalesforceApi::Apex) if text.page => {
            AnswerOutcome::Misconfigured {
                words: format!(
                    "it answered {words} (HTTP {status}); the configured address is not the API's"
                ),
            }
        }
        // An uncaught exception may have left half of the work done: only repeatable requests are sent again.
        (500, SalesforceApi::Apex) if text.mentions("APEX_ERROR") && !operation.repeatable() => {
            AnswerOutcome::Refused { words }
        }
        // A gateway got no answer in time: the request may be done, or still in progress.
        (504, _) if !operation.repeatable() => AnswerOutcome::Unknown { words },
        (500.., _) => again(words),
        _ => AnswerOutcome::Refused { words },
    }
}

/// Whether a 404 is that of an API that looked for a call and found none: its error is JSON. A server without this path
/// answers without JSON, or as web servers do.
fn is_unknown_call(text: &AnswerText) -> bool {
    let is_error = match &text.json {
        Some(Value::Object(fields)) => !fields.contains_key("path"),
        Some(Value::Array(errors)) => errors.iter().all(Value::is_object),
        _ => false,
    };
    is_error && !text.complaints.is_empty() && !text.mentions("match for URL")
}

/// The outcome of a 2xx. Any of them is a success, but only the body has the result.
fn accepted(
    api: SalesforceApi,
    operation: Operation,
    mut text: AnswerText,
    answer: &HttpAnswer,
) -> AnswerOutcome {
    // A repeatable request is sent again; of others it is not known whether they are done.
    let unreadable = |words: String| match operation.repeatable() {
        true => AnswerOutcome::Again { after: None, words },
        false => AnswerOutcome::Unknown { words },
    };
    if text.page {
        // An HTML page comes from an edge server: the API was not reached.
        return AnswerOutcome::Again {
            after: None,
            words: format!("it answered {}", text.words(answer.status)),
        };
    }
    let complaint = !text.complaints.is_empty();
    let empty = answer.body.iter().all(u8::is_ascii_whitespace);
    let json = match text.json.take() {
        Some(Value::Object(fields)) => Value::Object(fields),
        _ if operation == Operation::ClearRouting || (empty && operation != Operation::Create) => Value::Null,
        Some(_) => return unreadable("its answer is JSON, and not the object that was asked for".into()),
        None => {
            return unreadable("it answered something that is not JSON".into());
        }
    };
    let (data, failed) = match api {
        SalesforceApi::Telephony | SalesforceApi::Rest => (json, false),
        SalesforceApi::Apex => unwrap_envelope(json),
    };
    let failed = failed
        || match operation {
            // The record exists although a trigger or a validation complained.
            Operation::Create => voice_call_id(&data).is_none(),
            Operation::OmniFlow | Operation::Update => complaint,
            Operation::ClearRouting => false,
            Operation::Query => data.get("records").and_then(Value::as_array).is_none(),
        };
    if !failed {
        return AnswerOutcome::Done(data);
    }
    let words = text.words(answer.status);
    match complaint {
        true if TRANSIENT.iter().any(|code| words.contains(code)) => {
            AnswerOutcome::Again { after: None, words }
        }
        true => AnswerOutcome::Refused { words },
        false => unreadable("its answer lacks what was asked for".into()),
    }
}

/// The `data` of the wrapper's envelope, with the envelope's own errors beside it; and whether the envelope reports a
/// failure.
fn unwrap_envelope(json: Value) -> (Value, bool) {
    let Value::Object(mut envelope) = json else {
        return (json, false);
    };
    let failed = envelope.get("success").and_then(Value::as_bool) == Some(false);
    match envelope.remove("data") {
        Some(Value::Object(mut data)) => {
            if let Some(errors) = envelope.remove("errors")
                && !data.contains_key("errors")
            {
                data.insert("errors".into(), errors);
            }
            (Value::Object(data), failed)
        }
        Some(other) if !other.is_null() => (other, failed),
        _ => (Value::Object(envelope), failed),
    }
}

/// The id in the answer of a create, under either of its names.
pub fn voice_call_id(data: &Value) -> Option<&str> {
    ["voiceCallId", "voiceCallRecordId"]
        .into_iter()
        .find_map(|name| data.get(name).and_then(Value::as_str))
        .filter(|id| !id.is_empty())
}

/// The text of an answer, parsed as far as it can be: every known shape of an error body.
#[derive(Debug)]
pub struct AnswerText {
    /// The body as JSON, if it is JSON.
    pub json: Option<Value>,
    /// Errors, each with its code in front if it has one; empty if there are none.
    pub complaints: Vec<String>,
    /// Texts where no known shape of an error has any. Beside a success they are no errors.
    others: Vec<String>,
    /// Whether it is a page for people: an edge server answered, not the API.
    pub page: bool,
}

impl AnswerText {
    /// Parses `[{message, errorCode}]`, `{errors: [..] | ".."}`, `{message, errorCode}`, `{error, error_description}`,
    /// plain text and HTML.
    pub fn read(answer: &HttpAnswer) -> Self {
        let json = serde_json::from_slice::<Value>(&answer.body).ok();
        let text = String::from_utf8_lossy(&answer.body);
        let page = json.is_none() && (answer.html || text.trim_start().starts_with('<'));
        let mut complaints = match &json {
            Some(json) => complaints(json),
            None if page => vec![title(&text)],
            None if text.trim().is_empty() => Vec::new(),
            None => vec![text.into_owned()],
        };
        // Some bodies have the same text as a message and in a list.
        let mut seen = HashSet::new();
        complaints.retain(|complaint| seen.insert(complaint.clone()));
        let mut others = Vec::new();
        // Beside a success they are no errors, and nobody looks at them.
        if let Some(json) = json.as_ref().filter(|_| !(200..300).contains(&answer.status)) {
            collect(json, false, &mut others);
        }
        others.retain(|word| !complaints.iter().any(|complaint| complaint.contains(word.as_str())));
        Self { json, complaints, others, page }
    }

    /// Whether a code or word is in the text of a failure.
    pub fn mentions(&self, word: &str) -> bool {
        self.complaints.iter().chain(&self.others).any(|text| text.contains(word))
    }

    /// The text for this status, as it may be shown; the status itself where there is none.
    pub fn words(&self, status: u16) -> String {
        let others: &[String] = if (200..300).contains(&status) { &[] } else { &self.others };
        let text: Vec<&str> = self.complaints.iter().chain(others).map(String::as_str).collect();
        if text.is_empty() {
            return format!("HTTP {status} without a reason");
        }
        quote(&text.join("; "))
    }
}

/// Fields with the text of a failure, in lower case and without underscores.
const TELLING: [&str; 18] = [
    "cause",
    "code",
    "description",
    "detail",
    "details",
    "error",
    "errorcode",
    "errordescription",
    "errormessage",
    "errors",
    "exception",
    "fault",
    "faultcode",
    "faultstring",
    "message",
    "messages",
    "reason",
    "title",
];
/// The most texts that are shown.
const MOST_TEXTS: usize = 8;

/// Collects the texts of such fields, at any depth. `is_telling`: this value is in one.
fn collect(json: &Value, is_telling: bool, words: &mut Vec<String>) {
    match json {
        Value::String(text) => {
            let text = text.trim();
            if is_telling
                && !text.is_empty()
                && words.len() < MOST_TEXTS
                && words.iter().all(|word| word != text)
            {
                words.push(text.to_owned());
            }
        }
        Value::Array(list) => list.iter().for_each(|item| collect(item, is_telling, words)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('_', "").to_ascii_lowercase();
                collect(value, TELLING.contains(&name.as_str()), words);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn complaints(json: &Value) -> Vec<String> {
    match json {
        Value::Array(list) => list.iter().flat_map(complaints).collect(),
        Value::String(text) if !text.trim().is_empty() => vec![text.clone()],
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            let code = text("errorCode").or_else(|| text("error"));
            let message = text("message").or_else(|| text("error_description"));
            let own = match (code, message) {
                (Some(code), Some(message)) => Some(format!("{code}: {message}")),
                (code, message) => code.or(message).map(str::to_owned),
            };
            let listed = fields.get("errors").map(complaints).unwrap_or_default();
            own.into_iter().chain(listed).collect()
        }
        _ => Vec::new(),
    }
}

/// The title of an HTML page.
fn title(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower
        .split_once("<title>")
        .and_then(|(before, rest)| {
            let start = before.len() + "<title>".len();
            let end = start + rest.find("</title>")?;
            page.get(start..end)
        })
        .unwrap_or("no title");
    format!("an HTML page ({})", title.trim())
}

#[cfg(test)]
mod answer_text_tests {
    use super::*;

    fn read(body: &str) -> AnswerText {
        AnswerText::read(&HttpAnswer { status: 400, retry_after: None, html: false, body: body.into() })
    }

    #[test]
    fn every_known_shape_of_an_error_is_read() {
        for (body, words) in [
            (
                r#"[{"message":"Session expired","errorCode":"INVALID_SESSION_ID"}]"#,
                "INVALID_SESSION_ID: Session expired",
            ),
            (r#"{"data":null,"errors":["a","b"],"success":false}"#, "a; b"),
            (r#"{"errors":"validation: Status"}"#, "validation: Status"),
            (r#"{"errors":[{"message":"m","errorCode":"C"}]}"#, "C: m"),
            (r#"{"message":"nope"}"#, "nope"),
            (r#"{"message":"said twice","errors":["said twice","a"]}"#, "said twice; a"),
            (
                r#"{"error":"invalid_grant","error_description":"audience is invalid"}"#,
                "invalid_grant: audience is invalid",
            ),
            (r#"{"code":"PERM_MISSING"}"#, "PERM_MISSING"),
            (r#"{"error":{"code":"LIMIT","message":"too many"}}"#, "LIMIT; too many"),
            (
                r#"{"type":"about:blank","title":"Forbidden","detail":"no permission set"}"#,
                "Forbidden; no permission set",
            ),
            (r#"{"message":"Bad","details":["first","second"]}"#, "Bad; first; second"),
            (r#"{"data":{"result":{"error_message":"deep"}},"success":false}"#, "deep"),
            (
                r#"{"fault":{"faultstring":"Invalid host","detail":{"errorcode":"CLASSIFICATION_FAILURE"}}}"#,
                "Invalid host; CLASSIFICATION_FAILURE",
            ),
            (r#"{"code":17,"message":null}"#, "HTTP 400 without a reason"),
            ("upstream connect error", "upstream connect error"),
            ("<!doctype html><TITLE>Down for Maintenance</TITLE>", "an HTML page (Down for Maintenance)"),
            ("<html></html>", "an HTML page (no title)"),
            ("", "HTTP 400 without a reason"),
            ("[]", "HTTP 400 without a reason"),
            ("17", "HTTP 400 without a reason"),
        ] {
            assert_eq!(read(body).words(400), words, "{body}");
        }
    }

    #[test]
    fn a_success_has_no_complaints() {
        for body in [
            r#"{"voiceCallId":"0LQ","errors":[]}"#,
            r#"{"errors":null}"#,
            r#"{"errors":""}"#,
            r#"{"status":"pending"}"#,
            r#"{"code":"OK","title":"done","detail":"all well"}"#,
        ] {
            assert!(read(body).complaints.is_empty(), "{body}");
            assert_eq!(read(body).words(200), "HTTP 200 without a reason", "{body}");
        }
    }
}

#[cfg(test)]
mod tests {
    use Operation::{ClearRouting, Create, OmniFlow, Query, Update};
    use SalesforceApi::{Apex, Rest, Telephony};

    use super::*;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer { status, retry_after: None, html: false, body: body.into() }
    }

    /// One word for an outcome.
    fn word(outcome: &AnswerOutcome) -> &'static str {
        match outcome {
            AnswerOutcome::Done(_) => "done",
            AnswerOutcome::Again { .. } => "again",
            AnswerOutcome::Unknown { .. } => "unknown",
            AnswerOutcome::Reauthenticate { .. } => "reauthenticate",
            AnswerOutcome::Refused { .. } => "refused",
            AnswerOutcome::Misconfigured { .. } => "misconfigured",
        }
    }

    #[test]
    fn every_answer_means_one_thing() {
        let page = "<html><title>Maintenance</title></html>";
        let expired = r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;
        let limit = r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
        let lock = r#"{"data":null,"errors":["UNABLE_TO_LOCK_ROW: unable to obtain exclusive access"],"success":false}"#;
        let exception = r#"[{"errorCode":"APEX_ERROR","message":"System.NullPointerException"}]"#;
        let missing = r#"[{"errorCode":"NOT_FOUND","message":"Could not find a match for URL"}]"#;
        let spring =
            r#"{"timestamp":"2026-11-21T10:00:00Z","status":404,"error":"Not Found","path":"/voiceCalls/k"}"#;
        let failed = r#"{"data":null,"errors":["Status: bad value"],"success":false}"#;
        for (way, operation, status, body, expected) in [
            (Telephony, Create, 201, r#"{"voiceCallId":"0LQ1","errors":[]}"#, "done"),
            (Telephony, Create, 200, r#"{"voiceCallRecordId":"0LQ1"}"#, "done"),
            (Telephony, Create, 200, r#"{"voiceCallId":"0LQ1","errors":"a trigger complained"}"#, "done"),
            (Telephony, Create, 200, r#"{"voiceCallId":"","errors":["no"]}"#, "refused"),
            (Telephony, Create, 200, r#"{"errors":["UNABLE_TO_LOCK_ROW"]}"#, "again"),
            (Telephony, Create, 200, "{}", "unknown"),
            (Telephony, Create, 200, "", "unknown"),
            (Telephony, Create, 200, "OK", "unknown"),
            (Telephony, Create, 200, page, "again"),
            (Telephony, OmniFlow, 200, r#"{"queue":"Q"}"#, "done"),
            (Telephony, OmniFlow, 200, r#"{"errors":["no channel"]}"#, "refused"),
            (Telephony, OmniFlow, 200, "", "done"),
            (Telephony, Update, 200, r#"{"status":"pending"}"#, "done"),
            (Telephony, Update, 204, "", "done"),
            (Telephony, Update, 200, r#"{"errors":["bad field"]}"#, "refused"),
            (Telephony, ClearRouting, 204, "", "done"),
            (Telephony, ClearRouting, 200, "whatever", "done"),
            (Telephony, ClearRouting, 200, page, "again"),
            (Telephony, Create, 302, "", "misconfigured"),
            (Telephony, Create, 400, r#"{"message":"startTime"}"#, "refused"),
            (Telephony, Update, 400, lock, "again"),
            (Telephony, Create, 401, "", "reauthenticate"),
            (Telephony, Create, 403, page, "reauthenticate"),
            (Telephony, Create, 404, "", "misconfigured"),
            (Telephony, Update, 404, r#"{"message":"no such call"}"#, "refused"),
            (Telephony, Update, 404, page, "misconfigured"),
            (Telephony, Update, 404, "", "misconfigured"),
            (Telephony, Update, 404, "Not Found", "misconfigured"),
            (Telephony, Update, 404, "{}", "misconfigured"),
            (Telephony, Update, 404, missing, "misconfigured"),
            (Telephony, Update, 404, spring, "misconfigured"),
            (Telephony, OmniFlow, 404, "", "misconfigured"),
            (Telephony, ClearRouting, 404, "", "misconfigured"),
            (Telephony, ClearRouting, 404, r#"{"message":"no such call"}"#, "refused"),
            (Telephony, Create, 405, "", "misconfigured"),
            (Telephony, Update, 405, r#"{"message":"Method Not Allowed"}"#, "misconfigured"),
            (Telephony, ClearRouting, 405, page, "misconfigured"),
            (Telephony, Update, 400, page, "misconfigured"),
            (Telephony, Create, 408, "", "again"),
            (Telephony, Create, 429, "", "again"),
            (Telephony, Create, 500, "", "again"),
            (Telephony, Create, 502, page, "again"),
            (Telephony, Create, 503, page, "again"),
            (Telephony, Create, 504, page, "unknown"),
            (Apex, OmniFlow, 504, "", "unknown"),
            (Telephony, Update, 504, "", "again"),
            (Apex, Create, 200, r#"{"data":{"voiceCallId":"0LQ1"},"errors":null,"success":true}"#, "done"),
            (Apex, Create, 200, failed, "refused"),
            (Apex, Update, 200, failed, "refused"),
            (Apex, ClearRouting, 200, failed, "refused"),
            (Apex, Update, 200, lock, "again"),
            (Apex, Create, 400, failed, "refused"),
            (Apex, Create, 401, expired, "reauthenticate"),
            (Apex, Create, 403, limit, "again"),
            (Apex, Create, 404, missing, "misconfigured"),
            (Apex, Update, 405, "", "misconfigured"),
            (Apex, Update, 400, page, "misconfigured"),
            (Apex, Create, 500, exception, "refused"),
            (Apex, OmniFlow, 500, exception, "refused"),
            (Apex, Update, 500, exception, "again"),
            (Apex, ClearRouting, 500, exception, "again"),
            (Apex, Create, 502, page, "again"),
            (Rest, Query, 200, r#"{"totalSize":0,"done":true,"records":[]}"#, "done"),
            (Rest, Query, 200, r#"{"totalSize":0}"#, "again"),
            (Rest, Query, 200, "", "again"),
            (Rest, Query, 200, page, "again"),
            (Rest, Query, 400, r#"[{"errorCode":"INVALID_TYPE","message":"VoiceCall"}]"#, "refused"),
            (Rest, Query, 401, expired, "reauthenticate"),
            (Rest, Query, 403, limit, "again"),
            (Rest, Query, 404, missing, "refused"),
            (Rest, Query, 500, "", "again"),
        ] {
            let outcome = judge(way, operation, &answer(status, body));
            assert_eq!(word(&outcome), expected, "{way:?} {operation:?} {status} {body}: {outcome:?}");
        }
    }

    #[test]
    fn the_wrappers_envelope_is_taken_off() {
        let body = r#"{"data":{"voiceCallId":"0LQ1"},"errors":["a trigger complained"],"success":true}"#;
        let AnswerOutcome::Done(data) = judge(Apex, Create, &answer(200, body)) else { panic!("not done") };
        assert_eq!(voice_call_id(&data), Some("0LQ1"));
        assert_eq!(data["errors"][0], "a trigger complained");
    }

    #[test]
    fn a_pause_that_salesforce_asks_for_is_passed_on() {
        let after = Some(Duration::from_secs(7));
        let answer = HttpAnswer { retry_after: after, ..answer(429, "") };
        let again = AnswerOutcome::Again { after, words: "HTTP 429 without a reason".into() };
        assert_eq!(judge(Telephony, Create, &answer), again);
    }

    #[test]
    fn a_fault_of_the_connection_means_later() {
        for (fault, expected) in [
            (HttpFault::Late, Failure::Late),
            (
                HttpFault::Connect("refused".into()),
                Failure::Again { after: None, words: "it cannot be reached".into() },
            ),
        ] {
            assert_eq!(Failure::from(fault), expected);
        }
    }
}
