//! Everything that follows from the settings: built anew when they change, and replaced as a whole.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Client;

use super::StartError;
use super::reconciliation::Ground;
use super::tls::Under;
use crate::api::{Callers, ConfiguredApi, Replays, Throttle, Webhooks};
use crate::bridge::{Bridge, CallTurns, SharedBridge};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::outbox::Outbox;
use crate::salesforce::{Orgs, clients};
use crate::settings::{Expiry, Settings};
use crate::store::Store;
use crate::telemetry::{Metrics, Traces};
use crate::webex::{EventRecovery, Reconciler, RecordingClient};

/// What lasts as long as the process, whatever the settings.
pub(super) struct Lasting {
    pub(super) outbox: Arc<Outbox>,
    pub(super) turns: Arc<CallTurns>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<Ids>,
    pub(super) metrics: Arc<Metrics>,
    /// Where traces are on.
    pub(super) traces: Option<Arc<Traces>>,
    pub(super) throttle: Arc<Throttle>,
    replays: Arc<Replays>,
    /// Where the public listener is bound.
    pub(super) address: SocketAddr,
}

impl Lasting {
    pub(super) fn new(
        settings: &Settings,
        store: Store,
        address: SocketAddr,
        (metrics, traces): (&Arc<Metrics>, &Option<Arc<Traces>>),
        clock: &Arc<dyn Clock>,
        ids: &Arc<Ids>,
    ) -> Self {
        let (clock, ids) = (Arc::clone(clock), Arc::clone(ids));
        let (metrics, terms) = (Arc::clone(metrics), &settings.outbox);
        let outbox = Outbox::new(store, terms, Arc::clone(&clock), Arc::clone(&ids), Arc::clone(&metrics));
        let (logins, proxies) = (&settings.limits.failed_logins, settings.server.proxies.clone());
        let throttle = Arc::new(Throttle::new(logins, proxies, Arc::clone(&clock)));
        let (turns, replays) = (Arc::default(), Arc::default());
        let (outbox, traces) = (Arc::new(outbox), traces.clone());
        Self { outbox, turns, clock, ids, metrics, traces, throttle, replays, address }
    }
}

/// What runs under one configuration.
pub(super) struct Generation {
    pub(super) settings: Arc<Settings>,
    pub(super) orgs: Arc<Orgs>,
    pub(super) ends: Vec<Expiry>,
    /// Of the outbox.
    pub(super) own: Client,
    /// One for each worker thread; at least one.
    clients: Vec<Client>,
}

/// A generation, and what it puts into its places: nothing of it can fail any more.
pub(super) struct Built {
    pub(super) generation: Generation,
    pub(super) configured: ConfiguredApi,
    pub(super) under: Option<Under>,
}

impl Generation {
    /// Builds what follows from the settings, with what is worth keeping of the generation before: connections, and
    /// what [`Orgs::new`] keeps.
    ///
    /// # Errors
    /// When a certificate or the client cannot be used.
    pub(super) fn build(
        settings: Settings,
        before: Option<&Self>,
        lasting: &Lasting,
    ) -> Result<Built, StartError> {
        let settings = Arc::new(settings);
        let under = settings.server.tls.as_ref().map(Under::new).transpose()?;
        let base_url = settings.server.base_url(lasting.address);
        let (replays, throttle) = (Arc::clone(&lasting.replays), Arc::clone(&lasting.throttle));
        let callers = Callers::new(&settings, base_url, replays, throttle)?;
        let (own, clients) = match before {
            Some(before) if before.settings.http_client == settings.http_client => {
                (before.own.clone(), before.clients.clone())
            }
            _ => {
                let mut clients = clients(&settings.http_client, workers(&settings) + 1)?;
                (clients.pop().unwrap_or_default(), clients)
            }
        };
        let orgs = before.map(|before| before.orgs.as_ref());
        let orgs = Arc::new(Orgs::new(&settings, orgs, (&lasting.clock, &lasting.ids), &lasting.metrics));
        let bridge =
            |client: &Client| Bridge::new(&settings, client.clone(), &orgs, &lasting.outbox, &lasting.turns);
        let (first, others) = clients.split_first().map_or((&own, &[][..]), |split| split);
        let webhooks = settings.webex.as_ref();
        let webhooks = webhooks.map(|webex| Webhooks::new(webex, &lasting.metrics)).transpose()?;
        let bridges = (bridge(first), others.iter().map(bridge).collect());
        let configured = ConfiguredApi::new(Arc::clone(&settings), callers, webhooks, bridges);
        let ends = settings.expiries();
        Ok(Built { generation: Self { settings, orgs, ends, own, clients }, configured, under })
    }
}

impl Generation {
    /// A bridge for what is no flow's request.
    pub(super) fn spare(&self, lasting: &Lasting) -> Bridge {
        Bridge::new(&self.settings, self.own.clone(), &self.orgs, &lasting.outbox, &lasting.turns)
    }

    /// What asks Webex, where that is configured: what compares calls, and what asks for recordings.
    /// `spare` is told what was lost.
    pub(super) fn askers(
        &self,
        lasting: &Lasting,
        spare: &SharedBridge,
    ) -> (Option<Reconciler<EventRecovery>>, Option<RecordingClient>) {
        let Lasting { outbox, metrics, clock, ids, .. } = lasting;
        let ground = Ground { settings: &self.settings, outbox, metrics, clock, ids };
        let Some(client) = ground.client_if_configured(self.own.clone()) else { return (None, None) };
        let reconciler = ground.reconciler(Arc::clone(spare), Arc::clone(&client)).ok();
        (reconciler, ground.recorder(client))
    }
}

/// Worker threads of the public listener.
pub(super) fn workers(settings: &Settings) -> usize {
    match settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}
