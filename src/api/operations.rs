//! The operations listener: for people and probes, not for flows.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::probes::{livez, readyz_in_full};
use super::routes::{get, not_found};
use crate::telemetry::Metrics;

/// The routes of the operations listener.
pub fn operations(config: &mut web::ServiceConfig) {
    config
        .service(get("/livez", web::get().to(livez)))
        .service(get("/readyz", web::get().to(readyz_in_full)))
        .service(get("/version", web::get().to(version)))
        .service(get("/metrics", web::get().to(metrics)))
        .default_service(web::to(not_found));
}

async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") }))
}

async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    HttpResponse::Ok().insert_header((CONTENT_TYPE, text)).body(metrics.render())
}
