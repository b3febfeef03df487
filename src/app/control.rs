//! Replaces the configuration of a running service, and watches over the ends of certificates.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use actix_web::web;
use arc_swap::ArcSwap;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::StartError;
use super::generation::{Built, Generation, Lasting};
use super::reconciliation::reconcile;
use super::supervised::Supervised;
use super::tls::Door;
use crate::api::{Configuration, ConfiguredApi, Readiness};
use crate::bridge::SharedBridge;
use crate::notices::Notices;
use crate::outbox::Worker;
use crate::settings::{self, Files, Problem, Settings, Source};
use crate::telemetry::{BreakerReading, NotClearedCount, OutboxCount};
use crate::webex::{EventRecovery, Reconciler, TaskWorker};

/// How long what is under way may take to end when the service stops: the longest attempt, and what is written of it.
pub(super) const FINISH: Duration = settings::Outbox::LEAST_LEASE;

/// What became of reading the configuration again.
#[derive(Debug)]
pub struct Reread {
    /// Why the new version was refused, and the one before runs on; empty: it runs.
    pub problems: Vec<Problem>,
    /// Keys whose new value takes effect after a restart.
    pub after_restart: Vec<&'static str>,
    /// What was read.
    pub files: Files,
}

/// Everything that a change of the configuration touches.
pub(super) struct Control {
    pub(super) lasting: Lasting,
    pub(super) configured: Arc<ArcSwap<ConfiguredApi>>,
    pub(super) door: Option<Arc<Door>>,
    pub(super) worker: Arc<Worker>,
    /// Where `[webex]` is configured.
    pub(super) task_worker: Option<Arc<TaskWorker>>,
    /// Where Webex can be asked.
    pub(super) reconciler: Option<Arc<Reconciler<EventRecovery>>>,
    /// Of those two.
    spare: SharedBridge,
    pub(super) readiness: web::Data<Readiness>,
    current: ArcSwap<Generation>,
    /// One change after the other.
    turn: Mutex<()>,
    /// None until the first look.
    notices: Mutex<Option<Sending>>,
    /// The day of the last warnings.
    warned: StdMutex<Date>,
}

/// The receivers of notices under a configuration.
struct Sending {
    settings: Arc<Settings>,
    notices: Notices,
}

impl Control {
    pub(super) fn new(built: Built, lasting: Lasting, readiness: web::Data<Readiness>) -> Self {
        let Built { generation, configured, under } = built;
        let (orgs, concurrency) = (Arc::clone(&generation.orgs), generation.settings.outbox.concurrency);
        let worker = Worker::new(Arc::clone(&lasting.outbox), orgs, generation.own.clone(), concurrency)
            .traced(lasting.traces.clone());
        let (outbox, metrics) = (Arc::clone(&lasting.outbox), Arc::clone(&lasting.metrics));
        let spare: SharedBridge = Arc::new(ArcSwap::from_pointee(generation.spare(&lasting)));
        let (reconciler, recorder) = generation.askers(&lasting, &spare);
        let tasks = || Arc::new(TaskWorker::new(Arc::clone(&spare), outbox, metrics, recorder));
        let control = Self {
            task_worker: generation.settings.webex.as_ref().map(|_| tasks()),
            reconciler: reconciler.map(Arc::new),
            spare,
            warned: StdMutex::new(today(&lasting)),
            lasting,
            configured: Arc::new(ArcSwap::from_pointee(configured)),
            door: under.map(Door::new),
            worker: Arc::new(worker),
            readiness,
            current: ArcSwap::from_pointee(generation),
            turn: Mutex::default(),
            notices: Mutex::default(),
        };
        control.measure_certificates();
        control.measure_settings();
        control
    }

    /// What runs.
    pub(super) fn current(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// Sends the spans that have ended, where traces are on.
    pub(super) async fn send_spans(&self) {
        if let Some(traces) = self.lasting.traces.clone() {
            // It blocks. That it failed is told by the log.
            let _ = tokio::task::spawn_blocking(move || traces.send()).await;
        }
    }

    /// Tells the receivers of notices what there is to tell, under the configuration that runs now.
    pub(super) async fn send_notices(&self) {
        let current = self.current();
        let mut sending = self.notices.lock().await;
        if !sending.as_ref().is_some_and(|sending| Arc::ptr_eq(&sending.settings, &current.settings)) {
            let (settings, roots) = (&current.settings, &current.settings.http_client.extra_roots);
            let built = Notices::new(&settings.notices, current.own.clone(), roots);
            let mut notices = match built {
                Ok(notices) => notices,
                Err(error) => return tracing::warn!(%error, "notices cannot be sent"),
            };
            if let Some(before) = sending.take() {
                notices.take_over(before.notices);
            }
            *sending = Some(Sending { settings: Arc::clone(&current.settings), notices });
        }
        if let Some(Sending { notices, .. }) = sending.as_mut().filter(|sending| !sending.notices.is_empty())
        {
            let findings = self.findings().await;
            notices.tell(&findings, self.lasting.clock.now()).await;
        }
    }

    /// The settings that run.
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.current.load().settings)
    }

    /// Reads the configuration again. A version that has any problem is refused as a whole.
    pub(super) async fn reread(&self, source: &Source) -> Reread {
        let _turn = self.turn.lock().await;
        let (source, clock) = (source.clone(), Arc::clone(&self.lasting.clock));
        let read = move || Settings::load_with_files(&source, clock.as_ref());
        let (read, files) = match tokio::task::spawn_blocking(read).await {
            Ok(read) => read,
            Err(error) => return self.refuse(vec![broken("", &error.to_string())], Files::default()),
        };
        match read {
            Ok(settings) => match self.replace(settings) {
                Ok(after_restart) => Reread { problems: Vec::new(), after_restart, files },
                Err(error) => self.refuse(vec![broken(key(&error), &error.to_string())], files),
            },
            Err(problems) => self.refuse(problems.as_slice().to_vec(), files),
        }
    }

    /// Runs what works beside the listeners.
    pub(super) fn supervise(&self, supervised: &mut Supervised) {
        supervised.add_endless("the worker of the outbox", Arc::clone(&self.worker).run());
        if let Some(worker) = self.task_worker.clone() {
            supervised.add_endless("the worker of Webex's tasks", worker.run());
        }
        let reconciling = reconcile(self.reconciler.clone(), self.settings());
        supervised.add_endless("reconciliation", reconciling);
        let store = self.lasting.outbox.store().clone();
        supervised.add_endless("the writer of the store", async move { store.closed().await });
    }

    /// Lets end what is under way, gives back what is held, and closes the store.
    pub(super) async fn finish(&self) {
        let deadline = Instant::now() + FINISH;
        let tasks = async {
            if let Some(worker) = &self.task_worker {
                worker.stop(deadline).await;
            }
        };
        tokio::join!(self.worker.stop(deadline), tasks);
        if let Err(error) = self.lasting.outbox.finish(deadline).await {
            tracing::warn!(%error, "the store was not closed in order; leases end by themselves");
        }
        if let Some(traces) = self.lasting.traces.clone() {
            // It blocks.
            let _ = tokio::task::spawn_blocking(move || traces.finish()).await;
        }
    }

    fn refuse(&self, problems: Vec<Problem>, files: Files) -> Reread {
        // Before the log tells: whoever reads it there looks at these.
        self.lasting.metrics.configuration_read(false);
        // What the version before has left for a restart is left for it still.
        let after_restart = self.readiness.after_restart();
        self.readiness.configured(Configuration { refused: problems.clone(), after_restart });
        for Problem { key, problem, hint } in &problems {
            tracing::error!(key, problem, hint, "the new configuration is refused; the one before runs on");
        }
        Reread { problems, after_restart: Vec::new(), files }
    }

    /// Everything that can fail comes before anything is replaced.
    fn replace(&self, mut settings: Settings) -> Result<Vec<&'static str>, StartError> {
        let before = self.current.load_full();
        let after_restart = settings.hold_fixed(&before.settings);
        let built = Generation::build(settings, Some(&before), &self.lasting)?;
        let Built { generation, configured, under } = built;
        generation.orgs.adopt(&generation.settings);
        self.lasting.outbox.adopt(&generation.settings.outbox);
        self.lasting.outbox.store().keep_exchanges(generation.settings.journal.exchanges);
        let (logins, server) = (&generation.settings.limits.failed_logins, &generation.settings.server);
        self.lasting.throttle.adopt(logins, server.proxies.clone());
        self.worker.adopt(Arc::clone(&generation.orgs), generation.own.clone());
        self.spare.store(Arc::new(generation.spare(&self.lasting)));
        if let (Some(door), Some(under)) = (&self.door, under) {
            door.replace(under);
        }
        self.configured.store(Arc::new(configured));
        let settings = Arc::clone(&generation.settings);
        self.current.store(Arc::new(generation));
        tracing::info!("the configuration was read again and runs");
        for &key in &after_restart {
            tracing::warn!(
                key,
                "the new value takes effect after a restart; the one before holds until then"
            );
        }
        for warning in settings.warnings(self.lasting.clock.now()) {
            tracing::warn!("{warning}");
        }
        *self.warned.lock().unwrap_or_else(PoisonError::into_inner) = today(&self.lasting);
        self.measure_certificates();
        self.measure_settings();
        self.lasting.metrics.configuration_read(true);
        let configuration =
            Configuration { after_restart: after_restart.clone(), ..Configuration::default() };
        self.readiness.configured(configuration);
        Ok(after_restart)
    }

    /// Tells the metrics when certificates end, and on a new day the log which of them end soon; gives
    /// what it told.
    pub(super) fn look_at_certificates(&self) -> Vec<String> {
        self.measure_certificates();
        let today = today(&self.lasting);
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *warned, today) == today {
            return Vec::new();
        }
        let ending = self.current.load().settings.ending(self.lasting.clock.now());
        for line in &ending {
            tracing::warn!("{line}");
        }
        ending
    }

    fn measure_certificates(&self) {
        let current = self.current.load();
        let ends: Vec<_> = current.ends.iter().map(|end| (end.name.clone(), end.at)).collect();
        self.lasting.metrics.certificates(&ends);
    }

    /// Tells the metrics what the configuration says of contact centers and limits.
    #[expect(clippy::cast_precision_loss, reason = "a number of creates")]
    fn measure_settings(&self) {
        let settings = self.settings();
        self.lasting.metrics.begin_at_zero(&names(&settings));
        self.lasting.metrics.creates_limit(settings.limits.creates_per_second as f64);
        self.lasting.metrics.webex_configured(f64::from(u8::from(self.task_worker.is_some())));
    }

    /// Tells the metrics how the breakers and the store are at this moment.
    pub(super) fn measure_state(&self) {
        let (now, current, metrics) = (Instant::now(), self.current.load_full(), &self.lasting.metrics);
        let at = |ago: Duration| self.lasting.clock.now().checked_sub(ago).ok();
        let breakers = current.orgs.iter().map(|(name, org)| {
            let breaker = org.breaker(now);
            let until = breaker.pause.and_then(|pause| self.lasting.clock.now().checked_add(pause).ok());
            let (since, state) = (breaker.since.and_then(at), breaker.state.name());
            BreakerReading { call_center: name.to_owned(), state, since, until }
        });
        metrics.breakers(&breakers.collect::<Vec<_>>());
        let store = self.lasting.outbox.store();
        metrics.store(store.waiting(), store.ready().is_ok());
    }

    /// Tells the metrics what the outbox holds, and whose routing is not cleared.
    pub(super) async fn measure_outbox(&self) {
        let (metrics, store) = (&self.lasting.metrics, self.lasting.outbox.store());
        let asked_at = self.lasting.clock.now();
        let (Ok(counts), Ok(callers)) = (store.count().await, store.count_not_cleared().await) else {
            return;
        };
        let counts = counts.into_iter().map(|count| OutboxCount {
            call_center: count.call_center.to_string(),
            kind: count.kind.name(),
            state: count.state.name(),
            entries: count.entries,
            oldest: count.oldest,
        });
        let callers = callers.into_iter().map(|count| NotClearedCount {
            call_center: count.call_center.to_string(),
            state: count.state.name(),
            callers: count.callers,
            oldest: count.oldest,
        });
        let centers = names(&self.settings());
        metrics.outbox(&centers, &counts.collect::<Vec<_>>());
        metrics.not_cleared(&centers, &callers.collect::<Vec<_>>());
        metrics.looked("outbox", asked_at);
    }
}

/// The contact centers.
fn names(settings: &Settings) -> Vec<String> {
    settings.call_centers.keys().cloned().collect()
}

/// The day in UTC.
fn today(lasting: &Lasting) -> Date {
    lasting.clock.now().to_zoned(TimeZone::UTC).date()
}

fn broken(key: &str, problem: &str) -> Problem {
    Problem {
        key: key.to_owned(),
        problem: problem.to_owned(),
        hint: "the configuration is in order, but what it names cannot be used on this machine".to_owned(),
    }
}

/// The section that an error belongs to.
fn key(error: &StartError) -> &'static str {
    match error {
        StartError::Listen { key, .. } => key,
        StartError::Tls(_) => "server.tls",
        StartError::Client(_) => "http_client",
        StartError::Store { .. } => "store.url",
        StartError::Metrics(_) => "operations",
        StartError::Traces(_) => "traces",
    }
}
