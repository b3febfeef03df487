//! POST clearRouting.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::desk::{Desk, Route};
use super::reading::Reading;
use super::{ApiError, envelope};
use crate::domain::ClearRouting;

/// Nobody waits any more: takes the call out of the waiting line.
pub async fn clear_routing(request: HttpRequest, body: web::Payload, desk: web::Data<Desk>) -> HttpResponse {
    desk.serve(request, body, Route::ClearRouting, read, async |bridge, clear, budget, notes| {
        notes.call(&clear.call);
        bridge.clear_routing(&clear, budget).await?;
        Ok(envelope::success(json!({ "status": "Success" })))
    })
    .await
}

fn read(mut body: Reading<'_>) -> Result<ClearRouting, ApiError> {
    let call = body.required_call();
    let origin = body.origin();
    let request = || Some(ClearRouting { origin: origin?, call: call? });
    body.fields.finish(request())
}
