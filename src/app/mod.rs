//! Wires everything: the one room that knows all others.

mod control;
mod descriptors;
mod findings;
mod generation;
mod handle;
mod listen;
mod reconciliation;
mod supervised;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web;
use secrecy::ExposeSecret;
use tokio::sync::Notify;

use crate::api::{AccessContext, InFlight, Readiness};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::salesforce::{ClientError, clients};
use crate::settings::{Settings, exposed_database};
use crate::store::{Store, StoreError, place};
use crate::telemetry::{Metrics, Traces, TracesError};

pub use reconciliation::Ground;

use control::Control;
use descriptors::room;
use generation::{Generation, Lasting};
use listen::{Bound, serve_operations, serve_public, sockets};
use supervised::Supervised;

pub use control::Reread;
pub use handle::Handle;

/// Why the service cannot start although its configuration is sound.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken, or not ours.
    #[error("{key}: cannot listen on {address}: {source}{}", listen::remedy(source))]
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
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
    Metrics(#[from] prometheus::Error),
    /// The traces cannot be set up.
    #[error("traces: {0}")]
    Traces(#[from] TracesError),
}

/// The service: both listeners bound, ready to run.
pub struct Application {
    public: Bound,
    operations: Bound,
    control: Arc<Control>,
    end: Arc<End>,
    supervised: Supervised,
}

/// How the service comes to its end.
#[derive(Default)]
struct End {
    in_flight: Arc<InFlight>,
    is_stopping: AtomicBool,
    /// Notified once it has begun, for who looks at how long it takes.
    begun: Arc<Notify>,
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
        metrics.started_at(clock.now());
        let url = settings.store.url.expose_secret();
        let store = Store::open_for_service(url, clock.now())
            .await
            .map_err(|error| StartError::Store { place: place(url), error })?;
        if let Some(exposed) = exposed_database(url) {
            tracing::warn!("{exposed}, the database, in which numbers of callers can stand: chmod 600 it");
        }
        store.measure(&metrics);
        store.keep_exchanges(settings.journal.exchanges);
        let readiness = web::Data::new(Readiness::new(store.clone()));
        let [public, operations] = sockets(&settings)?;
        let traces = traces(&settings)?;
        let lasting = Lasting::new(&settings, store, public.1, (&metrics, &traces), clock, ids);
        let inbound = settings.server.inbound.clone();
        let connections = room(inbound.max_connections);
        let built = Generation::build(settings, None, &lasting)?;
        let control = Arc::new(Control::new(built, lasting, readiness));
        let end = Arc::new(End::default());
        let in_flight = Arc::clone(&end.in_flight);
        let access = AccessContext {
            ids: Arc::clone(ids),
            metrics,
            traces,
            in_flight,
            of_clients: Arc::default(),
            of_webex: Arc::default(),
            inbound,
        };
        let public = serve_public(&control, public, access, connections.public)?;
        let operations = serve_operations(&control, operations, connections.operations)?;
        Ok(Self { public, operations, control, end, supervised: Supervised::default() })
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

    /// Runs this as long as the service, which ends with a failure of that name if it ends before.
    pub fn supervise(
        &mut self,
        name: &'static str,
        task: impl Future<Output = io::Result<()>> + Send + 'static,
    ) {
        self.supervised.add(name, task);
    }

    /// Serves until it is stopped; then finishes what was promised as far as it can, and leaves the rest in the
    /// outbox.
    ///
    /// # Errors
    /// When something has ended that must run as long as the service: a listener, a worker, the store. What was in
    /// flight has ended then too.
    pub async fn run(self) -> io::Result<()> {
        let handle = self.handle();
        let Self { public, operations, control, end, mut supervised } = self;
        supervised.add("the public listener", public.0);
        supervised.add("the operations listener", operations.0);
        control.supervise(&mut supervised);
        let failed = tokio::select! {
            () = end.reached.notified() => None,
            error = supervised.failure(|| end.is_stopping.load(Ordering::Acquire)) => Some(error),
        };
        if let Some(error) = &failed {
            tracing::error!(%error, "the service cannot go on");
            handle.stop().await;
        }
        supervised.stop().await;
        control.finish().await;
        failed.map_or(Ok(()), Err)
    }
}

/// What begins and sends spans, where `[traces]` names an endpoint, with connections of its own.
fn traces(settings: &Settings) -> Result<Option<Arc<Traces>>, StartError> {
    if settings.traces.endpoint.is_none() {
        return Ok(None);
    }
    let client = clients(&settings.http_client, 1)?.pop().unwrap_or_default();
    Ok(Traces::start(&settings.traces, client)?)
}
