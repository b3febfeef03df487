//! All routes, of the public and of the operations listener, on one screen.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, guard, web};
use serde_json::json;

use super::ApiError;
use super::caller::TOKEN_PATHS;
use super::envelope::failure;
use super::oauth::token;
use super::openapi::{docs, openapi, style};
use super::probes::{livez, readyz, readyz_in_full};
use super::voice::{
    agent_answered, clear_routing, create_voice_call, execute_omni_flow, phone_contact_ended,
    update_voice_call, validate,
};
use super::webhook::webhook;
use crate::telemetry::Metrics;

/// The path of the in-org wrapper: an existing flow moves over by changing its connector.
pub(super) const WRAPPER: &str = "/services/apexrest/cisco_wxcc_scv/voice/v1";
/// The same, short.
pub(super) const SHORT: &str = "/voice/v1";

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
        .service(get("/livez", reading().to(livez)))
        .service(get("/readyz", reading().to(readyz)))
        .default_service(web::to(not_found));
}

/// A path that takes POST, and answers 405 to any other method.
fn post(path: impl AsRef<str>, route: actix_web::Route) -> actix_web::Resource {
    let other = async || ApiError::MethodNotAllowed { allowed: "POST" }.response();
    web::resource(path.as_ref()).route(route).default_service(web::to(other))
}

/// The method that connectors validate with is not documented.
fn validation(prefix: &str) -> actix_web::Resource {
    let other = async || ApiError::MethodNotAllowed { allowed: "GET, HEAD, POST" }.response();
    web::resource(format!("{prefix}/validate"))
        .route(web::get().to(validate))
        .route(web::head().to(validate))
        .route(web::post().to(validate))
        .default_service(web::to(other))
}

/// GET, and HEAD, which is answered with the same head and no body.
fn reading() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A path that takes GET and HEAD, and answers 405 to any other method.
fn get(path: &str, route: actix_web::Route) -> actix_web::Resource {
    let other = async || ApiError::MethodNotAllowed { allowed: "GET, HEAD" }.response();
    web::resource(path).route(route).default_service(web::to(other))
}

/// Any other path.
async fn not_found() -> HttpResponse {
    ApiError::NotFound.response()
}

/// The routes of the operations listener.
pub fn operations(config: &mut web::ServiceConfig) {
    config
        .service(get("/livez", reading().to(livez)))
        .service(get("/readyz", reading().to(readyz_in_full)))
        .service(get("/version", reading().to(version)))
        .service(get("/metrics", reading().to(metrics)))
        .service(get("/openapi.json", reading().to(openapi)))
        .service(get("/docs", reading().to(docs)))
        .service(get("/docs/style.css", reading().to(style)))
        .default_service(web::to(nothing_here));
}

/// Any other path. A request for a voice route here has the wrong port.
async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let mut message = String::from(
        "path: there is nothing here; this listener has GET /livez, /readyz, /version, /metrics, /docs and /openapi.json",
    );
    if request.path().contains("/voice/") {
        message.push_str("; what flows call is on the other one, server.listen");
    }
    failure(StatusCode::NOT_FOUND, None, vec![message])
}

async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") }))
}

/// The metrics, and what tells them of the state of the service just before they are read.
pub struct CurrentMetrics {
    metrics: Arc<Metrics>,
    measure_state: Box<dyn Fn() + Send + Sync>,
}

impl CurrentMetrics {
    /// `measure_state` is called before each answer.
    pub fn new(metrics: Arc<Metrics>, measure_state: impl Fn() + Send + Sync + 'static) -> Self {
        Self { metrics, measure_state: Box::new(measure_state) }
    }
}

async fn metrics(current: web::Data<CurrentMetrics>) -> HttpResponse {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    (current.measure_state)();
    match current.metrics.render() {
        Ok(rendered) => HttpResponse::Ok().insert_header((CONTENT_TYPE, text)).body(rendered),
        Err(_) => ApiError::Internal.response(),
    }
}
