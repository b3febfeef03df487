//! The HTTP side: reads requests, lets bad days happen.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, rt};
use jiff::Timestamp;
use serde_json::Value;
use url::form_urlencoded;

use super::answer::{Answer, Refused};
use super::bad_day::BadDay;
use super::locate::{Side, Target, locate};
use super::log::RecordedRequest;
use super::org::{Incoming, Org};
use super::reply::{Reply, write};

/// Longest body the org reads.
const LONGEST_BODY: usize = 6 * 1024 * 1024;
/// Headers worth a place in a wire snapshot, besides `authorization`.
const HEADERS_OF_INTEREST: [&str; 4] = ["accept", "content-type", "telephony-provider-name", "traceparent"];

/// Serves any request: paths and methods are the org's business.
pub(super) async fn serve(request: HttpRequest, payload: Payload, org: Data<Org>) -> HttpResponse {
    if org.is_stopped() {
        return write(Reply::Nothing, org.now());
    }
    let target = locate(request.uri().path(), &org.settings.apex_prefix);
    let day = org.bad_day(target.operation);
    let mut incoming = incoming(&request);
    if !matches!(day, Some(BadDay::DropConnection { after_work: false })) {
        match payload.to_bytes_limited(LONGEST_BODY).await {
            Ok(Ok(body)) => incoming.body = body,
            Ok(Err(_)) | Err(_) => return write(Reply::Whole(too_long(&target)), org.now()),
        }
    }
    let reply = match &day {
        None => Reply::Whole(org.answer(&target, &incoming)),
        Some(day) => spoiled(&org, &target, &incoming, day),
    };
    if org.settings.record && target.side != Side::Page {
        let recorded = RecordedRequest {
            day: day.clone(),
            at: org.now(),
            ..recorded(&target, &incoming, request.headers(), &reply)
        };
        org.state().requests.push(recorded);
    }
    match day {
        Some(BadDay::Slow { milliseconds }) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Some(BadDay::WorksLate { milliseconds }) => {
            // In a task of its own: whoever waits may be gone by then. All creates have one path: their bodies differ.
            let (body, now) = (readable(&target, &incoming.body), org.now());
            let late = Some(BadDay::WorksLate { milliseconds });
            let work = rt::spawn(async move {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                let answer = org.answer(&target, &incoming);
                org.state().requests.change_last(|one| {
                    let is_late = one.answered.is_none() && one.day == late;
                    let is_it = is_late && one.path == incoming.path && one.body == body;
                    is_it.then(|| one.answered = Some(answer.status)).is_some()
                });
                Reply::Whole(answer)
            });
            let reply = work.await.unwrap_or(Reply::Nothing);
            return write(reply, now);
        }
        Some(BadDay::NeverAnswers) => std::future::pending().await,
        _ => {}
    }
    write(reply, org.now())
}

fn too_long(target: &Target) -> Answer {
    Refused::new(413, "REQUEST_TOO_LARGE", "body: too long or broken off").answer(target.side)
}

/// The reply of a bad day. Whoever was slow, or closed the connection after the work, has done the work.
fn spoiled(org: &Org, target: &Target, incoming: &Incoming, day: &BadDay) -> Reply {
    if let Some(instead) = day.instead(target) {
        return Reply::Whole(instead);
    }
    if matches!(
        day,
        BadDay::NeverAnswers | BadDay::WorksLate { .. } | BadDay::DropConnection { after_work: false }
    ) {
        return Reply::Nothing;
    }
    let answer = day.spoil(org.answer(target, incoming));
    match day {
        BadDay::DropConnection { .. } => Reply::Nothing,
        BadDay::HalfBody => Reply::Half(answer),
        _ => Reply::Whole(answer),
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn incoming(request: &HttpRequest) -> Incoming {
    let headers = request.headers();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    Incoming {
        method: request.method().to_string(),
        path: path.to_owned(),
        content_type: header(headers, "content-type"),
        authorization: header(headers, "authorization"),
        provider_name: header(headers, "telephony-provider-name"),
        body: Bytes::new(),
    }
}

fn recorded(target: &Target, incoming: &Incoming, headers: &HeaderMap, reply: &Reply) -> RecordedRequest {
    let mut kept: BTreeMap<_, _> = HEADERS_OF_INTEREST
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), header(headers, name)?)))
        .collect();
    if let Some(authorization) = &incoming.authorization {
        let scheme = authorization.split(' ').next().unwrap_or_default();
        kept.insert("authorization".into(), scheme.to_owned());
    }
    RecordedRequest {
        operation: target.operation,
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        headers: kept,
        token: incoming.bearer().map(str::to_owned),
        body: readable(target, &incoming.body),
        body_length: incoming.body.len(),
        answered: match reply {
            Reply::Whole(answer) => Some(answer.status),
            Reply::Half(_) | Reply::Nothing => None,
        },
        day: None,
        at: Timestamp::UNIX_EPOCH,
    }
}

fn readable(target: &Target, body: &[u8]) -> Option<Value> {
    if target.side == Side::Login {
        let fields = form_urlencoded::parse(body).into_owned();
        return Some(Value::Object(fields.map(|(name, value)| (name, value.into())).collect()));
    }
    serde_json::from_slice(body).ok()
}
