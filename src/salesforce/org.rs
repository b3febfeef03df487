//! A contact center in Salesforce, whichever way leads to it.

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::apex::Apex;
use super::outcome::voice_call_id;
use super::telephony::Telephony;
use super::{Ask, Budget, Failure, Gate, Way};
use crate::clock::Clock;
use crate::domain::{CreateVoiceCall, ExecuteOmniFlow, Routing, quote};
use crate::ids::Ids;
use crate::settings::{Api, CallCenter, Settings};

/// What a create gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The id of the record.
    pub voice_call_id: String,
    /// What Salesforce complained about although it made the record, fit to be shown.
    pub warnings: Vec<String>,
}

/// One contact center in Salesforce.
pub struct Org {
    way: Ways,
}

enum Ways {
    Telephony(Box<Telephony>),
    Apex(Box<Apex>),
}

/// All contact centers, by name. Those of one org share its gates.
pub struct Orgs {
    orgs: HashMap<String, Org>,
    gates: Gates,
}

impl Orgs {
    /// The configured contact centers. What those `before` them know stays: how the org answers and how much is asked of
    /// it, and tokens and sessions about which nothing has changed.
    #[must_use]
    pub fn new(settings: &Settings, before: Option<&Self>, clock: &Arc<dyn Clock>, ids: &Arc<Ids>) -> Self {
        let mut gates = Gates::default();
        let held = before.map(|before| &before.gates);
        let mut way = |center: &CallCenter| match &center.api {
            Api::Telephony(api) => {
                let gate = gates.of(Way::Telephony, api.org_id.as_str(), held, settings, ids);
                let certificates = settings.certificates.values();
                let held = before.and_then(|before| before.get(&center.name)?.telephony());
                Ways::Telephony(Box::new(Telephony::new(gate, center, api, certificates, held, clock, ids)))
            }
            Api::Apex(api) => {
                let org = format!("{} {}", api.oauth.login_url, api.oauth.username);
                let gate = gates.of(Way::Apex, &org, held, settings, ids);
                let held = before.and_then(|before| before.get(&center.name)?.apex());
                Ways::Apex(Box::new(Apex::new(gate, center, api, settings.session, held, clock)))
            }
        };
        let centers = settings.call_centers.values();
        let orgs = centers.map(|center| (center.name.clone(), Org { way: way(center) })).collect();
        Self { orgs, gates }
    }

    /// Lets the gates that were kept go by these settings.
    pub fn adopt(&self, settings: &Settings) {
        self.gates.0.values().for_each(|gate| gate.adopt(settings));
    }

    /// A contact center.
    #[must_use]
    pub fn get(&self, call_center: &str) -> Option<&Org> {
        self.orgs.get(call_center)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Org)> {
        self.orgs.iter().map(|(name, org)| (name.as_str(), org))
    }
}

impl Org {
    fn telephony(&self) -> Option<&Telephony> {
        match &self.way {
            Ways::Telephony(way) => Some(way),
            Ways::Apex(_) => None,
        }
    }

    fn apex(&self) -> Option<&Apex> {
        match &self.way {
            Ways::Apex(way) => Some(way),
            Ways::Telephony(_) => None,
        }
    }

    /// Whether it is left alone for the moment, because it does not answer.
    #[must_use]
    pub fn pauses(&self, now: Instant) -> bool {
        match &self.way {
            Ways::Telephony(way) => way.gate.pauses(now),
            Ways::Apex(way) => way.gate.pauses(now),
        }
    }

    /// Makes the record of a call.
    ///
    /// # Errors
    /// When Salesforce did not make it, or nobody knows.
    pub async fn create(
        &self,
        client: &Client,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Created, Failure> {
        let data = self.ask(client, Ask::Create(request), budget).await?;
        let voice_call_id = voice_call_id(&data).unwrap_or_default().to_owned();
        Ok(Created { voice_call_id, warnings: warnings(&data) })
    }

    /// Asks the Omni-Channel flow where the call shall go.
    ///
    /// # Errors
    /// When it gave no answer.
    pub async fn omni_flow(
        &self,
        client: &Client,
        request: &ExecuteOmniFlow,
        budget: &Budget,
    ) -> Result<Routing, Failure> {
        let data = self.ask(client, Ask::OmniFlow(request), budget).await?;
        let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Ok(Routing { queue: text("queue").map(str::to_owned), agent: text("agent").map(str::to_owned) })
    }

    /// Asks anything; what an update or clear routing gave is of no interest beyond that it was taken.
    ///
    /// # Errors
    /// When Salesforce did not do it in time.
    pub async fn ask(&self, client: &Client, ask: Ask<'_>, budget: &Budget) -> Result<Value, Failure> {
        match &self.way {
            Ways::Telephony(way) => way.ask(client, ask, budget).await,
            Ways::Apex(way) => way.ask(client, ask, budget).await,
        }
    }
}

/// One gate for each org and way.
#[derive(Default)]
struct Gates(HashMap<(Way, String), Arc<Gate>>);

impl Gates {
    /// The gate of an org: the one that is there, else the one that was `held` before, else a new one.
    fn of(
        &mut self,
        way: Way,
        org: &str,
        held: Option<&Self>,
        settings: &Settings,
        ids: &Arc<Ids>,
    ) -> Arc<Gate> {
        let key = (way, org.to_owned());
        let held = held.and_then(|held| held.0.get(&key)).map(Arc::clone);
        let gate = || held.unwrap_or_else(|| Arc::new(Gate::new(org.to_owned(), settings, Arc::clone(ids))));
        Arc::clone(self.0.entry(key).or_insert_with(gate))
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
