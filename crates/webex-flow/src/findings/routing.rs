//! Which way a contact takes, above all when something fails.

use std::collections::HashSet;

use super::{BridgeFacts, Code, Finding, Severity, requests, route};
use crate::model::{Activity, ActivityKind, Event, Flow, FlowKind, Process};

pub(super) fn find(flow: &Flow, bridge: &BridgeFacts, findings: &mut Vec<Finding>) {
    errors(flow, findings);
    ended(flow, bridge, findings);
    answered(flow, bridge, findings);
    queue(flow, bridge, findings);
    prompts(flow, findings);
    updates(flow, bridge, findings);
}

/// Whether an error that no edge takes up leads to anything but the end.
fn takes_up_errors(flow: &Flow) -> bool {
    let Some((process, entry)) = flow.on_event(&Event::OnGlobalError) else { return false };
    process.reachable(&entry.id).iter().any(|activity| {
        matches!(
            activity.kind,
            ActivityKind::QueueContact(_)
                | ActivityKind::QueueToAgent { .. }
                | ActivityKind::BlindTransfer { .. }
                | ActivityKind::BridgedTransfer { .. }
                | ActivityKind::HandOff { .. }
        )
    })
}

fn errors(flow: &Flow, findings: &mut Vec<Finding>) {
    // What fails in a subflow is taken up by the flow that it is part of.
    if flow.kind == FlowKind::Subflow || takes_up_errors(flow) {
        return;
    }
    for activity in flow.main.activities() {
        if matches!(activity.kind, ActivityKind::HttpRequest(_)) && flow.main.error(&activity.id).is_none() {
            let evidence = "no error edge, and OnGlobalError leads to no queue";
            let remedy =
                "a queue behind OnGlobalError, or an error edge to the queue where the editor offers one";
            findings.push(Finding::new(
                Code::NoErrorEdge,
                Severity::Serious,
                &activity.name,
                evidence,
                remedy,
            ));
        }
    }
}

/// Whether this body or its way speaks of who answered.
fn asks_for_agent(process: &Process, entry: &Activity) -> bool {
    process.reachable(&entry.id).iter().any(|activity| match &activity.kind {
        ActivityKind::Condition { expression } | ActivityKind::Case { expression, .. } => {
            expression.to_ascii_lowercase().contains("agentid")
        }
        _ => false,
    })
}

fn ended(flow: &Flow, bridge: &BridgeFacts, findings: &mut Vec<Finding>) {
    let Some((process, entry)) = flow.on_event(&Event::PhoneContactEnded) else { return };
    if asks_for_agent(process, entry) {
        return;
    }
    for activity in process.reachable(&entry.id) {
        let ActivityKind::HttpRequest(request) = &activity.kind else { continue };
        let Some(route) = route(request, bridge) else { continue };
        let body = request.body.as_deref().unwrap_or_default();
        let evidence = match route.name {
            "clearRouting" | "updateVoiceCall" => {
                format!(
                    "PhoneContactEnded comes for every call, also for answered ones, and sends {}",
                    route.name
                )
            }
            "phoneContactEnded" if !body.contains("agentId") => {
                "phoneContactEnded is told nothing of an agent".to_owned()
            }
            _ => continue,
        };
        let remedy = "one request phoneContactEnded with \"agentId\": \"{{PhoneContactEnded.AgentID}}\"";
        findings.push(Finding::new(
            Code::AnsweredAsAbandoned,
            Severity::Serious,
            &activity.name,
            evidence,
            remedy,
        ));
    }
}

fn answered(flow: &Flow, bridge: &BridgeFacts, findings: &mut Vec<Finding>) {
    let asks = |name: &str| {
        requests(flow).any(|(_, request)| route(request, bridge).is_some_and(|route| route.name == name))
    };
    if asks("createVoiceCall") && !asks("agentAnswered") {
        let evidence = "nothing tells agentAnswered when an agent takes the call";
        let remedy =
            "AgentAnswered (AgentAccepted in newer flows): a request agentAnswered with the agent's id";
        findings.push(Finding::new(
            Code::AnsweredAsAbandoned,
            Severity::Warning,
            &flow.name,
            evidence,
            remedy,
        ));
    }
}

/// A way from the start to a queue that passes no create.
fn queue(flow: &Flow, bridge: &BridgeFacts, findings: &mut Vec<Finding>) {
    let is_create = |activity: &Activity| match &activity.kind {
        ActivityKind::HttpRequest(request) => {
            route(request, bridge).is_some_and(|route| route.name == "createVoiceCall")
        }
        _ => false,
    };
    let Some(start) = flow.start() else { return };
    if !flow.main.activities().iter().any(is_create) {
        let queues = flow.main.reachable(&start.id).iter().any(|activity| {
            matches!(activity.kind, ActivityKind::QueueContact(_) | ActivityKind::QueueToAgent { .. })
        });
        if queues {
            let evidence = "calls are queued, and nothing sends createVoiceCall";
            let remedy = "createVoiceCall before the queue, on every way";
            findings.push(Finding::new(
                Code::QueueBeforeCreate,
                Severity::Warning,
                &flow.name,
                evidence,
                remedy,
            ));
        }
        return;
    }
    let (mut seen, mut open) = (HashSet::new(), vec![start.id.as_str()]);
    while let Some(id) = open.pop() {
        let Some(activity) = flow.main.activity(id).filter(|_| seen.insert(id)) else { continue };
        if is_create(activity) {
            continue;
        }
        if matches!(activity.kind, ActivityKind::QueueContact(_) | ActivityKind::QueueToAgent { .. }) {
            let evidence = "a way leads here that does not pass createVoiceCall";
            let remedy = "createVoiceCall before the queue, on every way";
            findings.push(Finding::new(
                Code::QueueBeforeCreate,
                Severity::Warning,
                &activity.name,
                evidence,
                remedy,
            ));
            continue;
        }
        open.extend(flow.main.outgoing(id).map(|link| link.to.as_str()));
    }
}

fn prompts(flow: &Flow, findings: &mut Vec<Finding>) {
    for link in flow.main.links() {
        let (Some(from), Some(to)) = (flow.main.activity(&link.from), flow.main.activity(&link.to)) else {
            continue;
        };
        if !matches!(to.kind, ActivityKind::HttpRequest(_)) {
            continue;
        }
        let evidence = match &from.kind {
            ActivityKind::PlayMessage(_) | ActivityKind::PlayMusic { .. } => {
                format!("sent only when {} has been played", from.name)
            }
            ActivityKind::QueueContact(_) => {
                format!("sent right behind {}, when Webex may not know of the queue yet", from.name)
            }
            _ => continue,
        };
        let remedy = match &from.kind {
            ActivityKind::QueueContact(_) => "music between them",
            _ => "the request first",
        };
        findings.push(Finding::new(Code::PromptAround, Severity::Hint, &to.name, evidence, remedy));
    }
}

fn updates(flow: &Flow, bridge: &BridgeFacts, findings: &mut Vec<Finding>) {
    let reached =
        flow.on_event(&Event::PhoneContactEnded).map(|(process, entry)| process.reachable(&entry.id));
    let ends: HashSet<&str> = reached.iter().flatten().map(|activity| activity.id.as_str()).collect();
    for (activity, request) in requests(flow) {
        let is_update = route(request, bridge).is_some_and(|route| route.name == "updateVoiceCall");
        let body = request.body.as_deref().unwrap_or_default();
        if is_update && !body.contains("isActiveCall") && !ends.contains(activity.id.as_str()) {
            let evidence = "an update while the call goes on, without isActiveCall";
            let remedy = "\"isActiveCall\": true";
            findings.push(Finding::new(Code::EndsCall, Severity::Serious, &activity.name, evidence, remedy));
        }
    }
}
