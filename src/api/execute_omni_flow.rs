//! POST executeOmniFlow.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::context::{Context, Route};
use super::reading::{Reading, Rules};
use super::{ApiError, envelope};
use crate::domain::ExecuteOmniFlow;

#[derive(Serialize)]
struct Data {
    queue: Option<String>,
    agent: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

/// Where shall the call go?
pub async fn execute_omni_flow(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<Context>,
) -> HttpResponse {
    context
        .serve(request, body, Route::ExecuteOmniFlow, read, async |bridge, flow, budget, notes| {
            notes.call(&flow.call);
            let routed = bridge.route(&flow, budget).await?;
            if routed.fallback {
                notes.outcome("fallback");
            }
            let (queue, agent) = (routed.routing.queue, routed.routing.agent);
            Ok(envelope::success(Data { queue, agent, fallback: routed.fallback }))
        })
        .await
}

pub(super) fn read(mut body: Reading<'_>) -> Result<ExecuteOmniFlow, ApiError> {
    let call = body.required_call();
    let dialed_number = body.required("dialedNumber", |body| body.number("dialedNumber", Rules::To));
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
