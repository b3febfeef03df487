//! What happens to a caller.

use std::fmt;
use std::time::Duration;

use super::played::Ending;
use crate::model::{ActivityKind, Event, Flow, FlowKind};

/// How long an agent talks.
const TALKS: Duration = Duration::from_secs(90);

/// What happens in a play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// An agent takes the call.
    Answered,
    /// The caller hangs up in the queue.
    AbandonedInQueue,
    /// The caller hangs up before there is a queue.
    AbandonedInIvr,
    /// The caller asks to be called back, and is.
    Callback,
    /// The agent hands the call to another flow, which is this one again.
    Transferred,
    /// Salesforce answers 503.
    SalesforceDown,
    /// Salesforce does what it is asked, and answers late.
    SalesforceSlow,
    /// Nobody listens where the bridge should.
    BridgeUnreachable,
    /// Salesforce refuses to create the VoiceCall.
    CreateRefused,
    /// The caller hides the number.
    AnonymousCaller,
    /// The caller has a SIP address instead of a number.
    SipCaller,
    /// The caller is an extension of the own house.
    Extension,
    /// The caller hangs up while the VoiceCall is being created.
    HangUpBesideCreate,
    /// Variables have no defaults, and events bring no more than they must.
    UnsetVariables,
}

/// How Salesforce and the bridge are in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// All is well.
    Fine,
    /// Salesforce answers 503.
    SalesforceDown,
    /// Salesforce answers late.
    SalesforceSlow,
    /// Salesforce refuses to create.
    CreateRefused,
    /// The bridge is not there.
    BridgeUnreachable,
}

/// A part of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// The main flow, until something happens.
    Main(Until),
    /// An event flow; whether an agent has had the call.
    Event(Event, bool),
    /// An agent accepts in Salesforce.
    AgentAccepts,
    /// Nothing happens in the flow.
    Talk(Duration),
    /// The call ends like this, if nothing else ended it before.
    End(Ending),
}

/// What ends the main flow of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The caller has waited in the queue.
    Waited,
    /// The caller hears something, or is about to be queued.
    Heard,
    /// The request that creates the VoiceCall is sent.
    CreateSent,
    /// A callback is asked for.
    Callback,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Answered,
        Self::AbandonedInQueue,
        Self::AbandonedInIvr,
        Self::Callback,
        Self::Transferred,
        Self::SalesforceDown,
        Self::SalesforceSlow,
        Self::BridgeUnreachable,
        Self::CreateRefused,
        Self::AnonymousCaller,
        Self::SipCaller,
        Self::Extension,
        Self::HangUpBesideCreate,
        Self::UnsetVariables,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// What happens in it, in words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Answered => ("answered", "an agent takes the call"),
            Self::AbandonedInQueue => ("abandoned-in-queue", "the caller hangs up in the queue"),
            Self::AbandonedInIvr => ("abandoned-in-ivr", "the caller hangs up before the queue"),
            Self::Callback => ("callback", "the caller asks for a callback"),
            Self::Transferred => ("transferred", "the agent hands the call to another flow"),
            Self::SalesforceDown => ("salesforce-down", "Salesforce answers 503"),
            Self::SalesforceSlow => ("salesforce-slow", "Salesforce answers late"),
            Self::BridgeUnreachable => ("bridge-unreachable", "the bridge cannot be reached"),
            Self::CreateRefused => ("create-refused", "Salesforce refuses to create the VoiceCall"),
            Self::AnonymousCaller => ("anonymous-caller", "the caller hides the number"),
            Self::SipCaller => ("sip-caller", "the caller has a SIP address"),
            Self::Extension => ("extension", "the caller is an extension of the own house"),
            Self::HangUpBesideCreate => {
                ("hang-up-beside-create", "the caller hangs up while the VoiceCall is being created")
            }
            Self::UnsetVariables => ("unset-variables", "variables have no defaults"),
        }
    }

    /// The scenario of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// How Salesforce and the bridge are.
    #[must_use]
    pub fn weather(self) -> Weather {
        match self {
            Self::SalesforceDown => Weather::SalesforceDown,
            Self::SalesforceSlow => Weather::SalesforceSlow,
            Self::BridgeUnreachable => Weather::BridgeUnreachable,
            Self::CreateRefused => Weather::CreateRefused,
            _ => Weather::Fine,
        }
    }

    /// The caller's number that the scenario is about; `usual` where it is not about the number.
    #[must_use]
    pub fn caller(self, usual: &str) -> String {
        match self {
            Self::AnonymousCaller => "anonymous",
            Self::SipCaller => "sip:anna@example.com",
            Self::Extension => "2041",
            _ => usual,
        }
        .to_owned()
    }

    /// Whether an agent takes the call in the end.
    #[must_use]
    pub fn is_answered(self) -> bool {
        !matches!(self, Self::AbandonedInQueue | Self::AbandonedInIvr | Self::HangUpBesideCreate)
    }

    /// Why a flow cannot be played like this; nothing if it can.
    #[must_use]
    pub fn obstacle(self, flow: &Flow, routes: &[&str]) -> Option<&'static str> {
        let offers_callback = || {
            flow.main.activities().iter().any(|activity| {
                matches!(
                    activity.kind,
                    ActivityKind::Callback { .. } | ActivityKind::ScheduledCallback { .. }
                )
            })
        };
        match self {
            _ if flow.start().is_none() => Some("the flow has no start"),
            Self::Answered => None,
            _ if flow.kind == FlowKind::Subflow => Some("a subflow has no call of its own"),
            Self::Callback if !offers_callback() => Some("the flow offers no callback"),
            Self::HangUpBesideCreate if !super::request::creates(flow, routes) => {
                Some("the flow sends no createVoiceCall")
            }
            _ => None,
        }
    }

    /// What happens, part by part.
    pub(super) fn acts(self, flow: &Flow) -> Vec<Act> {
        if flow.kind == FlowKind::Subflow {
            return vec![Act::Main(Until::Waited)];
        }
        let event = |event, has_agent| Act::Event(event, has_agent);
        let ended = |has_agent| event(Event::PhoneContactEnded, has_agent);
        let answer = [
            event(Event::AgentOffered, true),
            Act::AgentAccepts,
            event(Event::AgentAnswered, true),
            Act::Talk(TALKS),
        ];
        let hangs_up = |until| vec![Act::Main(until), Act::End(Ending::HungUp), ended(false)];
        let mut acts = match self {
            Self::AbandonedInQueue => return hangs_up(Until::Waited),
            Self::AbandonedInIvr => return hangs_up(Until::Heard),
            Self::HangUpBesideCreate => return hangs_up(Until::CreateSent),
            Self::Callback => vec![Act::Main(Until::Callback)],
            Self::Transferred => {
                let mut acts = vec![Act::Main(Until::Waited)];
                acts.extend(answer.clone());
                acts.extend([event(Event::AgentDisconnected, true), Act::Main(Until::Waited)]);
                acts
            }
            _ => vec![Act::Main(Until::Waited)],
        };
        acts.extend(answer);
        acts.extend([
            event(Event::AgentDisconnected, true),
            Act::End(if self == Self::Callback { Ending::CalledBack } else { Ending::Answered }),
            ended(true),
        ]);
        acts
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
