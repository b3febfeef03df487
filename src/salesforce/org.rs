//! A contact center in Salesforce, whichever way leads to it.

use reqwest::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::apex::ApexApi;
use super::inquiry::VoiceCallQuery;
use super::outcome::voice_call_id;
use super::telephony::TelephonyApi;
use super::{Budget, Failure, Gate, SalesforceRequest};
use crate::domain::{
    CallReference, CreateVoiceCall, ExecuteOmniFlow, Fact, Routing, VendorCallKey, VoiceCallId, quote,
};

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
    way: OrgApi,
    /// Only where there is an OAuth session.
    inquiry: Option<VoiceCallQuery>,
    /// Whether a VoiceCall is asked for an agent before an abandonment is sent.
    asks_for_agent: bool,
}

/// The way to it.
pub(super) enum OrgApi {
    Telephony(Box<TelephonyApi>),
    Apex(Box<ApexApi>),
}

impl Org {
    pub(super) fn new(way: OrgApi, inquiry: Option<VoiceCallQuery>, asks_for_agent: bool) -> Self {
        Self { way, inquiry, asks_for_agent }
    }

    pub(super) fn telephony(&self) -> Option<&TelephonyApi> {
        match &self.way {
            OrgApi::Telephony(way) => Some(way),
            OrgApi::Apex(_) => None,
        }
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
            Some(inquiry) if self.asks_for_agent => inquiry.agent(client, call, budget).await,
            Some(_) | None => Ok(None),
        }
    }

    fn gate(&self) -> &Gate {
        match &self.way {
            OrgApi::Telephony(way) => &way.gate,
            OrgApi::Apex(way) => &way.gate,
        }
    }

    /// The record that a vendorCallKey has, as far as it can be asked for; nothing where there is no OAuth session.
    pub async fn record_of(
        &self,
        client: &Client,
        key: &VendorCallKey,
        budget: &Budget,
    ) -> Option<VoiceCallId> {
        let found = self.inquiry.as_ref()?.record(client, key, budget).await;
        found.unwrap_or_else(|failure| {
            tracing::warn!(vendor_call_key = %key, %failure, "whether there is a VoiceCall cannot be asked");
            None
        })
    }

    /// Whether it is left alone for the moment, because it does not answer.
    #[must_use]
    pub fn pauses(&self, now: Instant) -> bool {
        self.gate().pauses(now)
    }

    /// Whether a request may now try if it is back.
    #[must_use]
    pub fn wants_probe(&self, now: Instant) -> bool {
        self.gate().wants_probe(now)
    }

    /// As [`Gate::returns`].
    #[must_use]
    pub fn returns(&self) -> u64 {
        self.gate().returns()
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
        let data = self.send(client, SalesforceRequest::Create(request), budget).await?;
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
        let data = self.send(client, SalesforceRequest::OmniFlow(request), budget).await?;
        let text = |name: &str| data.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Ok(Routing { queue: text("queue").map(str::to_owned), agent: text("agent").map(str::to_owned) })
    }

    /// Asks anything; what an update or clear routing gave is of no interest beyond that it was taken.
    ///
    /// # Errors
    /// When Salesforce did not do it in time.
    pub async fn send(
        &self,
        client: &Client,
        ask: SalesforceRequest<'_>,
        budget: &Budget,
    ) -> Result<Value, Failure> {
        match &self.way {
            OrgApi::Telephony(way) => way.send(client, ask, budget).await,
            OrgApi::Apex(way) => way.send(client, ask, budget).await,
        }
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
