//! What is wrong in a flow: what is seen without playing it ([`of_flow`]), and what plays of it have shown ([`of_plays`]).
//!
//! Each [`Finding`] has a stable code, the activity, what was seen, what it means for a caller and what to do. The codes are
//! explained in the service's docs/flow-findings.md. What the bridge answers, and how long it takes at most, is passed in.

mod expressions;
mod played;
mod requests;
mod routing;

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

pub use played::of_plays;

use crate::model::{Activity, ActivityKind, Flow, HttpRequest, one_line};

/// What a flow should know of the bridge.
#[derive(Debug, Clone)]
pub struct BridgeFacts {
    /// Its routes.
    pub routes: Vec<RouteFacts>,
    /// The statuses that it answers.
    pub statuses: Vec<u16>,
}

/// A route of the bridge.
#[derive(Debug, Clone)]
pub struct RouteFacts {
    /// The last part of its path.
    pub name: &'static str,
    /// After which time it answers at the latest.
    pub deadline: Duration,
    /// Bodies of its successful answers.
    pub answers: Vec<Value>,
}

/// The longest evidence that is told, in characters.
const LONGEST_EVIDENCE: usize = 400;

/// How many steps all expressions and paths of a flow may take that are tried out, and so many more for each of its activities:
/// what is not tried out for that is not told.
const ALLOWANCE: u64 = 50_000;
const ALLOWANCE_EACH: u64 = 200;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which kind of fault.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The name of the activity, or of the flow.
    pub activity: String,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Calls are lost or reported wrongly.
    Serious,
    /// Callers wait, or some calls go wrong.
    Warning,
    /// Worth knowing.
    Hint,
}

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// F1: the body is no JSON.
    BodyNoJson,
    /// F2: a variable is never set.
    NeverSet,
    /// F3: a comparison that is always or never true, or fails.
    Comparison,
    /// F4: an expression fails for some callers.
    ExpressionFails,
    /// F5: a status that the bridge does not send.
    Status,
    /// F6: nobody takes up an error.
    NoErrorEdge,
    /// F7: answered calls are reported as abandoned.
    AnsweredAsAbandoned,
    /// F8: the timeout is shorter than the answer may take.
    Timeout,
    /// F9: retries add up.
    Retries,
    /// F10: a path finds nothing in the answer, or a list.
    Path,
    /// F11: the call is queued before its VoiceCall is created.
    QueueBeforeCreate,
    /// F12: a request goes out without the VoiceCall that it is about.
    EmptyVoiceCallId,
    /// F13: a prompt holds up a request, or a request comes too early.
    PromptAround,
    /// F14: a header is given twice.
    Header,
    /// F15: a secret stands in the flow.
    Secret,
    /// F16: a number is refused.
    Number,
    /// F17: the vendorCallKey is the same for every call.
    BareKey,
    /// F18: callAttributes break where a value has a quote.
    Attributes,
    /// F19: an update ends the call.
    EndsCall,
    /// F20: something is not understood.
    NotUnderstood,
    /// F21: the VoiceCall of a caller who has gone stays open.
    LeftOpen,
    /// F22: the bridge refuses a request.
    Refused,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::BodyNoJson,
        Self::NeverSet,
        Self::Comparison,
        Self::ExpressionFails,
        Self::Status,
        Self::NoErrorEdge,
        Self::AnsweredAsAbandoned,
        Self::Timeout,
        Self::Retries,
        Self::Path,
        Self::QueueBeforeCreate,
        Self::EmptyVoiceCallId,
        Self::PromptAround,
        Self::Header,
        Self::Secret,
        Self::Number,
        Self::BareKey,
        Self::Attributes,
        Self::EndsCall,
        Self::NotUnderstood,
        Self::LeftOpen,
        Self::Refused,
    ];

    /// The code, and what it means for a caller.
    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::BodyNoJson => ("F1", "the request is refused with 400 for every call"),
            Self::NeverSet => ("F2", "the request goes out with nothing in this place"),
            Self::Comparison => ("F3", "the flow takes the same way for every call, or drops it"),
            Self::ExpressionFails => ("F4", "such a caller is dropped, or goes by the error edge"),
            Self::Status => ("F5", "the flow waits for an answer that never comes, and takes the other way"),
            Self::NoErrorEdge => ("F6", "when it cannot be sent or answered, the caller is dropped"),
            Self::AnsweredAsAbandoned => ("F7", "reports show calls as abandoned that an agent has had"),
            Self::Timeout => ("F8", "the flow gives up while the answer is still on its way"),
            Self::Retries => ("F9", "the caller waits in silence as often as the request is repeated"),
            Self::Path => ("F10", "the variable stays empty, or holds a list as text"),
            Self::QueueBeforeCreate => ("F11", "the agent's screen opens without a record"),
            Self::EmptyVoiceCallId => ("F12", "the request is refused, and nothing is done for this call"),
            Self::PromptAround => {
                ("F13", "the request goes out later than it should, or before there is anything to tell")
            }
            Self::Header => ("F14", "which of the two is sent is not known"),
            Self::Secret => ("F15", "everybody who may read flows, exports and their debug logs can read it"),
            Self::Number => ("F16", "such a caller gets no VoiceCall, or one without the number"),
            Self::BareKey => ("F17", "all calls share one record, and the second create is refused"),
            Self::Attributes => {
                ("F18", "a name with a quote makes the attributes, or the whole body, no JSON")
            }
            Self::EndsCall => ("F19", "Salesforce takes the call for ended while it goes on"),
            Self::NotUnderstood => ("F20", "what it does is not looked at"),
            Self::LeftOpen => {
                ("F21", "agents are offered callers who have gone, and the call never ends in reports")
            }
            Self::Refused => ("F22", "what the request asks for is not done"),
        }
    }

    /// What it means for a caller.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.told().1
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.told().0)
    }
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Serious => "serious",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

impl Finding {
    /// A finding; texts are copied.
    pub fn new(
        code: Code,
        severity: Severity,
        activity: &str,
        evidence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        // Evidence repeats what stands in an export: one line of it, of bearable length.
        let evidence: String = one_line(&evidence.into());
        let evidence = match evidence.char_indices().nth(LONGEST_EVIDENCE) {
            Some((end, _)) => format!("{}...", evidence.get(..end).unwrap_or_default()),
            None => evidence,
        };
        let (activity, remedy) = (activity.to_owned(), remedy.into());
        Self { code, severity, activity, evidence, remedy }
    }
}

/// Everything that is wrong in a flow, worst first, by code and activity.
#[must_use]
pub fn of_flow(flow: &Flow, bridge: &BridgeFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let activities = u64::try_from(flow.activities().count()).unwrap_or(u64::MAX);
    let allowance = Cell::new(ALLOWANCE.saturating_add(activities.saturating_mul(ALLOWANCE_EACH)));
    expressions::find(flow, bridge, &allowance, &mut findings);
    requests::find(flow, bridge, &allowance, &mut findings);
    routing::find(flow, bridge, &mut findings);
    findings.sort_by(|left, right| {
        (left.severity, left.code, &left.activity).cmp(&(right.severity, right.code, &right.activity))
    });
    findings.dedup();
    findings
}

/// The HTTP activities with their requests.
fn requests(flow: &Flow) -> impl Iterator<Item = (&Activity, &HttpRequest)> {
    flow.activities().filter_map(|(_, activity)| match &activity.kind {
        ActivityKind::HttpRequest(request) => Some((activity, request.as_ref())),
        _ => None,
    })
}

/// The route of the bridge that a request asks, by the last part of its path.
fn route<'b>(request: &HttpRequest, bridge: &'b BridgeFacts) -> Option<&'b RouteFacts> {
    let path = request.path.as_deref().or(request.url.as_deref())?;
    let last = path.split(['?', '#']).next()?.trim_end_matches('/').rsplit('/').next()?;
    bridge.routes.iter().find(|route| route.name == last)
}
