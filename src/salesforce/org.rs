//! The contact centers in Salesforce, as one configuration has them; the state of their gates and sessions outlives it.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use reqwest::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::apex::ApexApi;
use super::outcome::voice_call_id;
use super::session::OAuthSessions;
use super::telephony::TelephonyApi;
use super::voice_call_query::VoiceCallQuery;
use super::{BreakerView, Budget, CenterMetrics, Failure, Gate, SalesforceApi, SalesforceRequest};
use crate::clock::Clock;
use crate::domain::{
    CallReference, CreateVoiceCall, ExecuteOmniFlow, Fact, Routing, VendorCallKey, VoiceCallId, quote,
};
use crate::ids::Ids;
use crate::settings::{Api, CallCenter, OAuth, Settings};
use crate::telemetry::Metrics;

/// The result of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The id of the VoiceCall.
    pub voice_call_id: String,
    /// Errors that Salesforce reports although it made the record, fit to be shown.
    pub warnings: Vec<String>,
}

/// One contact center in Salesforce, behind either API.
pub struct Org {
    pub(super) api: OrgApi,
    /// Only where there is an OAuth session.
    pub(super) query: Option<VoiceCallQuery>,
    /// Whether a VoiceCall is queried for an agent before an abandonment is sent.
    queries_agent: bool,
    /// Why Salesforce refused the set-up last, unless it has taken something since.
    refused: ArcSwapOption<String>,
}

/// The API of a contact center.
pub(super) enum OrgApi {
    Telephony(Box<TelephonyApi>),
    Apex(Box<ApexApi>),
}

impl Org {
    /// `before`: the same contact center under another configuration. Whether Salesforce still refuses the set-up is known
    /// when it was asked again, not when that changed.
    fn new(api: OrgApi, query: Option<VoiceCallQuery>, queries_agent: bool, before: Option<&Self>) -> Self {
        let refused = ArcSwapOption::new(before.and_then(Self::refused_set_up));
        Self { api, query, queries_agent, refused }
    }

    pub(super) fn telephony(&self) -> Option<&TelephonyApi> {
        match &self.api {
            OrgApi::Telephony(api) => Some(api),
            OrgApi::Apex(_) => None,
        }
    }

    /// The fact of an agent in the VoiceCall itself; none where it is not to be queried.
    ///
    /// # Errors
    /// When it is to be asked and could not be, in time or at all; never [`Failure::Refused`].
    pub async fn agent_in_record(
        &self,
        client: &Client,
        call: &CallReference,
        budget: &Budget,
    ) -> Result<Option<Fact>, Failure> {
        match &self.query {
            Some(query) if self.queries_agent => query.agent(client, call, budget).await,
            Some(_) | None => Ok(None),
        }
    }

    fn gate(&self) -> &Gate {
        match &self.api {
            OrgApi::Telephony(api) => &api.gate,
            OrgApi::Apex(api) => &api.gate,
        }
    }

    /// The VoiceCall of a vendorCallKey, as far as it can be queried; none without an OAuth session.
    pub async fn record_of(
        &self,
        client: &Client,
        key: &VendorCallKey,
        budget: &Budget,
    ) -> Option<VoiceCallId> {
        let found = self.query.as_ref()?.record(client, key, budget).await;
        found.unwrap_or_else(|failure| {
            tracing::warn!(vendor_call_key = %key, %failure, "whether there is a VoiceCall cannot be asked");
            None
        })
    }

    /// Why Salesforce refuses the set-up, if it did so last.
    pub fn refused_set_up(&self) -> Option<Arc<String>> {
        self.refused.load_full()
    }

    /// Whether the breaker pauses requests.
    pub fn pauses(&self, now: Instant) -> bool {
        self.gate().pauses(now)
    }

    /// Whether a request would now be a probe.
    pub fn wants_probe(&self, now: Instant) -> bool {
        self.gate().wants_probe(now)
    }

    /// As [`Gate::breaker`].
    pub fn breaker(&self, now: Instant) -> BreakerView {
        self.gate().breaker(now)
    }

    /// As [`Gate::returns`].
    pub fn returns(&self) -> u64 {
        self.gate().returns()
    }

    /// Creates the VoiceCall of a call.
    ///
    /// # Errors
    /// When Salesforce did not create it, or the result is not known.
    pub async fn create(
        &self,
        client: &Client,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Created, Failure> {
        let data = self.send(client, SalesforceRequest::Create(request), budget).await?;
        let voice_call_id = voice_call_id(&data).unwrap_or_default().to_owned();
        Ok(Created { voice_call_id, warnings: warnings(&data) })
    }

    /// Asks the Omni-Channel flow for a queue or an agent.
    ///
    /// # Errors
    /// When it gave no answer.
    pub async fn omni_flow(
        &self,
        client: &Client,
        request: &ExecuteOmniFlow,
        budget: &Budget,
    ) -> Result<Routing, Failure> {
        let data = self.send(client, SalesforceRequest::OmniFlow(request), budget).await?;
        let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Ok(Routing { queue: text("queue").map(str::to_owned), agent: text("agent").map(str::to_owned) })
    }

    /// Sends any request; of an update or clear routing only the success matters.
    ///
    /// # Errors
    /// When Salesforce did not do it in time.
    pub async fn send(
        &self,
        client: &Client,
        request: SalesforceRequest<'_>,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        let (operation, at) = (request.operation(), Instant::now());
        let sent = match &self.api {
            OrgApi::Telephony(api) => api.send(client, request, budget).await,
            // Boxed, since it takes twice the room of the other, with the session.
            OrgApi::Apex(api) => Box::pin(api.send(client, request, budget)).await,
        };
        budget.asked_for(operation, at, sent.as_ref().err());
        match &sent {
            Err(Failure::Misconfigured { words }) => self.refused.store(Some(Arc::new(words.clone()))),
            Ok(_) if self.refused.load().is_some() => self.refused.store(None),
            Ok(_) | Err(_) => {}
        }
        sent
    }
}

/// `errors` beside the id of a record: an array, or one string.
fn warnings(data: &Value) -> Vec<String> {
    match data.get("errors") {
        Some(Value::String(text)) if !text.trim().is_empty() => vec![quote(text)],
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| item.as_str().map_or_else(|| quote(&item.to_string()), quote))
            .take(3)
            .collect(),
        _ => Vec::new(),
    }
}

/// All contact centers, by name. Those of one org share its gates.
pub struct Orgs {
    orgs: HashMap<String, Org>,
    /// One for each org and API.
    gates: HashMap<(SalesforceApi, String), Arc<Gate>>,
    /// By contact center.
    sessions: HashMap<String, Arc<OAuthSessions>>,
}

impl Orgs {
    /// The configured contact centers. The state of those `before` stays: gates, and tokens and sessions whose
    /// configuration has not changed.
    pub fn new(
        settings: &Settings,
        before: Option<&Self>,
        (clock, ids): (&Arc<dyn Clock>, &Arc<Ids>),
        metrics: &Arc<Metrics>,
    ) -> Self {
        let orgs = Self { orgs: HashMap::new(), gates: HashMap::new(), sessions: HashMap::new() };
        let mut building = OrgsBuilder { orgs, settings, before, clock, ids, metrics };
        for center in settings.call_centers.values() {
            let org = building.org(center);
            building.orgs.orgs.insert(center.name.clone(), org);
        }
        building.orgs
    }

    /// Replaces the settings of the gates that were taken over.
    pub fn adopt(&self, settings: &Settings) {
        self.gates.values().for_each(|gate| gate.adopt(settings));
    }

    /// A contact center.
    pub fn get(&self, call_center: &str) -> Option<&Org> {
        self.orgs.get(call_center)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Org)> {
        self.orgs.iter().map(|(name, org)| (name.as_str(), org))
    }
}

struct OrgsBuilder<'a> {
    orgs: Orgs,
    settings: &'a Settings,
    before: Option<&'a Orgs>,
    clock: &'a Arc<dyn Clock>,
    ids: &'a Arc<Ids>,
    metrics: &'a Arc<Metrics>,
}

impl OrgsBuilder<'_> {
    fn org(&mut self, center: &CallCenter) -> Org {
        let (api, sessions) = match &center.api {
            Api::Telephony(api) => {
                let sessions = api.oauth.as_ref().map(|oauth| self.session(center, oauth).1);
                let gate = self.gate(SalesforceApi::Telephony, api.org_id.as_str());
                let certificates = self.settings.certificates.values();
                let before = self.before.and_then(|before| before.get(&center.name)?.telephony());
                let api = TelephonyApi::new(
                    (gate, CenterMetrics::new(self.metrics, &center.name)),
                    center,
                    api,
                    certificates,
                    before,
                    self.clock,
                    self.ids,
                );
                (OrgApi::Telephony(Box::new(api)), sessions)
            }
            Api::Apex(api) => {
                let (gate, sessions) = self.session(center, &api.oauth);
                let api = ApexApi::new(gate, Arc::clone(&sessions), center, api);
                (OrgApi::Apex(Box::new(api)), Some(sessions))
            }
        };
        let before = self.before.and_then(|before| before.get(&center.name));
        Org::new(api, sessions.map(VoiceCallQuery::new), center.abandonment.ask_salesforce, before)
    }

    /// The gate of an org: the one that exists, else the one from before, else a new one.
    fn gate(&mut self, api: SalesforceApi, org: &str) -> Arc<Gate> {
        let key = (api, org.to_owned());
        let (settings, ids) = (self.settings, self.ids);
        let before = self.before.and_then(|before| before.gates.get(&key)).map(Arc::clone);
        let new = || Arc::new(Gate::new(org.to_owned(), settings, Arc::clone(ids)));
        Arc::clone(self.orgs.gates.entry(key).or_insert_with(|| before.unwrap_or_else(new)))
    }

    /// The session of a contact center, and the gate of its login.
    fn session(&mut self, center: &CallCenter, oauth: &OAuth) -> (Arc<Gate>, Arc<OAuthSessions>) {
        let gate = self.gate(SalesforceApi::Apex, &format!("{} {}", oauth.login_url, oauth.username));
        let keep = self.settings.session;
        let before = self.before.and_then(|before| before.sessions.get(&center.name));
        let sessions = match before.filter(|before| before.fits(oauth, center, keep)) {
            Some(before) => Arc::clone(before),
            None => {
                let (gate, clock) = (Arc::clone(&gate), Arc::clone(self.clock));
                let measured = CenterMetrics::new(self.metrics, &center.name);
                Arc::new(OAuthSessions::new((gate, measured), oauth, center, keep, clock))
            }
        };
        self.orgs.sessions.insert(center.name.clone(), Arc::clone(&sessions));
        (gate, sessions)
    }
}
