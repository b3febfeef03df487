//! Which errors a route can answer: made of the errors themselves, so that statuses, texts and headers are those that are
//! sent.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

use super::super::oauth::OAuthError;
use super::super::{ApiError, Route, envelope};
use super::JSON;
use crate::salesforce::Failure;

/// Routes that answer the same errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Voice routes that ask Salesforce.
    Voice,
    /// Voice routes that only keep what they are told.
    Kept,
    /// Credentials alone.
    Validate,
    /// The token endpoint.
    Token,
    /// Webhooks.
    Webhook,
}

impl Family {
    /// The family of a voice route.
    pub(super) fn of(route: Route) -> Self {
        if route == Route::AgentAnswered { Self::Kept } else { Self::Voice }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Voice => "Voice",
            Self::Kept => "Kept",
            Self::Validate => "Validate",
            Self::Token => "Token",
            Self::Webhook => "Webhook",
        }
    }

    /// The statuses of its errors, each with the name of its answer.
    pub(super) fn statuses(self) -> Vec<(u16, String)> {
        by_status(self).into_iter().map(|(status, _)| (status, self.answer(status))).collect()
    }

    fn answer(self, status: u16) -> String {
        format!("{}{status}", self.name())
    }
}

/// The answers of all families, by name.
pub(super) fn all() -> impl Iterator<Item = (String, Response)> {
    [Family::Voice, Family::Kept, Family::Validate, Family::Token, Family::Webhook].into_iter().flat_map(
        |family| {
            by_status(family).into_iter().map(move |(status, response)| (family.answer(status), response))
        },
    )
}

/// An error of a family: a name for the example, what it means, and its answer.
struct ErrorExample {
    name: &'static str,
    status: u16,
    schema: &'static str,
    body: Value,
    retry_after: bool,
    authenticate: bool,
}

impl ErrorExample {
    fn of(error: &ApiError) -> Self {
        Self::answer(error.label(), "Failure", error.body(), &error.response())
    }

    fn of_token(error: &OAuthError) -> Self {
        Self::answer(error.code(), "TokenError", error.body(), &error.response())
    }

    fn answer(name: &'static str, schema: &'static str, body: Value, response: &HttpResponse) -> Self {
        Self {
            name,
            status: response.status().as_u16(),
            schema,
            body,
            retry_after: response.headers().contains_key(RETRY_AFTER),
            authenticate: response.headers().contains_key(WWW_AUTHENTICATE),
        }
    }
}

/// The answers of a family, by status.
fn by_status(family: Family) -> Vec<(u16, Response)> {
    let mut statuses: BTreeMap<u16, Vec<ErrorExample>> = BTreeMap::new();
    for told in told(family) {
        statuses.entry(told.status).or_default().push(told);
    }
    statuses.into_iter().map(|(status, told)| (status, response(status, told))).collect()
}

fn response(status: u16, told: Vec<ErrorExample>) -> Response {
    let mut kinds: Vec<&str> = told.iter().map(|one| one.schema).collect();
    kinds.dedup();
    let schema: RefOr<Schema> = match kinds.as_slice() {
        [kind] => Ref::from_schema_name(*kind).into(),
        _ => super::schemas::one_of(kinds.iter().map(|kind| super::schemas::reference(kind))),
    };
    let (retry_after, authenticate) =
        (told.iter().any(|one| one.retry_after), told.iter().any(|one| one.authenticate));
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let examples = told.into_iter().map(|one| {
        let count = names.entry(one.name).or_default();
        *count += 1;
        let name = if *count == 1 { one.name.to_owned() } else { format!("{}_{count}", one.name) };
        (name, ExampleBuilder::new().value(Some(one.body)))
    });
    let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
    let mut response = with_request_id_unless(
        status,
        ResponseBuilder::new().description(meaning(status)).content(JSON, content),
    );
    if retry_after {
        response = response.header("Retry-After", seconds());
    }
    if authenticate {
        response = response.header("WWW-Authenticate", text("How to get in."));
    }
    response.build()
}

/// A request that does not arrive has no id.
fn with_request_id_unless(status: u16, response: ResponseBuilder) -> ResponseBuilder {
    if status == 408 { response } else { with_request_id(response) }
}

/// Every answer tells under which id the log has it.
pub(super) fn with_request_id(response: ResponseBuilder) -> ResponseBuilder {
    response.header(
        "X-Request-Id",
        text("The `request_id` of the line in the log; a sound one of the request is taken over."),
    )
}

fn text(words: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new().schema(Some(schema)).description(Some(words)).build()
}

fn seconds() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_isize));
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("Seconds until a repetition may succeed."))
        .build()
}

/// What a status means, as in docs/errors.md.
fn meaning(status: u16) -> &'static str {
    match status {
        400 => "The body cannot be read, or fields are missing or wrong.",
        401 => "No credentials, or wrong ones.",
        403 => "This client may not use that contact center.",
        404 => "Not there.",
        408 => "It did not arrive in time.",
        413 => "The body is over 64 KiB.",
        415 => "The content type is not JSON.",
        422 => "Salesforce refused the data; its own words follow.",
        424 => "Salesforce refused the bridge: an administrator must act.",
        429 => "Too many wrong credentials.",
        431 => "Path and headers are too long.",
        500 => "A fault of the bridge itself.",
        503 => "Salesforce, the database or the bridge cannot do it now.",
        504 => "The route's deadline passed.",
        _ => "An error.",
    }
}

fn told(family: Family) -> Vec<ErrorExample> {
    // 408 is written below HTTP.
    let slow = ErrorExample {
        name: "too_slow",
        status: 408,
        schema: "Failure",
        body: envelope::failure_body(&["request: did not arrive in time".to_owned()]),
        retry_after: false,
        authenticate: false,
    };
    let mut all = vec![slow];
    all.extend(of_every_route().iter().map(ErrorExample::of));
    match family {
        Family::Validate => all.extend(of_credentials().iter().map(ErrorExample::of)),
        Family::Token => all.extend(OAuthError::examples().iter().map(ErrorExample::of_token)),
        Family::Webhook => all.extend(of_webhooks().iter().map(ErrorExample::of)),
        Family::Voice | Family::Kept => {
            all.extend(of_credentials().iter().map(ErrorExample::of));
            all.extend(of_bodies().iter().map(ErrorExample::of));
        }
    }
    if family == Family::Voice {
        all.extend(of_salesforce().iter().map(ErrorExample::of));
    }
    all
}

fn of_every_route() -> [ApiError; 2] {
    [ApiError::LongHead { problem: "headers: more than 64".to_owned() }, ApiError::Internal]
}

fn of_credentials() -> [ApiError; 3] {
    [ApiError::Unauthorized, ApiError::Token, ApiError::Throttled { after: Duration::from_secs(42) }]
}

fn of_bodies() -> Vec<ApiError> {
    vec![
        ApiError::Invalid(
            ["to: missing or empty", "startTime: is no time: expected RFC 3339 with an offset, such as 2026-11-21T10:00:00.123Z, or epoch seconds or milliseconds"]
                .map(str::to_owned)
                .into(),
        ),
        ApiError::BrokenBody,
        ApiError::Forbidden { call_center: "Sandbox".to_owned() },
        ApiError::TooLarge,
        ApiError::NotJson,
        ApiError::Busy,
        ApiError::Store,
        ApiError::StoreLate,
        ApiError::InFlight,
        ApiError::SlowBody,
    ]
}

fn of_webhooks() -> Vec<ApiError> {
    vec![
        ApiError::Invalid(vec!["body: not JSON".to_owned()]),
        ApiError::BrokenBody,
        ApiError::Signature,
        ApiError::NotFound,
        ApiError::TooLarge,
        ApiError::Busy,
        ApiError::Store,
        ApiError::StoreLate,
        ApiError::SlowBody,
    ]
}

fn of_salesforce() -> Vec<ApiError> {
    let words = |text: &str| text.to_owned();
    [
        Failure::Refused {
            words: words("No such column 'Langauge__c' on sobject of type VoiceCall (INVALID_FIELD)"),
        },
        Failure::Misconfigured {
            words: words("401 Unauthorized, also with a fresh token; see certificate and org_id"),
        },
        Failure::Again { after: Some(Duration::from_secs(5)), words: words("503 Service Unavailable") },
        Failure::Unanswered { words: words("the connection broke before the answer") },
        Failure::NotAsked {
            after: Duration::from_secs(8),
            words: words("it failed too often and is left alone for a moment"),
        },
        Failure::Late,
        Failure::NoTime,
    ]
    .map(ApiError::Salesforce)
    .into()
}
