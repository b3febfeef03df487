//! The envelope: every answer of the voice routes is complete JSON, because flows read it by JSONPath.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Serialize;

use crate::domain::cut;

/// A message is at most this long, in characters.
const LONGEST_MESSAGE: usize = 360;
/// All messages together are at most this long, in bytes, so that an error body stays under 1 KB.
const LONGEST_LIST: usize = 900;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Serialize)]
struct ResponseEnvelope<'a, T> {
    data: Option<T>,
    errors: Option<&'a [String]>,
    success: bool,
}

/// 200 with data: exactly 200, because a flow takes any other 2xx for a failure.
pub fn success(data: impl Serialize) -> HttpResponse {
    respond(StatusCode::OK, &ResponseEnvelope { data: Some(data), errors: None, success: true })
}

/// An error with its messages, cut to fit.
pub fn failure(status: StatusCode, retry_after: Option<u64>, messages: Vec<String>) -> HttpResponse {
    let messages = fit(messages);
    let mut response =
        respond(status, &ResponseEnvelope::<()> { data: None, errors: Some(&messages), success: false });
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The body of an error as it is described.
pub fn failure_body(messages: &[String]) -> serde_json::Value {
    let body = ResponseEnvelope::<()> { data: None, errors: Some(messages), success: false };
    serde_json::to_value(body).unwrap_or_default()
}

/// The body of an error alone, for an answer outside of any request.
pub fn failure_text(message: &str) -> Vec<u8> {
    let messages = [message.to_owned()];
    serde_json::to_vec(&ResponseEnvelope::<()> { data: None, errors: Some(&messages), success: false })
        .unwrap_or_default()
}

fn respond(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    let body = serde_json::to_vec(body).unwrap_or_default();
    HttpResponse::build(status).insert_header((CONTENT_TYPE, JSON)).body(body)
}

/// As many messages as fit, and how many more there are.
fn fit(messages: Vec<String>) -> Vec<String> {
    let total = messages.len();
    let mut room = LONGEST_LIST;
    let mut fitting: Vec<String> = Vec::with_capacity(total);
    for message in messages {
        let message = cut(message, LONGEST_MESSAGE);
        // The size in the JSON body, with quotes and escapes.
        let size = serde_json::to_string(&message).map_or(usize::MAX, |text| text.len() + 1);
        if size > room {
            break;
        }
        room -= size;
        fitting.push(message);
    }
    match total - fitting.len() {
        0 => {}
        more => fitting.push(format!("and {more} more")),
    }
    fitting
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_error_body_is_under_one_kilobyte(messages in proptest::collection::vec("\\PC{0,500}", 0..30)) {
            let messages = fit(messages);
            let body = serde_json::to_vec(&ResponseEnvelope::<()> { data: None, errors: Some(&messages), success: false });
            prop_assert!(body.unwrap().len() < 1000);
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let messages = (0..100).map(|i| format!("field{i}: is missing or has the wrong type")).collect();
        let shown = fit(messages);
        assert_eq!(shown.last().unwrap(), &format!("and {} more", 100 - (shown.len() - 1)));
    }
}
