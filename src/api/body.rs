//! The body of a request: bytes to a JSON object, its fields one by one, and a list of everything that is wrong with them.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Display;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::body::{BodyStream, MessageBody as _};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::{HttpRequest, web};
use bytes::BytesMut;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::ApiError;
use crate::domain::{FlowTime, InvalidName, Rest, quote};
use crate::listener::ConnectionActivity;

/// The most bytes of a body.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Reads at most [`BODY_LIMIT`] bytes.
///
/// # Errors
/// When there are more, or the connection ends first.
pub async fn read(request: &HttpRequest, payload: web::Payload) -> Result<web::Bytes, ApiError> {
    let _reads = request.conn_data::<ConnectionActivity>().map(ConnectionActivity::read_body);
    let mut body = pin!(BodyStream::new(payload));
    // The buffer grows with what arrives: a whole body reserved for every announced one would allow clients to fill
    // memory.
    let mut bytes = BytesMut::new();
    while let Some(part) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let part = part.map_err(|_| ApiError::BrokenBody)?;
        if bytes.len() + part.len() > BODY_LIMIT {
            return Err(ApiError::TooLarge);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.freeze())
}

/// The length that the request announces.
pub fn announced_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Flows send `Application/JSON`, with parameters, and some send the header twice: one that names JSON is enough,
/// and so is none.
///
/// # Errors
/// When every content type is something else.
pub fn expect_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut kinds = headers.get_all(CONTENT_TYPE).peekable();
    let names_json = |kind: &[u8]| kind.to_ascii_lowercase().windows(4).any(|word| word == b"json");
    if kinds.peek().is_none() || kinds.any(|kind| names_json(kind.as_bytes())) {
        return Ok(());
    }
    Err(ApiError::NotJson)
}

/// The fields of a JSON object in their order; so few that searching is faster than hashing their names.
#[derive(Debug, Default, PartialEq)]
pub struct JsonObject(pub Vec<(String, Value)>);

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = JsonObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject, A::Error> {
                let mut entries = Vec::with_capacity(16);
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(JsonObject(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl From<Map<String, Value>> for JsonObject {
    fn from(map: Map<String, Value>) -> Self {
        Self(map.into_iter().collect())
    }
}

/// The object of a body, and whether stray characters follow it: a published template of the vendor ends in some.
///
/// # Errors
/// Line, column and what was expected.
pub fn object(bytes: &[u8]) -> Result<(JsonObject, bool), ApiError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut objects = serde_json::Deserializer::from_slice(bytes).into_iter::<JsonObject>();
    match objects.next() {
        None => Err(invalid("body: empty; expected a JSON object")),
        // Such an error would quote the value, which may be a phone number.
        Some(Err(error)) if error.is_data() => {
            Err(invalid("body: expected a JSON object at line 1, column 1"))
        }
        Some(Err(error)) => Err(invalid(&not_json(&error, bytes))),
        Some(Ok(object)) => {
            let rest = bytes.get(objects.byte_offset()..).unwrap_or_default();
            Ok((object, !rest.trim_ascii().is_empty()))
        }
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::Invalid(vec![message.to_owned()])
}

/// The parser's error without any of the content, and the most frequent mistake of flow designers.
fn not_json(error: &serde_json::Error, bytes: &[u8]) -> String {
    let (line, column) = (error.line(), error.column().max(1));
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let expected = match (words, at(bytes, line, column)) {
        (_, _) if error.is_eof() => "the body ends too early",
        ("expected value", Some(b',' | b'}' | b']')) => {
            "expected a value (a flow variable that is not set leaves nothing behind: quote it)"
        }
        ("expected value" | "expected ident", _) => "expected a value (is a text without quotes?)",
        ("key must be a string", Some(b'{')) => {
            "expected a field name in quotes (a flow variable was not filled in)"
        }
        ("key must be a string", _) => "expected a field name in quotes",
        ("expected `,` or `}`", _) => "expected , or } (is there a quote inside a text?)",
        (words, _) if words.starts_with("control character") => {
            "a line break or control character inside a text"
        }
        (words, _) => words,
    };
    format!("body: not JSON at line {line}, column {column}: {expected}")
}

/// The byte the parser stopped at; lines and columns count from 1.
fn at(bytes: &[u8], line: usize, column: usize) -> Option<u8> {
    let line = bytes.split(|&byte| byte == b'\n').nth(line.checked_sub(1)?)?;
    line.get(column.checked_sub(1)?).copied()
}

/// Values of flow variables that are not set: such a field counts as left out.
const UNSET_WORDS: [&str; 3] = ["null", "undefined", "none"];
/// The same, where an id, a key, an agent, a number or a time is expected. Elsewhere they may be meant.
const UNSET_NAMES: [&str; 3] = ["na", "n/a", "uninitialized"];

/// The fields that had the value of an unset variable: each is logged once.
#[derive(Debug, Clone, Default)]
pub struct UnsetWords(Arc<Mutex<BTreeSet<String>>>);

impl UnsetWords {
    fn log_once(&self, field: &str, word: &str) {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.insert(field.to_owned()) {
            tracing::warn!(
                field,
                word,
                "a flow sends the word of an unset variable; it counts as left out. This is said once of each field"
            );
        }
    }
}

#[cfg(test)]
thread_local! {
    /// The fields that were asked for, for the test of the description of the API.
    pub static ASKED: std::cell::RefCell<BTreeSet<String>> = const { std::cell::RefCell::new(BTreeSet::new()) };
}

/// The fields of a body that are not taken yet, and the problems so far. An empty string and null count as left out,
/// because that is what an unset flow variable becomes; some become a word.
pub struct BodyFields {
    fields: Vec<(String, Value)>,
    problems: Vec<String>,
    unset: UnsetWords,
}

impl BodyFields {
    /// The fields of a body.
    pub fn new(fields: impl Into<JsonObject>, unset: &UnsetWords) -> Self {
        Self { fields: fields.into().0, problems: Vec::new(), unset: unset.clone() }
    }

    /// The fields of an object in the body.
    pub fn part(&self, fields: Map<String, Value>) -> Self {
        Self::new(fields, &self.unset)
    }

    /// All fields that are not yet taken.
    pub fn each(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Adds a problem with a field. Its text may quote the field, which may contain a phone number by mistake: such a
    /// number is hidden.
    pub fn problem(&mut self, name: &str, problem: impl Display) {
        self.problems.push(format!("{name}: {}", quote(&problem.to_string())));
    }

    /// How many problems there are so far.
    pub fn count_problems(&self) -> usize {
        self.problems.len()
    }

    /// Takes a field, if it has a value. Of a name given twice the last one counts.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        #[cfg(test)]
        ASKED.with_borrow_mut(|asked| asked.insert(name.to_owned()));
        // Of most names that are asked for there is no field.
        if !self.fields.iter().any(|(field, _)| field == name) {
            return None;
        }
        let mut value = None;
        self.fields.retain_mut(|(field, found)| {
            let other = field != name;
            if !other {
                value = Some(std::mem::take(found));
            }
            other
        });
        let value = value.filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        })?;
        self.unless_word(name, value, &UNSET_WORDS)
    }

    /// Takes a field with a name or an id.
    fn take_name(&mut self, name: &str) -> Option<Value> {
        let value = self.take(name)?;
        self.unless_word(name, value, &UNSET_NAMES)
    }

    fn unless_word(&self, name: &str, value: Value, words: &'static [&'static str]) -> Option<Value> {
        let text = value.as_str().map(str::trim);
        let word = words.iter().find(|word| text.is_some_and(|text| text.eq_ignore_ascii_case(word)));
        let Some(word) = word else { return Some(value) };
        self.unset.log_once(name, word);
        None
    }

    /// Takes a text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        self.as_text(name, value)
    }

    /// Takes the text of an id, a key, an agent or a number.
    pub fn named(&mut self, name: &str) -> Option<String> {
        let value = self.take_name(name)?;
        self.as_text(name, value)
    }

    fn as_text(&mut self, name: &str, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            other => {
                self.problem(name, format_args!("expected text, got {}", kind(&other)));
                None
            }
        }
    }

    /// Takes what `take` finds, or adds the problem that the field is missing. A field with a wrong value is a problem
    /// already.
    pub fn required<T>(&mut self, name: &str, take: impl FnOnce(&mut Self, &str) -> Option<T>) -> Option<T> {
        let before = self.problems.len();
        let found = take(self, name);
        if found.is_none() && self.problems.len() == before {
            self.problem(name, "missing or empty");
        }
        found
    }

    /// Takes a text that is parsed into a name.
    pub fn name<T>(&mut self, name: &str, parse: impl FnOnce(String) -> Result<T, InvalidName>) -> Option<T> {
        let text = self.named(name)?;
        parse(text).map_err(|invalid| self.problem(name, invalid)).ok()
    }

    /// Takes a time: text, or an epoch as a number.
    pub fn time(&mut self, name: &str) -> Option<FlowTime> {
        let time = match self.take_name(name)? {
            Value::String(text) => FlowTime::parse(&text),
            Value::Number(number) => FlowTime::from_epoch(number.as_f64().unwrap_or(f64::NAN)),
            other => {
                self.problem(name, format_args!("expected a time, got {}", kind(&other)));
                return None;
            }
        };
        time.map_err(|invalid| self.problem(name, invalid)).ok()
    }

    /// Takes a boolean, also as text.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.take(name)?;
        let read = match &value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        if read.is_none() {
            self.problem(name, format_args!("expected true or false, got {}", kind(&value)));
        }
        read
    }

    /// Takes a whole number from 0 on, also as text.
    pub fn count(&mut self, name: &str) -> Option<u64> {
        let value = self.take(name)?;
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse::<f64>().ok(),
            _ => None,
        };
        let whole = number.filter(|number| number.fract() == 0.0 && (0.0..=LARGEST_COUNT).contains(number));
        if whole.is_none() {
            self.problem(name, format_args!("expected a whole number from 0 on, got {}", kind(&value)));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and within 0 to MOST"
        )]
        whole.map(|number| number as u64)
    }

    /// Takes an object.
    pub fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.take(name)? {
            Value::Object(fields) => Some(fields),
            other => {
                self.problem(name, format_args!("expected an object, got {}", kind(&other)));
                None
            }
        }
    }

    /// Puts a checked value back among the fields that are passed on.
    pub fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.fields.push((name.to_owned(), value.into()));
        }
    }

    /// The fields that were not taken: they are passed on unchanged.
    pub fn rest(&mut self) -> Rest {
        std::mem::take(&mut self.fields).into_iter().collect()
    }

    /// Adds the problems of an object in the body, each under its name.
    pub fn absorb(&mut self, part: &str, other: Self) {
        self.problems.extend(other.problems.into_iter().map(|problem| format!("{part}.{problem}")));
    }

    /// The request, if there is no problem.
    ///
    /// # Errors
    /// Every problem.
    pub fn finish<T>(self, request: Option<T>) -> Result<T, ApiError> {
        match request {
            Some(request) if self.problems.is_empty() => Ok(request),
            _ => Err(ApiError::Invalid(self.problems)),
        }
    }
}

/// The largest count: what a whole number in Salesforce can be.
const LARGEST_COUNT: f64 = 2_147_483_647.0;

/// The type of a value; never the value, which may be a phone number.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(body: &str) -> String {
        match object(body.as_bytes()) {
            Err(ApiError::Invalid(problems)) => problems.join("; "),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_json_is_reported_with_line_and_column() {
        insta::assert_snapshot!([
            "",
            "{",
            "[]",
            "nothing",
            "{\n  \"isActiveCall\": ,\n  \"x\": 1 }",
            "{\"numberOfHolds\": }",
            "{\"a\": {{Variable}} }",
            "{\"a\": \"b\" \"c\": 1}",
            "{\"a\": \"line\nbreak\"}",
            "{\"a\": 01}",
        ]
        .map(problem)
        .join("\n"), @r#"
        body: empty; expected a JSON object
        body: not JSON at line 1, column 1: the body ends too early
        body: expected a JSON object at line 1, column 1
        body: not JSON at line 1, column 2: expected a value (is a text without quotes?)
        body: not JSON at line 2, column 19: expected a value (a flow variable that is not set leaves nothing behind: quote it)
        body: not JSON at line 1, column 19: expected a value (a flow variable that is not set leaves nothing behind: quote it)
        body: not JSON at line 1, column 8: expected a field name in quotes (a flow variable was not filled in)
        body: not JSON at line 1, column 11: expected , or } (is there a quote inside a text?)
        body: not JSON at line 2, column 1: a line break or control character inside a text
        body: not JSON at line 1, column 8: invalid number
        "#);
    }

    #[test]
    fn stray_characters_after_the_object_are_tolerated() {
        for (body, stray) in [
            ("{\"a\":1}", false),
            ("\u{FEFF}{\"a\":1} \n", false),
            ("{\"a\":1}\"", true),
            ("{\"a\":1} }", true),
        ] {
            let (fields, found) = object(body.as_bytes()).unwrap();
            assert_eq!((fields.0.len(), found), (1, stray), "{body}");
        }
    }

    #[test]
    fn a_body_nested_too_deep_is_refused_not_overflowed() {
        assert!(problem(&"{\"a\":".repeat(10_000)).contains("recursion limit exceeded"));
        assert!(problem(&format!("{{\"a\":{}", "[".repeat(60_000))).contains("recursion limit exceeded"));
    }

    #[test]
    fn json_is_recognised_in_every_spelling() {
        let headers = |kinds: &[&str]| {
            let mut headers = HeaderMap::new();
            for kind in kinds {
                headers.append(CONTENT_TYPE, kind.parse().unwrap());
            }
            headers
        };
        for kinds in [
            &["Application/JSON"][..],
            &["application/json; charset=UTF-8"],
            &["application/json, application/json"],
            &["text/plain", "application/json"],
            &[],
        ] {
            assert!(expect_json(&headers(kinds)).is_ok(), "{kinds:?}");
        }
        assert_eq!(expect_json(&headers(&["application/xml"])), Err(ApiError::NotJson));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = object(&bytes);
        }
    }
}
