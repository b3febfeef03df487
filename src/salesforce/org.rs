//! A contact center in Salesforce, whichever way leads to it.

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::apex::Apex;
use super::inquiry::Inquiry;
use super::outcome::voice_call_id;
use super::session::Sessions;
use super::telephony::Telephony;
use super::{Ask, Budget, Failure, Gate, Way};
use crate::clock::Clock;
use crate::domain::{CallReference, CreateVoiceCall, ExecuteOmniFlow, Fact, Routing, quote};
use crate::ids::Ids;
use crate::settings::{Api, CallCenter, OAuth, Settings};

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
    /// Only where the VoiceCall itself is to be asked.
    inquiry: Option<Inquiry>,
}

enum Ways {
    Telephony(Box<Telephony>),
    Apex(Box<Apex>),
}

impl Org {
    /// All configured contact centers, by name. Those of one org share its gates.
    #[must_use]
    pub fn all(settings: &Settings, clock: &Arc<dyn Clock>, ids: &Arc<Ids>) -> HashMap<String, Self> {
        let mut gates = Gates::default();
        let mut org = |center: &CallCenter| {
            let mut under_session = |oauth: &OAuth| {
                let org = format!("{} {}", oauth.login_url, oauth.username);
                let gate = gates.of(Way::Apex, &org, settings, ids);
                let (certificate, clock) = (center.certificate.clone(), Arc::clone(clock));
                let sessions = Sessions::new(Arc::clone(&gate), oauth, certificate, settings.session, clock);
                (gate, Arc::new(sessions))
            };
            let (way, sessions) = match &center.api {
                Api::Telephony(api) => {
                    let sessions = api.oauth.as_ref().map(|oauth| under_session(oauth).1);
                    let gate = gates.of(Way::Telephony, api.org_id.as_str(), settings, ids);
                    let certificates = settings.certificates.values();
                    let telephony = Telephony::new(gate, center, api, certificates, clock, ids);
                    (Ways::Telephony(Box::new(telephony)), sessions)
                }
                Api::Apex(api) => {
                    let (gate, sessions) = under_session(&api.oauth);
                    let apex = Apex::new(gate, Arc::clone(&sessions), center, api);
                    (Ways::Apex(Box::new(apex)), Some(sessions))
                }
            };
            let asked = sessions.filter(|_| center.abandonment.ask_salesforce);
            Self { way, inquiry: asked.map(Inquiry::new) }
        };
        let centers = settings.call_centers.values();
        centers.map(|center| (center.name.clone(), org(center))).collect()
    }

    /// What the VoiceCall itself tells of an agent; nothing where it is not to be asked.
    ///
    /// # Errors
    /// When it is to be asked and could not be, in time or at all; never [`Failure::Refused`].
    pub async fn agent_in_record(
        &self,
        client: &Client,
        call: &CallReference,
        budget: &Budget,
    ) -> Result<Option<Fact>, Failure> {
        match &self.inquiry {
            Some(inquiry) => inquiry.agent(client, call, budget).await,
            None => Ok(None),
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
    fn of(&mut self, way: Way, org: &str, settings: &Settings, ids: &Arc<Ids>) -> Arc<Gate> {
        let gate = || Arc::new(Gate::new(org.to_owned(), settings, Arc::clone(ids)));
        Arc::clone(self.0.entry((way, org.to_owned())).or_insert_with(gate))
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
