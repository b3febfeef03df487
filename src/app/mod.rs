//! Wires everything: the one room that knows all others.

mod control;
mod generation;
mod handle;
mod listen;
mod reconciliation;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::web;
use secrecy::ExposeSecret;
use tokio::sync::Notify;
use tokio::task::JoinError;

use crate::api::{Access, InFlight, Readiness};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::salesforce::ClientError;
use crate::settings::Settings;
use crate::store::{Store, StoreError, place};
use crate::telemetry::Metrics;

pub use reconciliation::Ground;

use control::Control;
use generation::{Generation, Lasting};
use listen::{Bound, serve_operations, serve_public, sockets};
use reconciliation::reconcile;

pub use control::Reread;
pub use handle::Handle;

/// Why the service cannot start although its configuration is sound.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken, or not ours.
    #[error("{key}: cannot listen on {address}: {source}")]
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// OpenSSL refuses the certificate or key of `server.tls`, or lacks an algorithm.
    #[error("OpenSSL: {0}")]
    Tls(#[from] openssl::error::ErrorStack),
    /// The HTTPS client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The database cannot be opened.
    #[error("store.url ({place}): {}", error.at_start())]
    Store {
        /// Which one, without a password.
        place: String,
        /// Why.
        error: StoreError,
    },
    /// The metrics cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// The service: both listeners bound, ready to run.
pub struct Application {
    public: Bound,
    operations: Bound,
    control: Arc<Control>,
    end: Arc<End>,
}

/// How the service comes to its end.
#[derive(Default)]
struct End {
    in_flight: Arc<InFlight>,
    reached: Notify,
}

impl Application {
    /// Opens the store, binds both listeners and wires what is behind them. Must be called within an actix system.
    ///
    /// # Errors
    /// When the store, an address, a certificate or the client cannot be used.
    pub async fn build(
        settings: Settings,
        clock: &Arc<dyn Clock>,
        ids: &Arc<Ids>,
    ) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::new()?);
        let url = settings.store.url.expose_secret();
        let store = Store::open_for_service(url, clock.now())
            .await
            .map_err(|error| StartError::Store { place: place(url), error })?;
        let readiness = web::Data::new(Readiness::new(store.clone()));
        let [public, operations] = sockets(&settings)?;
        let lasting = Lasting::new(&settings, store, public.1, &metrics, clock, ids);
        let inbound = settings.server.inbound.clone();
        let built = Generation::build(settings, None, &lasting)?;
        let control = Arc::new(Control::new(built, lasting, readiness));
        let end = Arc::new(End::default());
        let in_flight = Arc::clone(&end.in_flight);
        let access = Access { ids: Arc::clone(ids), metrics, in_flight, inbound };
        let public = serve_public(&control, public, access)?;
        let operations = serve_operations(&control, operations)?;
        Ok(Self { public, operations, control, end })
    }

    /// Where flows reach it.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public.1
    }

    /// Where operators reach it.
    #[must_use]
    pub fn operations_address(&self) -> SocketAddr {
        self.operations.1
    }

    /// What is needed to stop it and to look after it while it runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        let servers = [self.public.0.handle(), self.operations.0.handle()];
        Handle { servers, control: Arc::clone(&self.control), end: Arc::clone(&self.end) }
    }

    /// Serves until it is stopped; then finishes what was promised as far as it can, and leaves the rest in the
    /// outbox.
    ///
    /// # Errors
    /// When a listener or the worker of the outbox fails.
    pub async fn run(self) -> std::io::Result<()> {
        let serve = async {
            let (public, operations) = tokio::join!(self.public.0, self.operations.0);
            public.and(operations)
        };
        let mut worker = tokio::spawn(Arc::clone(&self.control.worker).run());
        let task_worker = self.control.task_worker.clone();
        let tasks = async {
            match task_worker {
                Some(worker) => worker.run().await,
                None => std::future::pending().await,
            }
        };
        let mut tasks = tokio::spawn(tasks);
        let mut reconciling =
            tokio::spawn(reconcile(self.control.reconciler.clone(), self.control.settings()));
        let served = tokio::select! {
            served = serve => served,
            () = self.end.reached.notified() => Ok(()),
            ended = &mut worker => Err(gone("outbox", ended)),
            ended = &mut tasks => Err(gone("tasks of Webex", ended)),
            ended = &mut reconciling => Err(gone("reconciliation", ended)),
        };
        worker.abort();
        tasks.abort();
        reconciling.abort();
        self.control.worker.stop().await;
        if let Err(error) = self.control.lasting.outbox.finish().await {
            tracing::warn!(%error, "the store was not closed in order; leases end by themselves");
        }
        served
    }
}

/// A worker that should never end has ended.
fn gone(whose: &str, ended: Result<(), JoinError>) -> std::io::Error {
    let why = ended.err().map_or_else(|| String::from("it ended"), |error| error.to_string());
    std::io::Error::other(format!("the worker of the {whose} is gone: {why}"))
}
