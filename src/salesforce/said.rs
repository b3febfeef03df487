//! Reading what Salesforce says beside the status: every shape of an error body that is known.

use std::collections::HashSet;

use serde_json::Value;

use super::http::HttpAnswer;
use crate::domain::quote;

/// The body of an answer, read as far as it can be read.
#[derive(Debug)]
pub struct AnswerText {
    /// The body as JSON, if it is JSON.
    pub json: Option<Value>,
    /// Complaints, each with its code in front if it has one; empty if there are none.
    pub complaints: Vec<String>,
    /// Words that stand where no known shape of an error has any. Beside a success they are no complaint.
    others: Vec<String>,
    /// Whether it is a page for people: an edge answered, not the API.
    pub page: bool,
}

impl AnswerText {
    /// Reads `[{message, errorCode}]`, `{errors: [..] | ".."}`, `{message, errorCode}`,
    /// `{error, error_description}`, plain text and HTML.
    #[must_use]
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
        // Some bodies say the same as a message and in a list.
        let mut said = HashSet::new();
        complaints.retain(|complaint| said.insert(complaint.clone()));
        let mut others = Vec::new();
        if let Some(json) = &json {
            collect(json, false, &mut others);
        }
        others.retain(|word| !complaints.iter().any(|complaint| complaint.contains(word.as_str())));
        Self { json, complaints, others, page }
    }

    /// Whether a code or word stands in what is said of a failure.
    #[must_use]
    pub fn mentions(&self, word: &str) -> bool {
        self.complaints.iter().chain(&self.others).any(|said| said.contains(word))
    }

    /// What is said beside this status, as it may be shown; the status itself where nothing is.
    #[must_use]
    pub fn words(&self, status: u16) -> String {
        let others: &[String] = if (200..300).contains(&status) { &[] } else { &self.others };
        let said: Vec<&str> = self.complaints.iter().chain(others).map(String::as_str).collect();
        if said.is_empty() {
            return format!("HTTP {status} without a reason");
        }
        quote(&said.join("; "))
    }
}

/// Names of fields that hold words about a failure, in lower case and without underscores.
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
/// More words than that help nobody.
const MOST: usize = 8;

/// Gathers what stands in telling fields, wherever they are. `is_telling`: this value stands in one.
fn collect(json: &Value, is_telling: bool, words: &mut Vec<String>) {
    match json {
        Value::String(text) => {
            let text = text.trim();
            if is_telling && !text.is_empty() && words.len() < MOST && words.iter().all(|word| word != text) {
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

/// What an HTML page calls itself.
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
mod tests {
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
