//! POST clearRouting.

use actix_web::{HttpRequest, HttpResponse, web};

use super::context::{ApiContext, Route};
use super::promise::{DeliveryData, warnings};
use super::reading::VoiceBody;
use super::{ApiError, envelope};
use crate::bridge::Delivered;
use crate::domain::ClearRouting;

/// Nobody waits any more: takes the call out of the waiting line.
pub async fn clear_routing(
    request: HttpRequest,
    body: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    context
        .serve(request, body, Route::ClearRouting, read, async |bridge, clear, budget, notes| {
            notes.meant(clear.call.as_ref());
            let delivered = bridge.clear_routing(&clear, budget).await?;
            notes.delivered(delivered);
            let status = if delivered == Delivered::Later { "pending" } else { "Success" };
            Ok(envelope::success(DeliveryData { status, warnings: warnings(delivered) }))
        })
        .await
}

pub(super) fn read(mut body: VoiceBody<'_>) -> Result<ClearRouting, ApiError> {
    let call = body.call();
    let origin = body.origin();
    let request = || Some(ClearRouting { origin: origin?, call });
    body.fields.finish(request())
}
