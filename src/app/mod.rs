//! Wires everything: the one room that knows all others.

mod listen;
mod reconciliation;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use tokio::sync::Notify;
use tokio::task::JoinError;
use tokio::time::{Instant, interval};

use crate::api::{Access, InFlight, Readiness, Webhooks};
use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::outbox::{Outbox, Worker};
use crate::salesforce::{ClientError, Org, clients};
use crate::settings::Settings;
use crate::store::{EntryState, PurgeBefore, Purged, Store, StoreError};
use crate::telemetry::Metrics;
use crate::webex::{LostEvents, Reconciler, TaskWorker};

pub use reconciliation::Ground;

use listen::{Bound, serve_operations, serve_public};
use reconciliation::reconcile;

/// How long nothing may have been in flight before the last answers count as sent.
const SETTLED: Duration = Duration::from_millis(500);

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
    #[error("store.url: {0}")]
    Store(#[from] StoreError),
    /// The metrics cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// The service: both listeners bound, ready to run.
pub struct Application {
    public: Bound,
    operations: Bound,
    worker: Arc<Worker>,
    task_worker: Option<Arc<TaskWorker>>,
    reconciler: Option<Arc<Reconciler<LostEvents>>>,
    outbox: Arc<Outbox>,
    readiness: web::Data<Readiness>,
    metrics: Arc<Metrics>,
    settings: Arc<Settings>,
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
        let settings = Arc::new(settings);
        let metrics = Arc::new(Metrics::new()?);
        for certificate in settings.certificates.values() {
            metrics.certificate(certificate.name(), certificate.days_left(clock.now()));
        }
        let store = Store::open(settings.store.url.expose_secret()).await?;
        let readiness = web::Data::new(Readiness::new(store.clone()));
        let outbox = Arc::new(Outbox::new(store, &settings.outbox, Arc::clone(clock), Arc::clone(ids)));
        let orgs = Arc::new(Org::all(&settings, clock, ids));
        let workers = match settings.server.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        // One for each worker thread, one for the outbox, one for Webex's tasks, one for Webex itself.
        let mut clients = clients(&settings.http_client, workers + 3)?;
        let own = clients.pop().unwrap_or_default();
        let to_webex = clients.pop().unwrap_or_default();
        let worker =
            Arc::new(Worker::new(Arc::clone(&outbox), Arc::clone(&orgs), own, settings.outbox.concurrency));
        let mut bridges = Bridge::build(&settings, clients, &orgs, &outbox);
        let spare = settings.webex.as_ref().and(bridges.last()).cloned();
        bridges.truncate(workers);
        let ground = Ground { settings: &settings, outbox: &outbox, metrics: &metrics, clock, ids };
        let reconciler =
            spare.clone().and_then(|bridge| ground.if_configured(bridge, to_webex)).map(Arc::new);
        let task_worker = spare.map(|bridge| Arc::new(TaskWorker::new(bridge, Arc::clone(&outbox))));
        let end = Arc::new(End::default());
        let access = Access {
            ids: Arc::clone(ids),
            metrics: Arc::clone(&metrics),
            in_flight: Arc::clone(&end.in_flight),
            inbound: settings.server.inbound.clone(),
        };
        let webhooks = settings.webex.as_ref().map(|webex| Webhooks::new(webex, &metrics)).transpose()?;
        let webhooks = webhooks.map(web::Data::new);
        let public = serve_public(&settings, bridges, access, webhooks, &readiness, clock)?;
        let operations = serve_operations(&settings, &metrics, &readiness)?;
        Ok(Self {
            public,
            operations,
            worker,
            task_worker,
            reconciler,
            outbox,
            readiness,
            metrics,
            settings,
            end,
        })
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

    /// The configuration it runs on.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is needed to stop it and to look after it while it runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle {
            servers: [self.public.0.handle(), self.operations.0.handle()],
            readiness: self.readiness.clone(),
            metrics: Arc::clone(&self.metrics),
            end: Arc::clone(&self.end),
            outbox: Arc::clone(&self.outbox),
            worker: Arc::clone(&self.worker),
            task_worker: self.task_worker.clone(),
            reconciler: self.reconciler.clone(),
            settings: Arc::clone(&self.settings),
        }
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
        let mut worker = tokio::spawn(Arc::clone(&self.worker).run());
        let task_worker = self.task_worker.clone();
        let tasks = async {
            match task_worker {
                Some(worker) => worker.run().await,
                None => std::future::pending().await,
            }
        };
        let mut tasks = tokio::spawn(tasks);
        let mut reconciling = tokio::spawn(reconcile(self.reconciler.clone(), Arc::clone(&self.settings)));
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
        self.worker.stop().await;
        if let Err(error) = self.outbox.finish().await {
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

/// Reaches into a running service.
#[derive(Clone)]
pub struct Handle {
    servers: [ServerHandle; 2],
    readiness: web::Data<Readiness>,
    metrics: Arc<Metrics>,
    end: Arc<End>,
    outbox: Arc<Outbox>,
    worker: Arc<Worker>,
    task_worker: Option<Arc<TaskWorker>>,
    reconciler: Option<Arc<Reconciler<LostEvents>>>,
    settings: Arc<Settings>,
}

impl Handle {
    /// The outbox of the service.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The worker of the outbox, whose steps a test may take itself.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// The worker of Webex's tasks, if `[webex]` is configured; a test may take its steps itself.
    #[must_use]
    pub fn task_worker(&self) -> Option<&TaskWorker> {
        self.task_worker.as_deref()
    }

    /// What compares calls with Webex, if Webex can be asked; a test may take its steps itself.
    #[must_use]
    pub fn reconciler(&self) -> Option<&Reconciler<LostEvents>> {
        self.reconciler.as_deref()
    }

    /// Takes no new connections, lets the requests in flight end within `server.shutdown_timeout`, and stops.
    pub async fn stop(&self) {
        self.readiness.stop();
        let servers = async {
            for server in &self.servers {
                server.stop(true).await;
            }
        };
        // The server waits for connections, and never closes an idle one of HTTP/2; requests are what counts.
        tokio::select! {
            () = servers => {}
            () = settled(&self.end.in_flight) => {}
        }
        self.end.reached.notify_one();
    }

    /// Moves recorded times into their buckets, and counts what waits in the outbox.
    pub async fn tidy_metrics(&self) {
        self.metrics.tidy();
        if let Ok(counts) = self.outbox.store().count().await {
            let state = |state| match state {
                EntryState::Pending => "pending",
                EntryState::Buried => "buried",
            };
            let counts =
                counts.iter().map(|count| (count.call_center.to_string(), state(count.state), count.entries));
            self.metrics.outbox(&counts.collect::<Vec<_>>());
        }
    }

    /// Removes calls and buried entries whose time is over, and what was deleted from the files of the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tidy_store(&self) -> Result<(), StoreError> {
        let before = |keep| {
            let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
            self.outbox.now().checked_sub(keep).unwrap_or(Timestamp::MIN)
        };
        let purge = PurgeBefore {
            calls: before(self.settings.journal.keep),
            buried: before(self.settings.outbox.keep_buried),
        };
        let purged = self.outbox.store().purge(purge).await?;
        if purged != Purged::default() {
            tracing::info!(
                calls = purged.calls,
                buried = purged.buried,
                tasks = purged.tasks,
                events = purged.events,
                "removed what is old from the store"
            );
        }
        self.outbox.store().checkpoint().await.map(drop)
    }
}

/// Returns once nothing has been in flight for [`SETTLED`].
async fn settled(in_flight: &InFlight) {
    let mut beat = interval(SETTLED / 10);
    let mut since = Instant::now();
    while since.elapsed() < SETTLED {
        beat.tick().await;
        if in_flight.any() {
            since = Instant::now();
        }
    }
}
