//! A contact center in Salesforce, whichever way leads to it.

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::Client;
use serde_json::Value;

use super::apex::Apex;
use super::outcome::voice_call_id;
use super::telephony::Telephony;
use super::{Budget, Failure};
use crate::clock::Clock;
use crate::domain::{ClearRouting, CreateVoiceCall, ExecuteOmniFlow, Routing, UpdateVoiceCall, quote};
use crate::ids::Ids;
use crate::settings::{Api, Settings};

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
    Telephony(Telephony),
    Apex(Box<Apex>),
}

impl Org {
    /// All configured contact centers, by name.
    #[must_use]
    pub fn all(settings: &Settings, clock: &Arc<dyn Clock>, ids: &Arc<Ids>) -> HashMap<String, Self> {
        let way = |center: &crate::settings::CallCenter| match &center.api {
            Api::Telephony(api) => {
                let certificates = settings.certificates.values();
                Ways::Telephony(Telephony::new(center, api, certificates, clock, ids))
            }
            Api::Apex(api) => Ways::Apex(Box::new(Apex::new(center, api, settings.session, clock))),
        };
        settings
            .call_centers
            .values()
            .map(|center| (center.name.clone(), Self { way: way(center) }))
            .collect()
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
        let data = match &self.way {
            Ways::Telephony(way) => way.create(client, request, budget).await,
            Ways::Apex(way) => way.create(client, request, budget).await,
        }?;
        let voice_call_id = voice_call_id(&data).unwrap_or_default().to_owned();
        Ok(Created { voice_call_id, warnings: warnings(&data) })
    }

    /// Changes the record of a call; Salesforce works on it afterwards.
    ///
    /// # Errors
    /// When Salesforce did not take the update.
    pub async fn update(
        &self,
        client: &Client,
        request: &UpdateVoiceCall,
        budget: &Budget,
    ) -> Result<(), Failure> {
        match &self.way {
            Ways::Telephony(way) => way.update(client, request, budget).await,
            Ways::Apex(way) => way.update(client, request, budget).await,
        }
        .map(drop)
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
        let data = match &self.way {
            Ways::Telephony(way) => way.omni_flow(client, request, budget).await,
            Ways::Apex(way) => way.omni_flow(client, request, budget).await,
        }?;
        let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Ok(Routing { queue: text("queue").map(str::to_owned), agent: text("agent").map(str::to_owned) })
    }

    /// Takes the call out of the waiting line.
    ///
    /// # Errors
    /// When Salesforce did not do it.
    pub async fn clear_routing(
        &self,
        client: &Client,
        request: &ClearRouting,
        budget: &Budget,
    ) -> Result<(), Failure> {
        match &self.way {
            Ways::Telephony(way) => way.clear_routing(client, request, budget).await,
            Ways::Apex(way) => way.clear_routing(client, request, budget).await,
        }
        .map(drop)
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
