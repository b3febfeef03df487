//! POST agentAnswered.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::context::{ApiContext, Route};
use super::reading::VoiceBody;
use super::{ApiError, envelope};
use crate::domain::{AgentAnswered, FlowTime};

/// An agent took the call.
pub async fn agent_answered(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    let now = FlowTime::new(context.now());
    let read = |body: VoiceBody<'_>| read(body, now);
    context
        .serve(request, body, Route::AgentAnswered, read, async |bridge, answered, budget, notes| {
            notes.vendor_call_key(answered.vendor_call_key.as_ref());
            bridge.agent_answered(&answered, budget).await?;
            Ok(envelope::success(json!({ "status": "Success" })))
        })
        .await
}

pub(super) fn read(mut body: VoiceBody<'_>, now: FlowTime) -> Result<AgentAnswered, ApiError> {
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
