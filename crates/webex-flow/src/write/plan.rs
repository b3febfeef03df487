//! The flow itself, before it takes one of the two formats.

use super::bodies;
use super::{NewFlow, Reference};

/// How the flow asks whether there is a VoiceCall. Webex's validation refuses a test of `httpStatusCode` (FC1038).
const HAS_VOICE_CALL: &str = "{{ SCV_VoiceCallRecordId is not empty }}";
/// How the error flow asks whether the caller has neither an agent nor hung up: only then there is anybody to queue.
const IS_WAITING: &str = "{{ SCV_Stage is empty }}";
/// How the flow of the end asks whether the caller has chosen to be called back and nobody has: the call then goes on. Who adds a
/// Callback to the flow sets the variable before it.
const IS_CALLBACK: &str = "{{ SCV_Stage == \"callback\" }}";
const APOLOGY: &str = "We are sorry, we cannot take your call at the moment. Please call again later.";
const PLEASE_HOLD: &str = "Please hold the line. Your call will be answered as soon as possible.";

pub(super) struct Plan {
    pub(super) name: String,
    pub(super) variables: Vec<PlannedVariable>,
    pub(super) main: Process,
    pub(super) events: Process,
    pub(super) connector: Reference,
}

pub(super) struct PlannedVariable {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// What agents see it as; empty: they do not.
    pub(super) label: &'static str,
}

#[derive(Default)]
pub(super) struct Process {
    pub(super) steps: Vec<Step>,
    pub(super) edges: Vec<PlannedEdge>,
}

pub(super) struct Step {
    pub(super) name: String,
    pub(super) description: &'static str,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Start,
    Event { specification: &'static str },
    Set(Vec<(&'static str, String)>),
    Http(Request),
    Condition(&'static str),
    Queue(Reference),
    Music(String),
    Message(&'static str),
    MediaStream,
    Disconnect,
    End,
}

#[derive(Clone)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) body: String,
    pub(super) timeout_ms: u64,
    pub(super) retries: u8,
    /// Variable and path into the answer.
    pub(super) outputs: Vec<(&'static str, &'static str)>,
}

pub(super) struct PlannedEdge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) port: &'static str,
}

impl Process {
    fn step(&mut self, name: &str, description: &'static str, kind: Kind) {
        self.steps.push(Step { name: name.to_owned(), description, kind });
    }

    /// The event that leads to a step.
    pub(super) fn event_of(&self, name: &str) -> Option<&str> {
        let events = self.steps.iter().filter(|step| matches!(step.kind, Kind::Event { .. }));
        events.map(|step| step.name.as_str()).find(|event| {
            let (mut reached, mut next) = (vec![*event], 0);
            while let Some(from) = reached.get(next).copied() {
                next += 1;
                for edge in self.edges.iter().filter(|edge| edge.from == from) {
                    if !reached.contains(&edge.to.as_str()) {
                        reached.push(&edge.to);
                    }
                }
            }
            reached.contains(&name)
        })
    }

    fn edges(&mut self, from: &str, to: &[(&'static str, &str)]) {
        for (port, to) in to {
            self.edges.push(PlannedEdge { from: from.to_owned(), to: (*to).to_owned(), port });
        }
    }

    /// Remember how far the call has come, before the bridge is told: an HTTP activity has no edge for faults of the connection, so
    /// such a fault comes to the error flow, which must not queue a call that an agent has.
    fn stage(&mut self, name: &str, stage: &str, next: &str) {
        let description = "How far the call has come";
        self.step(name, description, Kind::Set(vec![("SCV_Stage", stage.to_owned())]));
        self.edges(name, &[("out", next), ("error", next)]);
    }

    /// A queue with its music. What it does not take goes to `otherwise`.
    fn queue(&mut self, name: &str, queue: &Reference, music: &str, otherwise: &str) {
        self.step(name, "Queue the call", Kind::Queue(queue.clone()));
        self.edges(name, &[("default", music), ("failure", otherwise)]);
    }

    /// The music of a queue, over and over. The call stays queued when it cannot be played.
    fn music(&mut self, suffix: &str, file: &str) {
        let (music, hold, end) =
            (format!("Music{suffix}"), format!("PleaseHold{suffix}"), format!("End_Music{suffix}"));
        self.step(&music, "What callers hear while they wait", Kind::Music(file.to_owned()));
        self.step(&hold, "Words instead of the music", Kind::Message(PLEASE_HOLD));
        self.step(&end, "The call stays queued", Kind::End);
        self.edges(&music, &[("default", &music), ("error", &hold)]);
        self.edges(&hold, &[("default", &music), ("error", &end)]);
    }

    /// Tell a caller whom no queue takes, and hang up.
    fn apology(&mut self, suffix: &str) {
        let (apology, disconnect) = (format!("Apology{suffix}"), format!("Disconnect{suffix}"));
        self.step(&apology, "No queue took the call", Kind::Message(APOLOGY));
        self.step(&disconnect, "Hang up", Kind::Disconnect);
        self.edges(&apology, &[("default", &disconnect), ("error", &disconnect)]);
    }
}

pub(super) fn of(flow: &NewFlow) -> Plan {
    Plan {
        name: flow.name.clone(),
        variables: variables(),
        main: main(flow),
        events: events(flow),
        connector: flow.connector.clone(),
    }
}

fn variables() -> Vec<PlannedVariable> {
    let variable = |name, description, label| PlannedVariable { name, description, label };
    vec![
        variable("SCV_VendorCallKey", "The key of the call in Salesforce", ""),
        variable("SCV_CallStartTime", "When the call began", ""),
        variable("SCV_CallerNumber", "The caller's number, without quotes that a body could not hold", ""),
        variable("SCV_VoiceCallRecordId", "The VoiceCall in Salesforce", "Voice Call record ID"),
        variable(
            "SCV_VoiceCallReference",
            "VoiceCall and key, as the agent's screen reads them",
            "Voice Call reference",
        ),
        variable("SCV_Stage", "Empty, then answered or callback, then ended", ""),
        variable("SCV_OmniFlowQueue", "The queue that the Omni-Channel flow chose", "Omni Flow Queue"),
        variable("SCV_OmniFlowAgent", "The agent that the Omni-Channel flow chose", "Omni Flow Agent"),
    ]
}

fn main(flow: &NewFlow) -> Process {
    let mut main = Process::default();
    let start = flow.spelling.new_contact();
    main.step(start, "A call arrives", Kind::Start);
    main.edges(start, &[("out", "SetCall")]);
    main.step("SetCall", "Key, start and number of the call", Kind::Set(call_variables(start)));
    main.edges("SetCall", &[("out", "CreateVoiceCall"), ("error", "CreateVoiceCall")]);
    main.step("CreateVoiceCall", "Create the VoiceCall in Salesforce", Kind::Http(bodies::create(flow)));
    main.edges("CreateVoiceCall", &[("default", "HasVoiceCall")]);
    main.step("HasVoiceCall", "Was the VoiceCall created?", Kind::Condition(HAS_VOICE_CALL));
    main.edges("HasVoiceCall", &[("true", "SetReference"), ("false", "Queue"), ("error", "Queue")]);
    let reference = "{{SCV_VoiceCallRecordId}};{{SCV_VendorCallKey}}".to_owned();
    main.step(
        "SetReference",
        "For the agent's screen",
        Kind::Set(vec![("SCV_VoiceCallReference", reference)]),
    );
    let next = if flow.omni_flow.is_some() { "ExecuteOmniFlow" } else { "Queue" };
    main.edges("SetReference", &[("out", next), ("error", next)]);
    if let Some(omni) = &flow.omni_flow {
        main.step(
            "ExecuteOmniFlow",
            "Let Salesforce prepare the routing",
            Kind::Http(bodies::omni(flow, omni)),
        );
        main.edges("ExecuteOmniFlow", &[("default", "Queue")]);
    }
    let otherwise = if flow.fallback_queue.is_some() { "FallbackQueue" } else { "Apology" };
    main.queue("Queue", &flow.queue, "Music", otherwise);
    if let Some(fallback) = &flow.fallback_queue {
        main.queue("FallbackQueue", fallback, "Music", "Apology");
    }
    main.music("", &flow.music);
    main.apology("");
    main
}

fn call_variables(start: &str) -> Vec<(&'static str, String)> {
    vec![
        ("SCV_VendorCallKey", format!("wxcc_{{{{{start}.InteractionId}}}}")),
        ("SCV_CallStartTime", "{{now() | replace({'[UTC]': ''})}}".to_owned()),
        // `replace` is surely there, the vendor's flow has it; `escape` for JSON came late to Pebble, and which version
        // Webex runs is unknown. A number loses nothing with a quote.
        ("SCV_CallerNumber", format!("{{{{{start}.ANI | replace({{'\"': ''}})}}}}")),
    ]
}

fn events(flow: &NewFlow) -> Process {
    let mut events = Process::default();
    let (answered, ended) = (flow.spelling.agent_answered(), flow.spelling.contact_ended());
    events.step(answered, "An agent took the call", Kind::Event { specification: "AgentContactAssigned" });
    events.edges(answered, &[("out", "SetAnswered")]);
    events.stage("SetAnswered", "answered", "TellAgentAnswered");
    events.step("TellAgentAnswered", "Tell the bridge", Kind::Http(bodies::agent_answered(flow)));
    let next = if flow.has_media_stream { "StartMediaStream" } else { "End_AgentAnswered" };
    events.edges("TellAgentAnswered", &[("default", next)]);
    if flow.has_media_stream {
        events.step(
            "StartMediaStream",
            "The call's sound for the transcript in Salesforce",
            Kind::MediaStream,
        );
        events
            .edges("StartMediaStream", &[("default", "End_AgentAnswered"), ("failure", "End_AgentAnswered")]);
    }
    events.step("End_AgentAnswered", "The call goes on", Kind::End);

    events.step(ended, "The call ended", Kind::Event { specification: "ContactEnded" });
    events.edges(ended, &[("out", "IsCallback")]);
    events.step("IsCallback", "Does the caller wait to be called back?", Kind::Condition(IS_CALLBACK));
    events.edges("IsCallback", &[("true", "End_ContactEnded"), ("false", "SetEnded"), ("error", "SetEnded")]);
    events.stage("SetEnded", "ended", "TellContactEnded");
    events.step("TellContactEnded", "Tell the bridge", Kind::Http(bodies::contact_ended(flow)));
    events.edges("TellContactEnded", &[("default", "End_ContactEnded")]);
    events.step("End_ContactEnded", "Nothing is left to do", Kind::End);

    let failed = "CallbackFailed";
    events.step(
        failed,
        "The caller was called back in vain",
        Kind::Event { specification: "ContactCallbackFailed" },
    );
    events.edges(failed, &[("out", "SetCallbackFailed")]);
    events.stage("SetCallbackFailed", "ended", "TellCallbackFailed");
    events.step("TellCallbackFailed", "Tell the bridge", Kind::Http(bodies::callback_failed(flow)));
    events.edges("TellCallbackFailed", &[("default", "End_CallbackFailed")]);
    events.step("End_CallbackFailed", "Nothing is left to do", Kind::End);

    events.step(
        "OnGlobalError",
        "An error that no edge takes up",
        Kind::Event { specification: "GlobalErrorHandling" },
    );
    events.edges("OnGlobalError", &[("out", "IsWaiting")]);
    events.step("IsWaiting", "Neither answered nor ended?", Kind::Condition(IS_WAITING));
    events
        .edges("IsWaiting", &[("true", "ErrorQueue"), ("false", "End_GlobalError"), ("error", "ErrorQueue")]);
    events.step("End_GlobalError", "The call goes on as it is", Kind::End);
    let queue = flow.fallback_queue.as_ref().unwrap_or(&flow.queue);
    events.queue("ErrorQueue", queue, "Music_OnError", "Apology_OnError");
    events.music("_OnError", &flow.music);
    events.apology("_OnError");
    events
}
