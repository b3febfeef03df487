//! The operations listener: for people and probes, not for flows.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::probes::{livez, readyz_in_full};
use crate::telemetry::Metrics;

/// The routes of the operations listener.
pub fn operations(config: &mut web::ServiceConfig) {
    config
        .route("/livez", web::get().to(livez))
        .route("/readyz", web::get().to(readyz_in_full))
        .route("/version", web::get().to(version))
        .route("/metrics", web::get().to(metrics));
}

async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") }))
}

async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    HttpResponse::Ok().insert_header((CONTENT_TYPE, text)).body(metrics.render())
}
