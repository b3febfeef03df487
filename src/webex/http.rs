//! One request to Webex: bounded in time and size, no redirects followed.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Request};
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::domain::quote;
use crate::salesforce::{causes, retry_after};

/// A complete answer, of any status.
#[derive(Debug)]
pub(in crate::webex) struct ExchangeAnswer {
    pub(in crate::webex) status: u16,
    /// The header `Retry-After`.
    pub(in crate::webex) retry_after: Option<Duration>,
    pub(in crate::webex) body: Vec<u8>,
}

/// The limits of one request: its time, and the bytes of its answer.
#[derive(Debug, Clone, Copy)]
pub(in crate::webex) struct ExchangeLimits {
    pub(in crate::webex) within: Duration,
    pub(in crate::webex) bytes: usize,
}

/// Why no complete answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::webex) enum ExchangeFault {
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    #[error("{0}")]
    Broken(String),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// A POST with a form.
pub(in crate::webex) fn form(url: Url, fields: &[(&str, &str)]) -> Request {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = Request::new(Method::POST, url);
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    *request.body_mut() = Some(body.into());
    request
}

/// Sends a request and reads the answer.
pub(in crate::webex) async fn exchange(
    client: &Client,
    request: Request,
    bounds: ExchangeLimits,
) -> Result<ExchangeAnswer, ExchangeFault> {
    timeout(bounds.within, send(client, request, bounds.bytes))
        .await
        .unwrap_or(Err(ExchangeFault::Late(bounds.within)))
}

async fn send(client: &Client, request: Request, bytes: usize) -> Result<ExchangeAnswer, ExchangeFault> {
    let mut response = client.execute(request).await.map_err(broken)?;
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        body.extend_from_slice(&chunk);
        if body.len() > bytes {
            return Err(ExchangeFault::TooLong(bytes));
        }
    }
    Ok(ExchangeAnswer { status, retry_after, body })
}

fn broken(error: reqwest::Error) -> ExchangeFault {
    ExchangeFault::Broken(causes(error))
}

/// The headers of a request with a bearer token.
pub(in crate::webex) fn headers(authorization: &HeaderValue, tracking_id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(reqwest::header::AUTHORIZATION, authorization.clone());
    if let Ok(tracking_id) = HeaderValue::from_str(tracking_id) {
        headers.insert("TrackingId", tracking_id);
    }
    headers
}

/// The error text in a body, in any of the shapes that Webex uses, fit for a log.
pub(in crate::webex) fn error_text(answer: &ExchangeAnswer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let at = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let words = at("/error/message/0/description")
        .or_else(|| at("/error_description"))
        .or_else(|| at("/errors/0/description"))
        .or_else(|| at("/message"))
        .or_else(|| at("/error/key"))
        .or_else(|| at("/error"));
    match words {
        Some(words) => format!("HTTP {}: {}", answer.status, quote(words)),
        None => format!("HTTP {}", answer.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errors_words_are_found_in_every_shape_and_numbers_are_hidden() {
        let error_text = |body: &str| {
            error_text(&ExchangeAnswer { status: 400, retry_after: None, body: body.as_bytes().to_vec() })
        };
        for (body, words) in [
            (r#"{"trackingId":"t","error":{"key":"k","message":[{"description":"no"}]}}"#, "HTTP 400: no"),
            (r#"{"error":{"key":"k"}}"#, "HTTP 400: k"),
            (r#"{"error":"invalid_grant","error_description":"old"}"#, "HTTP 400: old"),
            (r#"{"error":"invalid_grant"}"#, "HTTP 400: invalid_grant"),
            (r#"{"message":"gone","errors":[{"description":"really"}]}"#, "HTTP 400: really"),
            (r#"{"message":"call +14693150217"}"#, "HTTP 400: call (number hidden)"),
            ("<html>", "HTTP 400"),
        ] {
            assert_eq!(error_text(body), words, "{body}");
        }
    }
}
