//! POST createVoiceCall.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::desk::{Desk, Route};
use super::fields::Fields;
use super::reading::{Reading, Rules};
use super::{ApiError, envelope};
use crate::domain::{CallReference, CreateVoiceCall, Initiation};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    voice_call_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A call has arrived: gives it a record and answers the record's id.
pub async fn create_voice_call(
    request: HttpRequest,
    body: web::Payload,
    desk: web::Data<Desk>,
) -> HttpResponse {
    desk.serve(request, body, Route::CreateVoiceCall, read, async |bridge, create, budget, notes| {
        notes.vendor_call_key(create.vendor_call_key.as_ref());
        let created = bridge.create(&create, budget).await?;
        notes.voice_call_id(&created.voice_call_id);
        Ok(envelope::success(Data { voice_call_id: created.voice_call_id, warnings: created.warnings }))
    })
    .await
}

pub(super) fn read(mut body: Reading<'_>) -> Result<CreateVoiceCall, ApiError> {
    let vendor_call_key = body.required_vendor_call_key();
    let to = body.required("to", |body| body.number("to", Rules::To));
    let from = body.required("from", |body| body.number("from", Rules::From));
    let initiation = initiation(&mut body);
    let start_time = body.fields.required("startTime", Fields::time);
    let participants = body.participants();
    let call_attributes = body.call_attributes();
    for name in ["callOrigin", "callSubtype"] {
        let text = body.fields.text(name);
        body.fields.put(name, text);
    }
    // What the contact center is called in Salesforce is ours to say: twice in one body, the last one would win.
    body.fields.take("callCenterApiName");
    // A flow that keeps one body for all its requests sends it along; there is no such call yet.
    let _ = body.fields.take("voiceCallId");
    let origin = body.origin();
    let (picked, rest) = (body.picked, body.fields.rest());
    let request = || {
        Some(CreateVoiceCall {
            origin: origin?,
            vendor_call_key: vendor_call_key?,
            to: to?,
            from: from?,
            initiation: initiation?,
            start_time: start_time?,
            participants: participants?,
            call_attributes,
            rest,
            picked,
        })
    };
    body.fields.finish(request())
}

/// `initiationMethod`, with the parent and the queue that only a transfer has.
fn initiation(body: &mut Reading<'_>) -> Option<Initiation> {
    let method = body.fields.required("initiationMethod", Fields::text);
    let parent = body.fields.name("parentVoiceCallId", CallReference::parse);
    let queue = body.fields.text("queue");
    let method = method?;
    if method.eq_ignore_ascii_case("Inbound") {
        return Some(Initiation::Inbound);
    }
    if !method.eq_ignore_ascii_case("Transfer") {
        body.fields.problem("initiationMethod", "expected Inbound or Transfer");
        return None;
    }
    if parent.is_none() {
        body.fields.problem(
            "parentVoiceCallId",
            "missing or wrong; a Transfer names the call it continues, by id or vendorCallKey",
        );
    }
    Some(Initiation::Transfer { parent: parent?, queue })
}
