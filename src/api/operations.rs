//! The operations listener: for people and probes, not for flows.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::envelope::failure;
use super::probes::{livez, readyz_in_full};
use super::routes::get;
use crate::telemetry::Metrics;

/// The routes of the operations listener.
pub fn operations(config: &mut web::ServiceConfig) {
    config
        .service(get("/livez", web::get().to(livez)))
        .service(get("/readyz", web::get().to(readyz_in_full)))
        .service(get("/version", web::get().to(version)))
        .service(get("/metrics", web::get().to(metrics)))
        .default_service(web::to(nothing_here));
}

/// Any other path. Whoever looks for a voice route here has taken the wrong port.
async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let mut message = String::from(
        "path: there is nothing here; this listener has GET /livez, /readyz, /version and /metrics",
    );
    if request.path().contains("/voice/") {
        message.push_str("; what flows call is on the other one, server.listen");
    }
    failure(StatusCode::NOT_FOUND, None, vec![message])
}

async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") }))
}

async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    HttpResponse::Ok().insert_header((CONTENT_TYPE, text)).body(metrics.render())
}
