//! What an event flow answers to.

use std::fmt;

/// An event of a contact. Exports name it by its specification, the editor by a name of its own, and both have changed over time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// A contact arrives: a flow starts.
    NewPhoneContact,
    /// An agent is offered the contact.
    AgentOffered,
    /// An agent accepted it; `AgentAccepted` in newer editors.
    AgentAnswered,
    /// The last agent left it.
    AgentDisconnected,
    /// It ended.
    PhoneContactEnded,
    /// An error that no edge leads away.
    OnGlobalError,
    /// A call is about to be dialled.
    PreDial,
    /// A campaign's call came to a result.
    OutboundCampaignCallResult,
    /// A callback failed.
    CallbackFailed,
    /// The caller's number changed.
    ContactAniUpdated,
    /// A reservation in a queue began.
    ContactReservationStarted,
    /// An event that we do not know, by the name it was found with.
    Other(String),
}

/// Name in the editor, then all other names, of which the first is the specification's.
const NAMES: [(Event, &str, &[&str]); 11] = [
    (Event::NewPhoneContact, "NewPhoneContact", &["ContactStartWorkflow", "NewContact"]),
    (Event::AgentOffered, "AgentOffered", &["AgentOfferContact"]),
    (Event::AgentAnswered, "AgentAnswered", &["AgentContactAssigned", "AgentAccepted"]),
    (Event::AgentDisconnected, "AgentDisconnected", &["FCAsk(ContactLastAgentRemoved)"]),
    (Event::PhoneContactEnded, "PhoneContactEnded", &["ContactEnded"]),
    (Event::OnGlobalError, "OnGlobalError", &["GlobalErrorHandling"]),
    (Event::PreDial, "PreDial", &["ContactPredial"]),
    (Event::OutboundCampaignCallResult, "OutboundCampaignCallResult", &["ContactOutboundCampaignResult"]),
    (Event::CallbackFailed, "CallbackFailed", &["ContactCallbackFailed"]),
    (Event::ContactAniUpdated, "ContactAniUpdated", &["ContactAniUpdated"]),
    (Event::ContactReservationStarted, "ContactReservationStarted", &["ContactReservationStarted"]),
];

impl Event {
    /// The event of any of its names.
    pub fn from_name(name: &str) -> Self {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let found = NAMES.iter().find(|(_, ui, others)| is(ui) || others.iter().any(|other| is(other)));
        found.map_or_else(|| Self::Other(name.to_owned()), |(event, ..)| event.clone())
    }

    /// Its name in the editor.
    pub fn ui_name(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => NAMES.iter().find(|(event, ..)| event == known).map_or("", |(_, name, _)| name),
        }
    }

    /// All its names, by each of which expressions may read what it brings.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let known = NAMES.iter().find(|(event, ..)| event == self);
        let others = known.map_or(&[] as &[&str], |(.., others)| others);
        std::iter::once(self.ui_name()).chain(others.iter().copied())
    }

    /// Its name in exports.
    pub fn specification_name(&self) -> &str {
        match self {
            Self::Other(name) => name,
            known => NAMES
                .iter()
                .find(|(event, ..)| event == known)
                .and_then(|(.., names)| names.first())
                .map_or("", |name| *name),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.ui_name())
    }
}
