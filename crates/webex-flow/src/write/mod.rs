//! Writes a flow that is right: every way leads to the queue, also those of errors, and the bridge hears how a call ended.
//!
//! [`NewFlow::to_v2`] writes it as Webex's FlowV2, which is validated and imported over an interface; [`NewFlow::to_ui`] as an
//! export that the editor imports, made out of the vendor's.

mod bodies;
mod plan;
mod ui;
mod v2;

use std::time::Duration;

use serde_json::Value;

pub use self::bodies::{PastedActivity, PastedEdge};
pub use self::ui::UiError;

/// What Webex's timeout has over the bridge's deadline: connecting, TLS and the network.
const MARGIN: Duration = Duration::from_secs(1);

/// What a new flow has to know.
#[derive(Debug, Clone)]
pub struct NewFlow {
    /// The name of the flow.
    pub name: String,
    /// The API name of the contact center in Salesforce.
    pub call_center: String,
    /// The name of the certificate.
    pub certificate: String,
    /// The bridge's routes behind the connector, such as `/voice/v1`.
    pub base_path: String,
    /// The connector to the bridge.
    pub connector: Reference,
    /// The queue for every call.
    pub queue: Reference,
    /// Where a call is queued when that queue takes none.
    pub fallback_queue: Option<Reference>,
    /// The Omni-Channel flow of Salesforce that is asked; none: the request is left out.
    pub omni_flow: Option<OmniFlow>,
    /// Fields of the VoiceCall that are set when it is created, with their values.
    pub call_attributes: Vec<(String, String)>,
    /// After which time the bridge answers at the latest.
    pub deadlines: Deadlines,
    /// How often a request is sent again that was answered with 5xx.
    pub retries: u8,
    /// The audio file that callers hear in the queue.
    pub music: String,
    /// Whether the call's sound is streamed to Salesforce once an agent has it, for transcripts.
    pub has_media_stream: bool,
    /// How events are spelt.
    pub spelling: Spelling,
}

/// Something of the Webex organisation, by its id and the name that people see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// An Omni-Channel flow of Salesforce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OmniFlow {
    /// Its developer name.
    pub name: String,
    /// A queue of Salesforce that the flow falls back to: developer name or id.
    pub fallback_queue: Option<String>,
    /// What the flow is given.
    pub input: Vec<(String, String)>,
}

/// After which time the bridge answers, by route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// `createVoiceCall`.
    pub create_voice_call: Duration,
    /// `executeOmniFlow`.
    pub execute_omni_flow: Duration,
    /// `phoneContactEnded`.
    pub phone_contact_ended: Duration,
    /// `agentAnswered`.
    pub agent_answered: Duration,
}

/// How an editor spells the events of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `NewPhoneContact`, `AgentAnswered`, `PhoneContactEnded`.
    Old,
    /// `NewContact`, `AgentAccepted`, `ContactEnded`: flows made since April 2025.
    New,
}

impl Spelling {
    /// The name of the start, as expressions say it.
    pub fn new_contact(self) -> &'static str {
        match self {
            Self::Old => "NewPhoneContact",
            Self::New => "NewContact",
        }
    }

    /// The name of the event that an agent took the call.
    pub fn agent_answered(self) -> &'static str {
        match self {
            Self::Old => "AgentAnswered",
            Self::New => "AgentAccepted",
        }
    }

    /// The name of the event that the call ended.
    pub fn contact_ended(self) -> &'static str {
        match self {
            Self::Old => "PhoneContactEnded",
            Self::New => "ContactEnded",
        }
    }
}

impl NewFlow {
    /// The flow as FlowV2. The same parameters give the same document.
    pub fn to_v2(&self) -> Value {
        v2::write(&plan::of(self))
    }

    /// The flow as an export of the editor, made out of the vendor's: its settings, the ids of Webex's own activities and events,
    /// and the forms of activities and their drawings stay.
    ///
    /// # Errors
    /// When the export lacks something that is taken over.
    pub fn to_ui(&self, vendor_export: &Value) -> Result<Value, UiError> {
        ui::write(&plan::of(self), vendor_export)
    }

    /// The Set Variable activities with their rows, as they are entered by hand.
    pub fn assignments(&self) -> Vec<(String, Vec<(&'static str, String)>)> {
        let plan = plan::of(self);
        let steps = plan.main.steps.into_iter().chain(plan.events.steps);
        let rows = steps.filter_map(|step| match step.kind {
            plan::Kind::Set(rows) => Some((step.name, rows)),
            _ => None,
        });
        rows.collect()
    }

    /// The HTTP activities, as they are pasted by hand.
    pub fn bodies(&self) -> Vec<PastedActivity> {
        bodies::pasted(&plan::of(self))
    }

    fn timeout_ms(&self, deadline: Duration) -> u64 {
        u64::try_from((deadline + MARGIN).as_millis()).unwrap_or(u64::MAX)
    }
}
