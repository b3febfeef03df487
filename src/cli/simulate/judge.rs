//! What became of the VoiceCalls of a play.

use webex_flow::findings::{Code, Finding, Severity};
use webex_flow::play::{Ending, Played};

use crate::mock::{Disposition, VoiceCall};

/// What is wrong with the VoiceCalls after a play.
#[must_use]
pub fn judge(played: &Played, calls: &[VoiceCall]) -> Vec<Finding> {
    let has_agent = matches!(played.ending, Ending::Answered | Ending::CalledBack);
    let is_left = matches!(played.ending, Ending::Left { .. } | Ending::Returned | Ending::Endless);
    let last = played.steps.iter().rev().find(|step| !step.exchanges.is_empty());
    let activity = last.map_or("", |step| step.activity.as_str());
    let scenario = played.scenario;
    let mut findings = Vec::new();
    for call in calls {
        let reason = call.disconnect_reason.as_deref().unwrap_or_default();
        if has_agent && reason.to_ascii_lowercase().contains("abandon") {
            let evidence = format!("the VoiceCall of an answered call says \"{reason}\" ({scenario})");
            let remedy = "agentAnswered when an agent takes the call, and phoneContactEnded with the agent's id when it ends";
            findings.push(Finding::new(
                Code::AnsweredAsAbandoned,
                Severity::Serious,
                activity,
                evidence,
                remedy,
            ));
        }
        if call.pending_routing.is_some() && !is_left {
            let evidence = format!(
                "the call is over, and its PendingServiceRouting still waits for an agent ({scenario})"
            );
            let remedy = "one request phoneContactEnded in the event flow of PhoneContactEnded";
            findings.push(Finding::new(Code::LeftOpen, Severity::Serious, activity, evidence, remedy));
        } else if !has_agent && !is_left && call.call_disposition != Disposition::Completed {
            let evidence = format!("the caller has gone, and the VoiceCall is not completed ({scenario})");
            let remedy = "one request phoneContactEnded in the event flow of PhoneContactEnded";
            findings.push(Finding::new(Code::LeftOpen, Severity::Serious, activity, evidence, remedy));
        }
    }
    findings
}

/// A VoiceCall on one line.
#[must_use]
pub fn line(call: &VoiceCall) -> String {
    let disposition = match call.call_disposition {
        Disposition::New => "new",
        Disposition::InProgress => "in-progress",
        Disposition::Completed => "completed",
    };
    let mut line = format!("VoiceCall {} {disposition}", call.id);
    if let Some(agent) = &call.agent {
        line += &format!(", agent {agent}");
    }
    if let Some(reason) = &call.disconnect_reason {
        line += &format!(", \"{reason}\"");
    }
    if let Some(seconds) = call.call_duration_in_seconds {
        line += &format!(", {seconds} s");
    }
    let routing =
        if call.pending_routing.is_some() { "its routing is pending" } else { "no routing is pending" };
    format!("{line}, {routing}")
}
