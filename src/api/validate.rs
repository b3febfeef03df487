//! GET, HEAD, POST validate: are these credentials good?

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde_json::json;

use super::access::mark_authenticated;
use super::caller::Peer;
use super::context::ApiContext;
use super::notes::RequestNotes;
use super::{ApiError, envelope};

/// 200 with credentials that would let the request in on a voice route, else 401.
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
