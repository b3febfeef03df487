//! POST executeOmniFlow.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::context::{ApiContext, Route};
use super::reading::{NumberSide, VoiceBody};
use super::{ApiError, envelope};
use crate::domain::ExecuteOmniFlow;

#[derive(Serialize)]
struct ExecuteOmniFlowData {
    queue: Option<String>,
    agent: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

/// Where shall the call go?
pub async fn execute_omni_flow(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    context
        .serve(request, body, Route::ExecuteOmniFlow, read, async |bridge, flow, budget, notes| {
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

pub(super) fn read(mut body: VoiceBody<'_>) -> Result<ExecuteOmniFlow, ApiError> {
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
