//! Probes: is the process alive, and may it be given requests?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use arc_swap::ArcSwap;
use serde_json::json;

use crate::settings::Problem;
use crate::store::Store;

/// How the configuration on disk and the one in use differ. Either way requests are served.
#[derive(Debug, Default)]
pub struct Configuration {
    /// Why the newest version was refused; empty: it is in use.
    pub refused: Vec<Problem>,
    /// Keys whose new value takes effect after a restart.
    pub after_restart: Vec<&'static str>,
}

/// Whether requests may come. Shared by all workers.
#[derive(Debug)]
pub struct Readiness {
    stopping: AtomicBool,
    store: Store,
    configuration: ArcSwap<Configuration>,
}

impl Readiness {
    /// Ready as long as the store is.
    pub fn new(store: Store) -> Self {
        Self { stopping: AtomicBool::new(false), store, configuration: ArcSwap::default() }
    }

    /// The process is about to stop: no new requests.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// The configuration was read again.
    pub fn configured(&self, configuration: Configuration) {
        self.configuration.store(Arc::new(configuration));
    }

    /// Why the newest version of the configuration was refused; empty: it is in use.
    pub fn refused(&self) -> Vec<Problem> {
        self.configuration.load().refused.clone()
    }

    /// Keys whose new value takes effect after a restart, of the version that runs.
    pub fn after_restart(&self) -> Vec<&'static str> {
        self.configuration.load().after_restart.clone()
    }

    /// What is not ready; empty means ready.
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

/// Requests may come: for operators, with what is not ready, and what is wrong with a configuration that was refused.
pub async fn readyz_in_full(readiness: web::Data<Readiness>) -> HttpResponse {
    let (status, word) = state(&readiness);
    let configuration = readiness.configuration.load();
    let details = json!({
        "status": word,
        "not_ready": readiness.problems(),
        "configuration": {
            "status": if configuration.refused.is_empty() { "current" } else { "refused" },
            "problems": configuration.refused,
            "after_restart": configuration.after_restart,
        },
    });
    HttpResponse::build(status).json(details)
}

fn state(readiness: &Readiness) -> (StatusCode, &'static str) {
    if readiness.problems().is_empty() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}
