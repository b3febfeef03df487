//! POST updateVoiceCall.

use actix_web::{HttpRequest, HttpResponse, web};

use super::context::{ApiContext, Route};
use super::fields::BodyFields;
use super::promise::{DeliveryData, warnings};
use super::reading::{NumberSide, VoiceBody};
use super::{ApiError, envelope};
use crate::domain::UpdateVoiceCall;

/// Whole seconds or counts, and those that Salesforce takes only together with a `recordingLocation`.
const COUNTS: [(&str, bool); 5] = [
    ("numberOfHolds", false),
    ("longestHoldDuration", false),
    ("totalHoldDuration", false),
    ("agentInteractionDuration", true),
    ("totalRecordingDuration", true),
];

/// Something has become of a call: passes it on.
pub async fn update_voice_call(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    context
        .serve(request, body, Route::UpdateVoiceCall, read, async |bridge, update, budget, notes| {
            notes.meant(update.call.as_ref());
            let delivered = bridge.update(&update, budget).await?;
            notes.delivered(delivered);
            Ok(envelope::success(DeliveryData { status: "pending", warnings: warnings(delivered) }))
        })
        .await
}

pub(super) fn read(mut body: VoiceBody<'_>) -> Result<UpdateVoiceCall, ApiError> {
    let call = body.call();
    let [start_time, end_time, enqueue_time, accept_time] =
        ["startTime", "endTime", "enqueueTime", "acceptTime"].map(|name| body.fields.time(name));
    let from_number = body.number("fromNumber", NumberSide::From);
    let disconnect_reason = body.disconnect_reason();
    let call_attributes = body.call_attributes();
    checked(&mut body.fields);
    let origin = body.origin();
    let (picked, rest) = (body.picked, body.fields.rest());
    let request = || {
        Some(UpdateVoiceCall {
            origin: origin?,
            call,
            start_time,
            end_time,
            enqueue_time,
            accept_time,
            from_number,
            disconnect_reason,
            call_attributes,
            rest,
            picked,
        })
    };
    body.fields.finish(request())
}

/// The other fields that Salesforce documents: they travel on as what they are, even if the flow quoted them.
fn checked(fields: &mut BodyFields) {
    for name in ["callOrigin", "queue", "agent"] {
        let text = fields.text(name);
        fields.put(name, text);
    }
    let active = fields.boolean("isActiveCall");
    fields.put("isActiveCall", active);
    let mut recorded = false;
    for (name, of_recording) in COUNTS {
        let count = fields.count(name);
        recorded |= of_recording && count.is_some();
        fields.put(name, count);
    }
    let location = fields.text("recordingLocation");
    if recorded && location.is_none() {
        fields.problem(
            "recordingLocation",
            "missing; required with agentInteractionDuration or totalRecordingDuration",
        );
    }
    fields.put("recordingLocation", location);
}
