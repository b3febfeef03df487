//! Reading a body: bytes to a JSON object, with a clear word where that fails.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;

use actix_web::body::{BodyStream, MessageBody as _};
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::{HttpRequest, web};
use bytes::BytesMut;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::ApiError;
use crate::listener::ConnectionActivity;

/// The most a body may have.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Reads at most [`BODY_LIMIT`] bytes.
///
/// # Errors
/// When there are more, or the connection ends first.
pub async fn read(request: &HttpRequest, payload: web::Payload) -> Result<web::Bytes, ApiError> {
    let _reads = request.conn_data::<ConnectionActivity>().map(ConnectionActivity::read_body);
    let mut body = pin!(BodyStream::new(payload));
    // It grows with what comes: room for a whole body, for everybody who announces one, would be a way to fill memory.
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

/// The fields of a JSON object as they came; few enough that looking through them beats hashing their names.
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
        // Such an error would quote the value: it could be a number of somebody.
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

/// The parser's words without any of the content, and what flow designers most often did.
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
    fn what_is_not_json_is_told_with_line_and_column() {
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
