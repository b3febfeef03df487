//! What reaches into a running service: to stop it, to look after it, to change its configuration.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, interval};

use super::End;
use super::control::{Control, FINISH, Reread};
use crate::api::InFlight;
use crate::outbox::{Outbox, Worker};
use crate::settings::{Settings, Source};
use crate::store::{PurgeBefore, Purged, StoreError};
use crate::webex::{EventRecovery, Reconciler, TaskWorker};

/// How long nothing may have been in flight before the last answers count as sent.
const SETTLED: Duration = Duration::from_millis(500);

/// Reaches into a running service.
#[derive(Clone)]
pub struct Handle {
    pub(super) servers: [ServerHandle; 2],
    pub(super) control: Arc<Control>,
    pub(super) end: Arc<End>,
}

impl Handle {
    /// The settings that it runs on.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.control.settings()
    }

    /// Reads the configuration again and runs on it, or refuses it as a whole and runs on. A request that is being
    /// served ends under the configuration that it began with.
    pub async fn reread(&self, source: &Source) -> Reread {
        self.control.reread(source).await
    }

    /// Measures when certificates end, and once a day tells the log which of them end soon; gives what
    /// it told.
    pub fn look_at_certificates(&self) -> Vec<String> {
        self.control.look_at_certificates()
    }

    /// The outbox of the service.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.control.lasting.outbox
    }

    /// The worker of the outbox, whose steps a test may take itself.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.control.worker
    }

    /// The worker of Webex's tasks, if `[webex]` is configured; a test may take its steps itself.
    #[must_use]
    pub fn task_worker(&self) -> Option<&TaskWorker> {
        self.control.task_worker.as_deref()
    }

    /// What compares calls with Webex, if Webex can be asked; a test may take its steps itself.
    #[must_use]
    pub fn reconciler(&self) -> Option<&Reconciler<EventRecovery>> {
        self.control.reconciler.as_deref()
    }

    /// How many requests are being served, those of clients that are gone among them.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.end.in_flight.count()
    }

    /// How long the end of the service may take, from the moment that it is told to stop.
    #[must_use]
    pub fn longest_end(&self) -> Duration {
        self.settings().server.shutdown_timeout.saturating_add(FINISH).saturating_add(Outbox::CLOSE)
    }

    /// Notified once the service begins to end, for whatever reason.
    #[must_use]
    pub fn ending(&self) -> Arc<Notify> {
        Arc::clone(&self.end.begun)
    }

    /// Takes no new connections, lets the requests in flight end within `server.shutdown_timeout`, and stops.
    pub async fn stop(&self) {
        self.control.readiness.stop();
        self.end.is_stopping.store(true, Ordering::Release);
        self.end.begun.notify_one();
        let servers = async {
            for server in &self.servers {
                server.stop(true).await;
            }
        };
        // The server waits for connections; requests are what counts.
        tokio::select! {
            () = servers => {}
            () = settled(&self.end.in_flight) => {}
        }
        self.end.reached.notify_one();
    }

    /// Tells the metrics what only the database knows: what waits in the outbox.
    pub async fn measure(&self) {
        self.control.measure_outbox().await;
    }

    /// Sends the spans that have ended, where traces are on.
    pub async fn send_spans(&self) {
        self.control.send_spans().await;
    }

    /// Tells the receivers of notices what is new, what goes on for long, and what is over.
    pub async fn send_notices(&self) {
        self.control.send_notices().await;
    }

    /// Writes the exchanges that wait for it.
    ///
    /// # Errors
    /// When the store does not answer: those exchanges are lost.
    pub async fn write_exchanges(&self) -> Result<(), StoreError> {
        self.outbox().store().write_exchanges().await
    }

    /// Removes calls and buried entries whose time is over, and what was deleted from the files of the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tidy_store(&self) -> Result<(), StoreError> {
        let before = |keep| {
            let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
            self.outbox().now().checked_sub(keep).unwrap_or(Timestamp::MIN)
        };
        let settings = self.settings();
        let purge = PurgeBefore {
            calls: before(settings.journal.keep),
            buried: before(settings.outbox.keep_buried),
            private: before(settings.journal.keep_private()),
        };
        let purged = self.outbox().store().purge(purge).await?;
        if purged != Purged::default() {
            tracing::info!(
                calls = purged.calls,
                buried = purged.buried,
                tasks = purged.tasks,
                events = purged.events,
                details = purged.details,
                exchanges = purged.exchanges,
                "removed what is old from the store"
            );
        }
        self.outbox().store().checkpoint().await.map(drop)
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
