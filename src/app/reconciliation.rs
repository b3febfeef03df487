//! Reconciliation with Webex, where it is configured.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;

use crate::bridge::SharedBridge;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::outbox::Outbox;
use crate::settings::{self, Settings};
use crate::telemetry::Metrics;
use crate::webex::{self, EventRecovery, Reconciler, RecordingClient, SubscriptionWatch};

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
    /// A client of Webex. One for the process: all who ask share the pace that Webex allows.
    ///
    /// # Errors
    /// What `[webex]` lacks.
    pub fn client(&self, http: Client) -> Result<Arc<webex::ApiClient>, webex::MissingSetting> {
        let configured = self.webex()?;
        let (store, clock, owner) = (self.outbox.store(), self.clock, self.outbox.owner());
        let tokens =
            webex::tokens(configured, http.clone(), store.clone(), Arc::clone(clock), owner.to_owned())?;
        let tokens = tokens.measured(Arc::clone(self.metrics));
        webex::api_client(configured, http, tokens, Arc::clone(clock), Arc::clone(self.ids)).map(Arc::new)
    }

    fn webex(&self) -> Result<&settings::Webex, webex::MissingSetting> {
        let hint = "add the section; `scv-bridge check --defaults` shows its keys";
        self.settings.webex.as_ref().ok_or(webex::MissingSetting { key: "webex", hint })
    }

    /// A reconciler that asks with this client, and tells whatever bridge is in place.
    ///
    /// # Errors
    /// What `[webex]` lacks.
    pub fn reconciler(
        &self,
        bridge: SharedBridge,
        client: Arc<webex::ApiClient>,
    ) -> Result<Reconciler<EventRecovery>, webex::MissingSetting> {
        let (settings, configured) = (self.settings, self.webex()?);
        let (store, clock, owner) = (self.outbox.store(), self.clock, self.outbox.owner());
        let watch = webex::destination(settings.server.public_url.as_ref()).ok().map(|destination| {
            SubscriptionWatch { destination, reactivate: configured.reactivate_subscriptions }
        });
        let closing = EventRecovery::new(bridge);
        let reconciler = Reconciler::new(
            client,
            store.clone(),
            Arc::clone(clock),
            Arc::clone(self.metrics),
            closing,
            owner.to_owned(),
        );
        Ok(reconciler.patient(PATIENCE).watching(watch))
    }

    /// The client, none where there is no integration: webhooks work without.
    pub(super) fn client_if_configured(&self, http: Client) -> Option<Arc<webex::ApiClient>> {
        self.settings.webex.as_ref()?.oauth_client.as_ref()?;
        let client = self.client(http);
        client.inspect_err(|missing| tracing::warn!(%missing, "Webex is not asked for anything")).ok()
    }

    /// What asks for recordings.
    pub(super) fn recorder(&self, client: Arc<webex::ApiClient>) -> Option<RecordingClient> {
        let org_id = self.settings.webex.as_ref()?.org_id.clone()?;
        Some(RecordingClient::new(client, org_id, Arc::clone(self.metrics)))
    }
}

/// Compares calls for ever, if that is wanted.
pub(super) async fn reconcile(reconciler: Option<Arc<Reconciler<EventRecovery>>>, settings: Arc<Settings>) {
    let every = settings.webex.as_ref().and_then(|webex| webex.reconcile_every);
    match reconciler.zip(every) {
        Some((reconciler, every)) => reconciler.run(every).await,
        None => std::future::pending().await,
    }
}
