//! The voice routes: each reads its body into a request of [`crate::domain`], calls its method of the bridge and answers.

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::access::mark_authenticated;
use super::body::{BodyFields, UnsetWords};
use super::caller::Peer;
use super::context::{ApiContext, Route};
use super::notes::RequestNotes;
use super::voice_body::{NumberSide, VoiceBody};
use super::{ApiError, body, envelope};
use crate::bridge::Delivered;
use crate::domain::{
    AgentAnswered, CallReference, ClearRouting, Continuation, CreateVoiceCall, ExecuteOmniFlow, FlowTime,
    Initiation, PhoneContactEnded, Rest, UpdateVoiceCall, VendorCallKey,
};
use crate::settings::{Client, Settings};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateVoiceCallData {
    voice_call_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// A call has arrived: creates its VoiceCall and answers with the id.
pub async fn create_voice_call(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    context
        .serve(request, body, Route::CreateVoiceCall, read_create, async |bridge, create, budget, notes| {
            notes.vendor_call_key(&create.vendor_call_key);
            let created = bridge.create(&create, budget).await?;
            match created.voice_call_id == create.vendor_call_key.as_ref() {
                // The answer is a success that carries the vendor call key, since there is no VoiceCall id yet.
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

fn read_create(mut body: VoiceBody<'_>) -> Result<CreateVoiceCall, ApiError> {
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
    // The bridge sets `callCenterApiName` itself: of two in one body, Salesforce would take the last.
    body.fields.take("callCenterApiName");
    // A flow that uses one body for all requests sends `voiceCallId` in a create, where no VoiceCall exists yet.
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

/// `initiationMethod`, and the call that this one continues. With an interaction of a parent it is a Transfer, whatever
/// the method: a flow that has one body for all its calls sends it empty for an ordinary one. `own` is the key of the
/// call itself; under it, the journal has the calls before.
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
    let is_method = |word: &str| method.as_ref().is_some_and(|method| method.eq_ignore_ascii_case(word));
    if method.is_some() && !is_method("Inbound") && !is_method("Transfer") {
        body.fields.problem("initiationMethod", "expected Inbound or Transfer");
        return None;
    }
    if is_wrong || method.is_none() && interaction.is_none() {
        return None;
    }
    let is_transfer = is_method("Transfer") || interaction.is_some();
    match parent.filter(|_| is_transfer).or(interaction) {
        Some(CallReference::Key(key)) if Some(&key) == own => {
            let continues = if is_method("Transfer") { Continuation::Earlier } else { Continuation::Itself };
            Some((Initiation::Inbound, continues))
        }
        Some(parent) => Some((Initiation::Transfer { parent }, Continuation::NotStated)),
        None if is_transfer => Some((Initiation::Inbound, Continuation::Earlier)),
        None => Some((Initiation::Inbound, Continuation::NotStated)),
    }
}

/// Whole seconds or counts, and those that Salesforce takes only together with a `recordingLocation`.
const COUNTS: [(&str, bool); 5] = [
    ("numberOfHolds", false),
    ("longestHoldDuration", false),
    ("totalHoldDuration", false),
    ("agentInteractionDuration", true),
    ("totalRecordingDuration", true),
];

/// Times and fields of a call: passed on to Salesforce.
pub async fn update_voice_call(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    context
        .serve(request, body, Route::UpdateVoiceCall, read_update, async |bridge, update, budget, notes| {
            notes.meant(update.call.as_ref());
            let delivered = bridge.update(&update, budget).await?;
            notes.delivered(delivered);
            Ok(envelope::success(DeliveryData { status: "pending", warnings: delivery_warnings(delivered) }))
        })
        .await
}

fn read_update(mut body: VoiceBody<'_>) -> Result<UpdateVoiceCall, ApiError> {
    let call = body.call();
    let [start_time, end_time, enqueue_time, accept_time] =
        ["startTime", "endTime", "enqueueTime", "acceptTime"].map(|name| body.fields.time(name));
    let from_number = body.number("fromNumber", NumberSide::From);
    let disconnect_reason = body.disconnect_reason();
    let call_attributes = body.call_attributes();
    check_counts(&mut body.fields);
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
fn check_counts(fields: &mut BodyFields) {
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

#[derive(Serialize)]
struct ExecuteOmniFlowData {
    queue: Option<String>,
    agent: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

/// Queue or agent of a call.
pub async fn execute_omni_flow(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    context
        .serve(request, body, Route::ExecuteOmniFlow, read_omni_flow, async |bridge, flow, budget, notes| {
            notes.call(&flow.call);
            let routed = bridge.route(&flow, budget).await?;
            if routed.fallback {
                notes.outcome("fallback");
            }
            let (queue, agent) = (routed.routing.queue, routed.routing.agent);
            Ok(envelope::success(ExecuteOmniFlowData { queue, agent, fallback: routed.fallback }))
        })
        .await
}

fn read_omni_flow(mut body: VoiceBody<'_>) -> Result<ExecuteOmniFlow, ApiError> {
    let call = body.required_call();
    let dialed_number = body.required("dialedNumber", |body| body.number("dialedNumber", NumberSide::To));
    for name in ["flowDevName", "fallbackQueue"] {
        let text = body.fields.text(name);
        body.fields.put(name, text);
    }
    let parameters = body.fields.object("flowInputParameters");
    body.fields.put("flowInputParameters", parameters);
    let origin = body.origin();
    let (picked, rest) = (body.picked, body.fields.rest());
    let request = || {
        Some(ExecuteOmniFlow { origin: origin?, call: call?, dialed_number: dialed_number?, rest, picked })
    };
    body.fields.finish(request())
}

/// The caller does not wait any more: the pending routing is removed.
pub async fn clear_routing(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    context
        .serve(
            request,
            body,
            Route::ClearRouting,
            read_clear_routing,
            async |bridge, clear, budget, notes| {
                notes.meant(clear.call.as_ref());
                let delivered = bridge.clear_routing(&clear, budget).await?;
                notes.delivered(delivered);
                let status = if delivered == Delivered::Later { "pending" } else { "Success" };
                Ok(envelope::success(DeliveryData { status, warnings: delivery_warnings(delivered) }))
            },
        )
        .await
}

fn read_clear_routing(mut body: VoiceBody<'_>) -> Result<ClearRouting, ApiError> {
    let call = body.call();
    let origin = body.origin();
    let request = || Some(ClearRouting { origin: origin?, call });
    body.fields.finish(request())
}

/// The caller has hung up: one request for everything that follows, whatever the call was.
pub async fn phone_contact_ended(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    let now = FlowTime::new(context.now());
    let read = |body: VoiceBody<'_>| read_contact_ended(body, now);
    context
        .serve(request, body, Route::PhoneContactEnded, read, async |bridge, ended, budget, notes| {
            notes.vendor_call_key(&ended.vendor_call_key);
            let ended = bridge.end(&ended, budget).await?;
            let outcome = ended.verdict.label();
            let status = if ended.delivered == Delivered::Later { "pending" } else { "Success" };
            // The log distinguishes a request that is stored for later from one that was sent.
            notes.outcome(if ended.delivered == Delivered::Later { status } else { outcome });
            Ok(envelope::success(json!({ "outcome": outcome, "status": status })))
        })
        .await
}

fn read_contact_ended(mut body: VoiceBody<'_>, now: FlowTime) -> Result<PhoneContactEnded, ApiError> {
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

/// An agent has accepted the call.
pub async fn agent_answered(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    let now = FlowTime::new(context.now());
    let read = |body: VoiceBody<'_>| read_answered(body, now);
    context
        .serve(request, body, Route::AgentAnswered, read, async |bridge, answered, budget, notes| {
            notes.vendor_call_key(&answered.vendor_call_key);
            bridge.agent_answered(&answered, budget).await?;
            Ok(envelope::success(json!({ "status": "Success" })))
        })
        .await
}

fn read_answered(mut body: VoiceBody<'_>, now: FlowTime) -> Result<AgentAnswered, ApiError> {
    let vendor_call_key = body.required_vendor_call_key();
    let agent = body.fields.named("agentId");
    let queue = body.fields.named("queueId");
    let accept_time = body.fields.time("acceptTime").unwrap_or(now);
    let origin = body.origin();
    let (picked, _unknown) = (body.picked, body.fields.rest());
    let request = || {
        Some(AgentAnswered {
            origin: origin?,
            vendor_call_key: vendor_call_key?,
            agent,
            queue,
            accept_time,
            picked,
        })
    };
    body.fields.finish(request())
}

/// `data` of updateVoiceCall and clearRouting: both are stored before they are sent.
#[derive(Serialize)]
pub struct DeliveryData {
    /// `pending` or `Success`.
    pub status: &'static str,
    /// What the flow designer should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<&'static str>,
}

/// Warnings beside a success.
pub fn delivery_warnings(delivered: Delivered) -> Vec<&'static str> {
    match delivered {
        Delivered::Now | Delivered::Later | Delivered::Withheld => Vec::new(),
        Delivered::NoSuchCall => {
            vec!["voiceCallId: empty, and no single call is meant by the rest; nothing was sent"]
        }
    }
}

/// Reads a body as its route does, and stops there: nothing is stored or sent. The bridge would act upon a body that
/// passes.
///
/// # Errors
/// What the flow would be answered.
pub fn rehearse(
    route: Route,
    bytes: &[u8],
    settings: &Settings,
    client: &Client,
    now: Timestamp,
) -> Result<(), ApiError> {
    let (fields, _stray) = body::object(bytes)?;
    let reading = VoiceBody::begin(fields, settings, client, &UnsetWords::default())?;
    let now = FlowTime::new(now);
    match route {
        Route::CreateVoiceCall => read_create(reading).map(drop),
        Route::UpdateVoiceCall => read_update(reading).map(drop),
        Route::ExecuteOmniFlow => read_omni_flow(reading).map(drop),
        Route::ClearRouting => read_clear_routing(reading).map(drop),
        Route::PhoneContactEnded => read_contact_ended(reading, now).map(drop),
        Route::AgentAnswered => read_answered(reading, now).map(drop),
    }
}

/// 200 with credentials that a voice route would accept, else 401.
pub async fn validate(request: HttpRequest, context: web::Data<ApiContext>) -> HttpResponse {
    let mut notes = RequestNotes { route: "validate", outcome: "ok", ..RequestNotes::default() };
    let configured = context.configured();
    let known = configured.callers().identify(&Peer::of(&request), context.now()).map_err(ApiError::from);
    let response = match known {
        Ok(client) => {
            mark_authenticated(&request);
            notes.client = Some(client.id.clone());
            envelope::success(json!({ "status": "Success" }))
        }
        Err(error) => {
            notes.outcome = error.label();
            notes.error = Some(error.messages().join("; "));
            error.response()
        }
    };
    request.extensions_mut().insert(notes);
    response
}
