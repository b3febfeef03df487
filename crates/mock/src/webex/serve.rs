//! The HTTP side: reads requests, lets bad days happen.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::super::answer::Answer;
use super::super::bad_day::BadDay;
use super::super::reply::{Reply, write};
use super::log::RecordedCall;
use super::operation::Operation;
use super::pages;
use super::refused::Refused;
use super::tenant::{Incoming, Tenant};

/// Longest body the tenant reads.
const LONGEST_BODY: usize = 1024 * 1024;

/// Serves any request: paths and methods are the tenant's business.
pub(super) async fn serve(request: HttpRequest, payload: Payload, tenant: Data<Tenant>) -> HttpResponse {
    let path = request.path().to_owned();
    let (operation, id) = Operation::locate(&path);
    let header = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let Ok(Ok(body)) = payload.to_bytes_limited(LONGEST_BODY).await else {
        return write(Reply::Nothing, tenant.now());
    };
    let incoming = Incoming {
        method: request.method().to_string(),
        path: path.clone(),
        query: request.query_string().to_owned(),
        content_type: header("content-type"),
        authorization: header("authorization"),
        tracking_id: header("trackingid"),
        body,
    };
    if let Some(page) = path.strip_prefix("/mock/") {
        return write(Reply::Whole(pages::attend(&tenant, page, &incoming)), tenant.now());
    }
    let day = tenant.bad_day(operation);
    let reply = match &day {
        None => Reply::Whole(tenant.answer(operation, id, &incoming)),
        Some(day) => spoiled(&tenant, operation, id, &incoming, day),
    };
    record(&tenant, operation, &incoming, &reply);
    match day {
        Some(BadDay::Slow { milliseconds } | BadDay::WorksLate { milliseconds }) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Some(BadDay::NeverAnswers) => std::future::pending().await,
        _ => {}
    }
    match reply {
        Reply::Whole(answer) if answer.status == 302 => redirect(&answer),
        reply => write(reply, tenant.now()),
    }
}

fn redirect(answer: &Answer) -> HttpResponse {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let to = body.get("location").and_then(Value::as_str).unwrap_or_default();
    HttpResponse::Found().insert_header((LOCATION, to)).finish()
}

/// The reply of a bad day. Whoever was slow, or closed the connection after the work, has done the work.
fn spoiled(
    tenant: &Tenant,
    operation: Operation,
    id: Option<&str>,
    incoming: &Incoming,
    day: &BadDay,
) -> Reply {
    let error = |status, key, retry_after| {
        let refused = Refused { retry_after, ..Refused::new(status, key, "scripted") };
        Reply::Whole(refused.answer(operation, "scripted"))
    };
    let work = || day.spoil(tenant.answer(operation, id, incoming));
    match day {
        BadDay::Unauthorized => error(401, "invalid_token", None),
        BadDay::Forbidden { body } => Reply::Whole(Answer::json(403, body)),
        BadDay::TooMany { retry_after } => error(429, "too_many_requests", *retry_after),
        BadDay::Unavailable { retry_after } => error(503, "unavailable", *retry_after),
        BadDay::Html { status } => {
            Reply::Whole(Answer::html(*status, "<html><body>An error occurred</body></html>"))
        }
        BadDay::Status { status, body } => Reply::Whole(Answer::json(*status, body)),
        BadDay::Body { body } => Reply::Whole(Answer::json(200, body)),
        BadDay::HugeBody { bytes } => {
            Reply::Whole(Answer::json(200, &json!({ "padding": "x".repeat(*bytes) })))
        }
        BadDay::NeverAnswers | BadDay::DropConnection { after_work: false } => Reply::Nothing,
        BadDay::DropConnection { after_work: true } => {
            work();
            Reply::Nothing
        }
        BadDay::HalfBody => Reply::Half(work()),
        BadDay::Slow { .. } | BadDay::WorksLate { .. } | BadDay::Garbage | BadDay::Complaint { .. } => {
            Reply::Whole(work())
        }
    }
}

fn record(tenant: &Tenant, operation: Operation, incoming: &Incoming, reply: &Reply) {
    let grant = form_urlencoded::parse(&incoming.body).find(|(name, _)| name == "grant_type");
    tenant.state().requests.push(RecordedCall {
        operation,
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        tracking_id: incoming.tracking_id.clone(),
        body: serde_json::from_slice(&incoming.body).ok(),
        grant: grant.filter(|_| operation == Operation::Token).map(|(_, grant)| grant.into_owned()),
        answered: match reply {
            Reply::Whole(answer) => Some(answer.status),
            Reply::Half(_) | Reply::Nothing => None,
        },
    });
}
