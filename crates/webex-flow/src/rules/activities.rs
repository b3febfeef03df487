//! Which activities there are.

use super::document::DocumentNode;
use super::{Findings, SHAPE, Severity};

/// An activity of Webex.
pub(super) struct Activity {
    pub(super) name: &'static str,
    /// What `activityType` says.
    kind: &'static str,
    /// What `group` says, where it matters.
    group: &'static str,
    /// Its ways out. `*`: the case, digit or part that an edge is for.
    pub(super) ports: &'static [&'static str],
}

const fn activity(
    name: &'static str,
    kind: &'static str,
    group: &'static str,
    ports: &'static [&'static str],
) -> Activity {
    Activity { name, kind, group, ports }
}

/// All that are published. Where only the way of failure is, the usual one goes by `default`, as exports of the editor show:
/// Webex's own validation warns of it without a reason, and nobody heeds that.
const ALL: [Activity; 52] = [
    activity("start", "start", "", &["out"]),
    activity("NewContact", "start", "", &["out"]),
    activity("NewPhoneContact", "start", "", &["out"]),
    activity("NewSubFlowStart", "start", "", &["out"]),
    activity("event", "event", "", &["out"]),
    activity("end", "end", "", &[]),
    activity("end-subflow", "end", "", &[]),
    activity("disconnect-contact", "end", "", &[]),
    activity("play-message", "action", "", &["default", "error"]),
    activity("play-music", "action", "", &["default", "error"]),
    activity("ivr-menu", "action", "enum-gateway", &["*", "timeout", "invalid", "error"]),
    activity("ivr-collectdigits", "action", "", &["default", "timeout", "invalid", "error"]),
    activity("queue-contact", "action", "", &["default", "failure"]),
    activity("queue-to-agent", "action", "", &["default", "error"]),
    activity("queue-lookup", "action", "", &["out", "insufficientdata", "failure"]),
    activity("advanced-queue-info", "action", "", &["out", "failure"]),
    activity("callback", "action", "", &["default", "failure"]),
    activity("scheduled-callback", "action", "", &["default", "failure"]),
    activity("blind-transfer", "action", "", &["failure"]),
    activity("bridged-transfer", "action", "", &["failure"]),
    activity("ivr-virtualassistant", "action", "", &["ENDED", "ESCALATE", "error"]),
    activity("ivr-virtualassistantvoice", "action", "", &["ENDED", "ESCALATE", "error"]),
    activity("screen-pop", "action", "", &["out"]),
    activity("SetCallerID", "action", "", &["default", "out"]),
    activity("set-announcement", "action", "", &["default", "out", "error"]),
    activity("set-whisperannouncement", "action", "", &["default", "out", "error"]),
    activity("set-contact-priority", "action", "", &["out", "failure"]),
    activity("escalate-cdg", "action", "", &["out", "error"]),
    activity("record", "action", "", &["default", "out", "noInputTimeout", "undefinedErrors"]),
    activity("RecordingControl", "action", "", &["default", "out", "failure"]),
    activity("Feedback", "action", "", &["default", "out"]),
    activity("Feedback-V2", "action", "", &["default", "out", "error"]),
    activity("start-media-stream", "action", "", &["default", "failure"]),
    activity("send-digits", "action", "", &["default", "out", "failure"]),
    activity("call-progress-analysis", "action", "", &["default", "out", "failure"]),
    activity("upload-audio", "action", "", &["default", "out", "error"]),
    activity("cryptographic-hash", "action", "", &["default", "out", "error"]),
    activity("generate-otp", "action", "", &["out", "error"]),
    activity("verify-otp", "action", "", &["default", "out", "error", "failure", "resend"]),
    activity("set-variable", "action", "set-variable", &["out", "error"]),
    activity("condition-activity", "action", "enum-gateway", &["true", "false", "error"]),
    activity(
        "business-hours",
        "action",
        "enum-gateway",
        &["workingHours", "holidays", "override", "default", "error"],
    ),
    activity("case-statement", "action", "enum-gateway", &["*", "default", "error"]),
    activity("percent-allocation", "action", "", &["*", "error"]),
    activity("http-request", "action", "", &["default"]),
    activity("http-request-v2", "action", "", &["default"]),
    activity("bre-request", "action", "", &["default"]),
    activity("fn-activity", "action", "", &["default", "error"]),
    activity("parse-activity", "action", "", &["default"]),
    activity("hand-off", "action", "", &["error"]),
    activity("subflow-handoff", "action", "", &["default", "error"]),
    activity("wait-activity", "action", "", &["default", "out", "error"]),
];

const EVENTS: [&str; 10] = [
    "GlobalErrorHandling",
    "AgentOfferContact",
    "AgentContactAssigned",
    "ContactPredial",
    "ContactEnded",
    "ContactCallbackFailed",
    "ContactAniUpdated",
    "ContactOutboundCampaignResult",
    "ContactReservationStarted",
    "FCAsk(ContactLastAgentRemoved)",
];

pub(super) fn by_name(name: &str) -> Option<&'static Activity> {
    // The registry says `Event`, examples say `event`.
    ALL.iter().find(|activity| activity.name == name || (name == "Event" && activity.name == "event"))
}

pub(super) fn check(node: &DocumentNode<'_>, is_event_flow: bool, findings: &mut Findings) {
    if node.id.is_empty() {
        findings.error(SHAPE, node.name, "A node has no id");
    }
    if node.name.is_empty() {
        findings.error(SHAPE, node.id, "A node has no name");
    }
    let has_description =
        ["description", "desc"].iter().any(|field| node.text(field).is_some_and(|text| !text.is_empty()));
    if !has_description {
        findings.add("FC1007", Severity::Recommendation, node.name, "Add descriptions for activities");
    }
    if !matches!(node.activity_type, "start" | "action" | "end" | "event") {
        findings.error(SHAPE, node.name, format!("activityType '{}' is unknown", node.activity_type));
    }
    if node.is_event() && !is_event_flow {
        findings.error(
            "FC1012",
            node.name,
            format!("The event {} stands outside the event flows", node.name),
        );
    }
    if node.is_start() && is_event_flow {
        findings.error(SHAPE, node.name, "An event flow has no start activity");
    }
    if node.activity.is_empty() {
        findings.not_configured(node.name, "activityName");
        return;
    }
    let Some(known) = by_name(node.activity) else {
        let message = format!("The activity '{}' is unknown", node.activity);
        findings.add(SHAPE, Severity::Warning, node.name, message);
        return;
    };
    let is_known_type = matches!(node.activity_type, "start" | "action" | "end" | "event");
    if known.kind != node.activity_type && is_known_type {
        let message =
            format!("activityType of {} is '{}', not '{}'", known.name, known.kind, node.activity_type);
        findings.error(SHAPE, node.name, message);
    }
    if !known.group.is_empty() && known.group != node.group {
        let message = format!("group of {} is '{}', not '{}'", known.name, known.group, node.group);
        findings.error(SHAPE, node.name, message);
    }
    if node.is_event() {
        event(node, findings);
    }
}

fn event(node: &DocumentNode<'_>, findings: &mut Findings) {
    source(node.name, |field| node.text(field), findings);
    match node.text("eventSpecificationName").unwrap_or_default() {
        "" => findings.not_configured(node.name, "eventSpecificationName"),
        known if EVENTS.contains(&known) => {}
        other => findings.error(SHAPE, node.name, format!("The event '{other}' is unknown")),
    }
}

/// The names by which Webex finds an event.
pub(super) fn source<'a>(node: &str, field: impl Fn(&str) -> Option<&'a str>, findings: &mut Findings) {
    let names = [("eventSourceName", "WebexContactCenter"), ("eventClassificationName", "VoiceInteractions")];
    for (name, value) in names {
        if field(name) != Some(value) {
            findings.not_configured(node, name);
        }
    }
}
