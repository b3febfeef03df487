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
use super::webhook::webhook;

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
        .service(post("/webhooks", "wxcc", web::post().to(webhook)))
        .service(get("/livez", web::get().to(livez)))
        .service(get("/readyz", web::get().to(readyz)))
        .default_service(web::to(not_found));
}

/// A path that takes POST, and says so to any other method.
fn post(prefix: &str, name: &str, route: actix_web::Route) -> actix_web::Resource {
    let other = async || ApiError::MethodNotAllowed { allowed: "POST" }.response();
    web::resource(format!("{prefix}/{name}")).route(route).default_service(web::to(other))
}

/// A path that takes GET, and says so to any other method.
pub(super) fn get(path: &str, route: actix_web::Route) -> actix_web::Resource {
    let other = async || ApiError::MethodNotAllowed { allowed: "GET" }.response();
    web::resource(path).route(route).default_service(web::to(other))
}

/// Any other path, on either listener.
pub(super) async fn not_found() -> HttpResponse {
    ApiError::NotFound.response()
}
