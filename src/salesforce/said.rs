//! Reading what Salesforce says beside the status: every shape of an error body that is known.

use std::collections::HashSet;

use serde_json::Value;

use super::http::Answer;
use crate::domain::quote;

/// The body of an answer, read as far as it can be read.
#[derive(Debug)]
pub struct Said {
    /// The body as JSON, if it is JSON.
    pub json: Option<Value>,
    /// Complaints, each with its code in front if it has one; empty if there are none.
    pub complaints: Vec<String>,
    /// Whether it is a page for people: an edge answered, not the API.
    pub page: bool,
}

impl Said {
    /// Reads `[{message, errorCode}]`, `{errors: [..] | ".."}`, `{message, errorCode}`,
    /// `{error, error_description}`, plain text and HTML.
    #[must_use]
    pub fn read(answer: &Answer) -> Self {
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
        Self { json, complaints, page }
    }

    /// Whether a code or word stands in any complaint.
    #[must_use]
    pub fn mentions(&self, word: &str) -> bool {
        self.complaints.iter().any(|complaint| complaint.contains(word))
    }

    /// The complaints as they may be shown; the status where there are none.
    #[must_use]
    pub fn words(&self, status: u16) -> String {
        if self.complaints.is_empty() {
            return format!("HTTP {status} without a reason");
        }
        quote(&self.complaints.join("; "))
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

    fn read(body: &str) -> Said {
        Said::read(&Answer { status: 400, retry_after: None, html: false, body: body.into() })
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
        ] {
            assert!(read(body).complaints.is_empty(), "{body}");
        }
    }
}
