//! Probes: is the process alive, and may it be given requests?

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::store::Store;

/// Whether requests may come. Shared by all workers and by whoever knows better.
#[derive(Debug)]
pub struct Readiness {
    stopping: AtomicBool,
    store: Store,
}

impl Readiness {
    /// Ready as long as the store is.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { stopping: AtomicBool::new(false), store }
    }

    /// The process is about to stop: nothing new, please.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// What is not ready; empty means ready.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let stopping = self.stopping.load(Ordering::Acquire).then(|| String::from("the service is stopping"));
        let store = self.store.ready().err().map(|error| format!("store: {error}"));
        stopping.into_iter().chain(store).collect()
    }
}

/// The process answers.
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

/// Requests may come: for the world, without reasons.
pub async fn readyz(readiness: web::Data<Readiness>) -> HttpResponse {
    let (status, word) = state(&readiness);
    HttpResponse::build(status).json(json!({ "status": word }))
}

/// Requests may come: for operators, with what is not ready.
pub async fn readyz_in_full(readiness: web::Data<Readiness>) -> HttpResponse {
    let (status, word) = state(&readiness);
    HttpResponse::build(status).json(json!({ "status": word, "not_ready": readiness.problems() }))
}

fn state(readiness: &Readiness) -> (StatusCode, &'static str) {
    if readiness.problems().is_empty() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}
