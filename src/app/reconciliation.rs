//! Reconciliation with Webex, where it is configured.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;

use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::outbox::Outbox;
use crate::settings::Settings;
use crate::telemetry::Metrics;
use crate::webex::{self, LostEvents, Reconciler, Watch};

/// How long one comparison may wait for Webex's limit of requests, in all.
const PATIENCE: Duration = Duration::from_secs(120);

/// What reconciliation stands on.
pub struct Ground<'a> {
    /// The configuration.
    pub settings: &'a Arc<Settings>,
    /// Whose store it works on, and in whose name.
    pub outbox: &'a Outbox,
    /// Where what it finds is counted.
    pub metrics: &'a Arc<Metrics>,
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
    /// Randomness.
    pub ids: &'a Arc<Ids>,
}

impl Ground<'_> {
    /// A reconciler with a bridge and connections of its own; the key that is missing, where Webex cannot be asked.
    ///
    /// # Errors
    /// What `[webex]` lacks.
    pub fn reconciler(&self, bridge: Bridge, http: Client) -> Result<Reconciler<LostEvents>, webex::Missing> {
        let settings = self.settings;
        let hint = "add the section; config/default.toml shows its keys";
        let configured = settings.webex.as_ref().ok_or(webex::Missing { key: "webex", hint })?;
        let (store, clock, owner) = (self.outbox.store(), self.clock, self.outbox.owner());
        let tokens =
            webex::tokens(configured, http.clone(), store.clone(), Arc::clone(clock), owner.to_owned())?;
        let tokens = tokens.measured(Arc::clone(self.metrics));
        let client = webex::client(configured, http, tokens, Arc::clone(clock), Arc::clone(self.ids))?;
        let watch = webex::destination(settings.server.public_url.as_ref())
            .ok()
            .map(|destination| Watch { destination, reactivate: configured.reactivate_subscriptions });
        let closing = LostEvents::new(bridge, store.clone(), Arc::clone(settings));
        let reconciler = Reconciler::new(
            Arc::new(client),
            store.clone(),
            Arc::clone(clock),
            Arc::clone(self.metrics),
            closing,
            owner.to_owned(),
        );
        Ok(reconciler.patient(PATIENCE).watching(watch))
    }
    /// The same; none where there is no integration, for webhooks work without.
    pub(super) fn if_configured(&self, bridge: Bridge, http: Client) -> Option<Reconciler<LostEvents>> {
        self.settings.webex.as_ref()?.oauth_client.as_ref()?;
        let reconciler = self.reconciler(bridge, http);
        reconciler.inspect_err(|missing| tracing::warn!(%missing, "calls are not compared with Webex")).ok()
    }
}

/// Compares calls for ever, if that is wanted.
pub(super) async fn reconcile(reconciler: Option<Arc<Reconciler<LostEvents>>>, settings: Arc<Settings>) {
    let every = settings.webex.as_ref().and_then(|webex| webex.reconcile_every);
    match reconciler.zip(every) {
        Some((reconciler, every)) => reconciler.run(every).await,
        None => std::future::pending().await,
    }
}
