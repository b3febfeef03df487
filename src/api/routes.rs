//! The public routes, on one screen.

use actix_web::{HttpResponse, web};

use super::ApiError;
use super::agent_answered::agent_answered;
use super::caller::TOKEN_PATHS;
use super::clear_routing::clear_routing;
use super::create_voice_call::create_voice_call;
use super::execute_omni_flow::execute_omni_flow;
use super::oauth::token;
use super::phone_contact_ended::phone_contact_ended;
use super::probes::{livez, readyz};
use super::update_voice_call::update_voice_call;
use super::validate::validate;
use super::webhook::webhook;

/// The path of the in-org wrapper: an existing flow moves over by changing its connector.
const WRAPPER: &str = "/services/apexrest/cisco_wxcc_scv/voice/v1";
/// The same, short.
const SHORT: &str = "/voice/v1";

/// The routes of the public listener.
pub fn public(config: &mut web::ServiceConfig) {
    for prefix in [WRAPPER, SHORT] {
        config
            .service(post(format!("{prefix}/createVoiceCall"), web::post().to(create_voice_call)))
            .service(post(format!("{prefix}/updateVoiceCall"), web::post().to(update_voice_call)))
            .service(post(format!("{prefix}/executeOmniFlow"), web::post().to(execute_omni_flow)))
            .service(post(format!("{prefix}/clearRouting"), web::post().to(clear_routing)))
            .service(post(format!("{prefix}/phoneContactEnded"), web::post().to(phone_contact_ended)))
            .service(post(format!("{prefix}/agentAnswered"), web::post().to(agent_answered)))
            .service(validation(prefix));
    }
    for path in TOKEN_PATHS {
        config.service(post(path, web::post().to(token)));
    }
    config
        .service(post("/webhooks/wxcc", web::post().to(webhook)))
        .service(get("/livez", web::get().to(livez)))
        .service(get("/readyz", web::get().to(readyz)))
        .default_service(web::to(not_found));
}

/// A path that takes POST, and says so to any other method.
fn post(path: impl AsRef<str>, route: actix_web::Route) -> actix_web::Resource {
    let other = async || ApiError::MethodNotAllowed { allowed: "POST" }.response();
    web::resource(path.as_ref()).route(route).default_service(web::to(other))
}

/// Which verb connectors ask with is not told anywhere.
fn validation(prefix: &str) -> actix_web::Resource {
    let other = async || ApiError::MethodNotAllowed { allowed: "GET, HEAD, POST" }.response();
    web::resource(format!("{prefix}/validate"))
        .route(web::get().to(validate))
        .route(web::head().to(validate))
        .route(web::post().to(validate))
        .default_service(web::to(other))
}

/// A path that takes GET, and says so to any other method.
pub(super) fn get(path: &str, route: actix_web::Route) -> actix_web::Resource {
    let other = async || ApiError::MethodNotAllowed { allowed: "GET" }.response();
    web::resource(path).route(route).default_service(web::to(other))
}

/// Any other path.
async fn not_found() -> HttpResponse {
    ApiError::NotFound.response()
}
