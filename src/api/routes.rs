//! The public routes, on one screen.

use actix_web::{HttpResponse, web};

use super::ApiError;
use super::agent_answered::agent_answered;
use super::clear_routing::clear_routing;
use super::create_voice_call::create_voice_call;
use super::execute_omni_flow::execute_omni_flow;
use super::phone_contact_ended::phone_contact_ended;
use super::probes::{livez, readyz};
use super::update_voice_call::update_voice_call;

/// The path of the in-org wrapper: an existing flow moves over by changing its connector.
const WRAPPER: &str = "/services/apexrest/cisco_wxcc_scv/voice/v1";
/// The same, short.
const SHORT: &str = "/voice/v1";

/// The routes of the public listener.
pub fn public(config: &mut web::ServiceConfig) {
    for prefix in [WRAPPER, SHORT] {
        config
            .service(post(prefix, "createVoiceCall", web::post().to(create_voice_call)))
            .service(post(prefix, "updateVoiceCall", web::post().to(update_voice_call)))
            .service(post(prefix, "executeOmniFlow", web::post().to(execute_omni_flow)))
            .service(post(prefix, "clearRouting", web::post().to(clear_routing)))
            .service(post(prefix, "phoneContactEnded", web::post().to(phone_contact_ended)))
            .service(post(prefix, "agentAnswered", web::post().to(agent_answered)));
    }
    config
        .route("/livez", web::get().to(livez))
        .route("/readyz", web::get().to(readyz))
        .default_service(web::to(not_found));
}

/// A path that takes POST, and says so to any other method.
fn post(prefix: &str, name: &str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(format!("{prefix}/{name}")).route(route).default_service(web::to(method_not_allowed))
}

async fn not_found() -> HttpResponse {
    ApiError::NotFound.response()
}

async fn method_not_allowed() -> HttpResponse {
    ApiError::MethodNotAllowed.response()
}
