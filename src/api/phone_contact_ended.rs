//! POST phoneContactEnded.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::desk::{Desk, Route};
use super::reading::{Reading, Rules};
use super::{ApiError, envelope};
use crate::domain::{CallReference, DisconnectReason, FlowTime, PhoneContactEnded, Verdict};

/// The caller is gone: one request for all that follows, whatever the call was.
pub async fn phone_contact_ended(
    request: HttpRequest,
    body: web::Payload,
    desk: web::Data<Desk>,
) -> HttpResponse {
    let now = FlowTime::new(desk.now());
    let read = |body: Reading<'_>| read(body, now);
    desk.serve(request, body, Route::PhoneContactEnded, read, async |bridge, ended, budget, notes| {
        notes.vendor_call_key(ended.vendor_call_key.as_ref());
        let outcome = match bridge.end(&ended, budget).await? {
            Verdict::Abandoned { .. } => "abandoned",
            Verdict::Answered => "answered",
            Verdict::Duplicate => "duplicate",
        };
        notes.outcome(outcome);
        Ok(envelope::success(json!({ "outcome": outcome, "status": "Success" })))
    })
    .await
}

fn read(mut body: Reading<'_>, now: FlowTime) -> Result<PhoneContactEnded, ApiError> {
    let vendor_call_key = body.required_vendor_call_key();
    let voice_call = body.fields.name("voiceCallId", CallReference::parse);
    let start_time = body.fields.time("startTime");
    let end_time = body.fields.time("endTime").unwrap_or(now);
    let agent = body.fields.text("agentId");
    let from = body.number("from", Rules::From);
    let to = body.number("to", Rules::To);
    let call_attributes = body.call_attributes();
    let reason = body.disconnect_reason().or_else(|| configured(&body));
    let origin = body.origin();
    let _unknown = body.fields.rest();
    let request = || {
        Some(PhoneContactEnded {
            origin: origin?,
            vendor_call_key: vendor_call_key?,
            voice_call,
            start_time,
            end_time,
            agent,
            disconnect_reason: reason?,
            call_attributes,
            from,
            to,
        })
    };
    body.fields.finish(request())
}

/// The reason of the configuration, for a call whose stage is unknown.
fn configured(body: &Reading<'_>) -> Option<DisconnectReason> {
    let abandonment = &body.center?.abandonment;
    Some(DisconnectReason { value: abandonment.reason.clone(), is_error: abandonment.is_error })
}
