//! POST createVoiceCall.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::context::{ApiContext, Route};
use super::fields::BodyFields;
use super::reading::{NumberSide, VoiceBody};
use super::{ApiError, envelope};
use crate::domain::{CallReference, Continuation, CreateVoiceCall, Initiation, VendorCallKey};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateVoiceCallData {
    voice_call_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A call has arrived: gives it a record and answers the record's id.
pub async fn create_voice_call(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    context
        .serve(request, body, Route::CreateVoiceCall, read, async |bridge, create, budget, notes| {
            notes.vendor_call_key(create.vendor_call_key.as_ref());
            let created = bridge.create(&create, budget).await?;
            match created.voice_call_id == create.vendor_call_key.as_ref() {
                // The flow has no id yet, although it is told of a success.
                true => notes.outcome("deferred"),
                false => notes.voice_call_id(&created.voice_call_id),
            }
            Ok(envelope::success(CreateVoiceCallData {
                voice_call_id: created.voice_call_id,
                warnings: created.warnings,
            }))
        })
        .await
}

pub(super) fn read(mut body: VoiceBody<'_>) -> Result<CreateVoiceCall, ApiError> {
    let vendor_call_key = body.required_vendor_call_key();
    let to = body.required("to", |body| body.number("to", NumberSide::To));
    let from = body.required("from", |body| body.number("from", NumberSide::From));
    let initiation = initiation(&mut body, vendor_call_key.as_ref());
    let queue = body.fields.text("queue");
    let start_time = body.fields.required("startTime", BodyFields::time);
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
        let (initiation, continues) = initiation?;
        Some(CreateVoiceCall {
            origin: origin?,
            vendor_call_key: vendor_call_key?,
            to: to?,
            from: from?,
            initiation,
            continues,
            queue,
            start_time: start_time?,
            participants: participants?,
            call_attributes,
            rest,
            picked,
        })
    };
    body.fields.finish(request())
}

/// `initiationMethod`, and the call that this one continues. A parent's interaction says that it is a Transfer, whatever
/// the method: a flow that keeps one body for all its calls sends it empty for an ordinary one. `own` is the key of the
/// call itself; under it, the journal knows what came before.
fn initiation(body: &mut VoiceBody<'_>, own: Option<&VendorCallKey>) -> Option<(Initiation, Continuation)> {
    let before = body.fields.count_problems();
    let parent = body.fields.name("parentVoiceCallId", CallReference::parse);
    let interaction = body
        .fields
        .name("parentInteractionId", |id| VendorCallKey::of_interaction(&id))
        .map(CallReference::Key);
    let is_wrong = body.fields.count_problems() > before;
    if let (Some(parent @ CallReference::Key(_)), Some(interaction)) = (&parent, &interaction)
        && parent != interaction
    {
        let problem = "another call than that of parentVoiceCallId; send one of the two";
        body.fields.problem("parentInteractionId", problem);
    }
    let method = match &interaction {
        Some(_) => body.fields.text("initiationMethod"),
        None => body.fields.required("initiationMethod", BodyFields::text),
    };
    let says = |word: &str| method.as_ref().is_some_and(|method| method.eq_ignore_ascii_case(word));
    if method.is_some() && !says("Inbound") && !says("Transfer") {
        body.fields.problem("initiationMethod", "expected Inbound or Transfer");
        return None;
    }
    if is_wrong || method.is_none() && interaction.is_none() {
        return None;
    }
    let is_transfer = says("Transfer") || interaction.is_some();
    match parent.filter(|_| is_transfer).or(interaction) {
        Some(CallReference::Key(key)) if Some(&key) == own => {
            let continues = if says("Transfer") { Continuation::Earlier } else { Continuation::Itself };
            Some((Initiation::Inbound, continues))
        }
        Some(parent) => Some((Initiation::Transfer { parent }, Continuation::NotStated)),
        None if is_transfer => Some((Initiation::Inbound, Continuation::Earlier)),
        None => Some((Initiation::Inbound, Continuation::NotStated)),
    }
}
