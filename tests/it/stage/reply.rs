//! An answer of the bridge, and what is true of every one.

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What no error body may hold: parts of the numbers that the tests use, and the secrets.
pub const CANARIES: [&str; 6] = ["4693150217", "315-0217", "315 0217", "8005550100", "s3cret", "eyJ"];

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Reply {
    /// Sends, and reads what comes back.
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, body }
    }

    /// A header as text; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The data of a success: exactly 200, in a whole envelope.
    pub fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        let keys: Vec<_> = self.body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["data", "errors", "success"], "{}", self.text);
        assert_eq!((&self.body["errors"], &self.body["success"]), (&Value::Null, &Value::Bool(true)));
        &self.body["data"]
    }

    /// The messages of an error: this status, in a whole envelope under 1 KB, without numbers and secrets.
    pub fn errors(&self, status: u16) -> Vec<&str> {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        let keys: Vec<_> = self.body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["data", "errors", "success"], "{}", self.text);
        assert_eq!((&self.body["data"], &self.body["success"]), (&Value::Null, &Value::Bool(false)));
        assert!(self.text.len() < 1_000, "{} bytes: {}", self.text.len(), self.text);
        for canary in CANARIES {
            assert!(!self.text.contains(canary), "{canary} in {}", self.text);
        }
        let errors = self.body["errors"].as_array().unwrap();
        assert!(!errors.is_empty());
        errors.iter().map(|error| error.as_str().unwrap()).collect()
    }

    /// The only message of an error.
    pub fn error(&self, status: u16) -> &str {
        let errors = self.errors(status);
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors[0]
    }
}
