//! Serves every voice request: identifies the client, sets the deadline, reads the body, calls the method of [`Bridge`]
//! and takes the notes for the log.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use openssl::error::ErrorStack;
use tokio::time::timeout_at;

use super::access::{Arrival, InFlightGuard, PlaceKind, take_place};
use super::body::UnsetWords;
use super::caller::{Authorization, Callers, Peer};
use super::notes::RequestNotes;
use super::voice_body::VoiceBody;
use super::{ApiError, body};
use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::domain::{Exchange, ExchangeOrigin, ExchangeRecord, VendorCallKey, VoiceCallId};
use crate::salesforce::Budget;
use crate::settings::{self, BadSignatureStatus, Client, Deadlines, Settings};
use crate::telemetry::Metrics;
use crate::webex::Signatures;

/// The voice routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A call has arrived.
    CreateVoiceCall,
    /// Times and fields of a call.
    UpdateVoiceCall,
    /// Queue or agent of a call.
    ExecuteOmniFlow,
    /// The caller does not wait any more.
    ClearRouting,
    /// The caller has hung up.
    PhoneContactEnded,
    /// An agent has accepted the call.
    AgentAnswered,
}

impl Route {
    /// The name, as in the path.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateVoiceCall => "createVoiceCall",
            Self::UpdateVoiceCall => "updateVoiceCall",
            Self::ExecuteOmniFlow => "executeOmniFlow",
            Self::ClearRouting => "clearRouting",
            Self::PhoneContactEnded => "phoneContactEnded",
            Self::AgentAnswered => "agentAnswered",
        }
    }

    fn deadline(self, deadlines: &Deadlines) -> Duration {
        match self {
            Self::CreateVoiceCall => deadlines.create_voice_call,
            Self::UpdateVoiceCall => deadlines.update_voice_call,
            Self::ExecuteOmniFlow => deadlines.execute_omni_flow,
            Self::ClearRouting => deadlines.clear_routing,
            Self::PhoneContactEnded => deadlines.phone_contact_ended,
            Self::AgentAnswered => deadlines.agent_answered,
        }
    }
}

/// How webhooks are verified: everything that `[webex]` has for their route.
pub struct Webhooks {
    pub(super) signatures: Signatures,
    pub(super) bad_signature_status: BadSignatureStatus,
    org_id: Option<String>,
    pub(super) metrics: Arc<Metrics>,
}

impl Webhooks {
    /// By the section `[webex]`.
    ///
    /// # Errors
    /// When OpenSSL lacks HMAC.
    pub fn new(webex: &settings::Webex, metrics: &Arc<Metrics>) -> Result<Self, ErrorStack> {
        Ok(Self {
            signatures: Signatures::new(&webex.webhook_secrets)?,
            bad_signature_status: webex.bad_signature_status,
            org_id: webex.org_id.clone(),
            metrics: Arc::clone(metrics),
        })
    }

    /// Whether a webhook of this organisation is for this bridge.
    pub(super) fn is_ours(&self, org: Option<&str>) -> bool {
        match (&self.org_id, org) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
            _ => true,
        }
    }
}

/// Everything made of one configuration: the clients, and the bridges. It is replaced as a whole when the configuration
/// changes; a request ends under the one that it began with.
pub struct ConfiguredApi {
    settings: Arc<Settings>,
    callers: Callers,
    webhooks: Option<Webhooks>,
    unset: UnsetWords,
    first: Bridge,
    others: Vec<Bridge>,
}

impl ConfiguredApi {
    /// With a bridge for each worker thread.
    pub fn new(
        settings: Arc<Settings>,
        callers: Callers,
        webhooks: Option<Webhooks>,
        (first, others): (Bridge, Vec<Bridge>),
    ) -> Self {
        Self { settings, callers, webhooks, unset: UnsetWords::default(), first, others }
    }

    /// The clients.
    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    /// How webhooks are verified, if they are accepted.
    pub(super) fn webhooks(&self) -> Option<&Webhooks> {
        self.webhooks.as_ref()
    }

    /// The bridge of a worker thread. A thread that was restarted after a panic may share another's.
    fn bridge(&self, worker: usize) -> &Bridge {
        worker.checked_sub(1).and_then(|other| self.others.get(other)).unwrap_or(&self.first)
    }
}

/// The context of a worker thread.
pub struct ApiContext {
    configured: Arc<ArcSwap<ConfiguredApi>>,
    worker: usize,
    clock: Arc<dyn Clock>,
}

impl ApiContext {
    /// The context of a worker thread, counted from 0.
    pub fn new(configured: Arc<ArcSwap<ConfiguredApi>>, worker: usize, clock: Arc<dyn Clock>) -> Self {
        Self { configured, worker, clock }
    }

    /// The bridge of this worker, under one configuration.
    pub(super) fn bridge<'a>(&self, configured: &'a ConfiguredApi) -> &'a Bridge {
        configured.bridge(self.worker)
    }

    /// The current time, for fields that a flow left out.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The current configuration.
    pub fn configured(&self) -> Arc<ConfiguredApi> {
        self.configured.load_full()
    }

    /// Serves one request: `read` makes a request of the body, `act` calls the bridge with it.
    pub async fn serve<T>(
        &self,
        request: HttpRequest,
        payload: web::Payload,
        route: Route,
        read: impl FnOnce(VoiceBody<'_>) -> Result<T, ApiError>,
        act: impl AsyncFnOnce(&Bridge, T, &Budget, &mut RequestNotes) -> Result<HttpResponse, ApiError>,
    ) -> HttpResponse {
        let (configured, at) = (self.configured(), self.now());
        let arrival = Arrival::of(&request);
        let (started, deadline) = (arrival.started, route.deadline(&configured.settings.deadlines));
        let budget = Budget::new(started, deadline);
        let mut notes = RequestNotes {
            route: route.name(),
            outcome: "ok",
            deadline: Some(deadline),
            ..RequestNotes::default()
        };
        let result = match configured.take_in(&request, payload, read, &budget, &mut notes, at).await {
            Ok((task, _place)) => act(configured.bridge(self.worker), task, &budget, &mut notes).await,
            Err(error) => Err(error),
        };
        notes.upstream = budget.upstream();
        let response = result.unwrap_or_else(|error| {
            notes.outcome = error.label();
            notes.error = Some(error.messages().join("; "));
            error.response()
        });
        let asked = budget.exchanges();
        notes.learn_cause(&asked);
        configured.bridge(self.worker).store().keep_exchange(|| {
            let (call_center, call) = notes.named_call()?;
            // The journal has the id that a create has made.
            let also = notes.other_name().filter(|_| route != Route::CreateVoiceCall);
            let origin = ExchangeOrigin::Flow {
                route: notes.route.into(),
                status: response.status().as_u16(),
                request_id: arrival.request_id,
            };
            let record = ExchangeRecord {
                origin,
                outcome: notes.outcome.into(),
                milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                error: notes.error.clone(),
                salesforce: asked,
            };
            Some(Exchange { call_center, call, also, at, record })
        });
        request.extensions_mut().insert(notes);
        response
    }
}

impl ConfiguredApi {
    /// Everything before the bridge. The cheap checks come first; no body is read without right credentials.
    async fn take_in<T>(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
        read: impl FnOnce(VoiceBody<'_>) -> Result<T, ApiError>,
        budget: &Budget,
        notes: &mut RequestNotes,
        now: Timestamp,
    ) -> Result<(T, Option<InFlightGuard>), ApiError> {
        let peer = Peer::of(request);
        let client = self.callers.identify(&peer, now);
        let client = client.inspect_err(|_| {
            notes.failed_login = Some(Authorization::way(peer.headers));
            notes.client = self.callers.claimed(&peer);
            notes.address = Some(self.callers.address(&peer));
        })?;
        let place = take_place(request, PlaceKind::Clients)?;
        notes.client = Some(client.id.clone());
        body::expect_json(request.headers())?;
        if body::announced_length(request).is_some_and(|length| length > body::BODY_LIMIT) {
            return Err(ApiError::TooLarge);
        }
        let bytes = timeout_at(budget.deadline(), body::read(request, payload))
            .await
            .map_err(|_| ApiError::SlowBody)??;
        let reading = self.open(&bytes, client, notes)?;
        Ok((read(reading)?, place))
    }

    fn open(
        &self,
        bytes: &[u8],
        client: &Client,
        notes: &mut RequestNotes,
    ) -> Result<VoiceBody<'_>, ApiError> {
        let (fields, stray) = body::object(bytes)?;
        // A body that is refused is one of that call too.
        let text = |wanted: &str| fields.0.iter().find(|(name, _)| name == wanted)?.1.as_str();
        if let Some(key) = text("vendorCallKey").and_then(|key| VendorCallKey::parse(key.trim()).ok()) {
            notes.vendor_call_key(&key);
        }
        // A flow that has one body for all its requests sends one with a create, too.
        if let Some(id) = text("voiceCallId").filter(|_| notes.route != Route::CreateVoiceCall.name())
            && let Ok(id) = VoiceCallId::parse(id.trim())
        {
            notes.voice_call_id(id.as_ref());
        }
        let reading = VoiceBody::begin(fields, &self.settings, client, &self.unset)?;
        if let Some(name) = reading.call_center() {
            notes.call_center(name);
        }
        if stray {
            tracing::warn!(
                route = notes.route,
                call_center = notes.call_center.as_ref().map(AsRef::<str>::as_ref),
                "stray characters after the body were ignored; look at the end of the request body in the flow"
            );
        }
        Ok(reading)
    }
}
