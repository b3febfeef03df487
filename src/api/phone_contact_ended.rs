//! POST phoneContactEnded.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::context::{ApiContext, Route};
use super::reading::{NumberSide, VoiceBody};
use super::{ApiError, envelope};
use crate::bridge::Delivered;
use crate::domain::{CallReference, FlowTime, PhoneContactEnded, Rest};

/// The caller is gone: one request for all that follows, whatever the call was.
pub async fn phone_contact_ended(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    let now = FlowTime::new(context.now());
    let read = |body: VoiceBody<'_>| read(body, now);
    context
        .serve(request, body, Route::PhoneContactEnded, read, async |bridge, ended, budget, notes| {
            notes.vendor_call_key(ended.vendor_call_key.as_ref());
            let ended = bridge.end(&ended, budget).await?;
            let outcome = ended.verdict.label();
            let status = if ended.delivered == Delivered::Later { "pending" } else { "Success" };
            // An outage shall not look like the day before it.
            notes.outcome(if ended.delivered == Delivered::Later { status } else { outcome });
            Ok(envelope::success(json!({ "outcome": outcome, "status": status })))
        })
        .await
}

pub(super) fn read(mut body: VoiceBody<'_>, now: FlowTime) -> Result<PhoneContactEnded, ApiError> {
    let vendor_call_key = body.required_vendor_call_key();
    let voice_call = body.fields.name("voiceCallId", CallReference::parse);
    let start_time = body.fields.time("startTime");
    let end_time = body.fields.time("endTime").unwrap_or(now);
    let agent = body.fields.named("agentId");
    let from = body.number("from", NumberSide::From);
    let to = body.number("to", NumberSide::To);
    let call_attributes = body.call_attributes();
    let disconnect_reason = body.disconnect_reason();
    let origin = body.origin();
    let (picked, _unknown) = (body.picked, body.fields.rest());
    let request = || {
        Some(PhoneContactEnded {
            origin: origin?,
            vendor_call_key: vendor_call_key?,
            voice_call,
            start_time,
            end_time,
            enqueue_time: None,
            agent,
            disconnect_reason,
            call_attributes,
            from,
            to,
            rest: Rest::new(),
            picked,
        })
    };
    body.fields.finish(request())
}
