//! What plays have shown.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde_json::Value;

use super::{BridgeFacts, Code, Finding, Severity};
use crate::play::is_below_bridge;
use crate::play::{Ending, HttpAnswer, HttpFailure, Note, Played, Scenario, SentRequest, Step, Weather};

/// How long a caller may wait for requests before there is a queue.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is wrong, with the scenarios in which it was seen.
#[derive(Default)]
struct Seen(BTreeMap<(Severity, Code, String, String, String), Vec<Scenario>>);

impl Seen {
    fn add(
        &mut self,
        played: &Played,
        code: Code,
        severity: Severity,
        activity: &str,
        (evidence, remedy): (String, &str),
    ) {
        let key = (severity, code, activity.to_owned(), evidence, remedy.to_owned());
        let scenarios = self.0.entry(key).or_default();
        if !scenarios.contains(&played.scenario) {
            scenarios.push(played.scenario);
        }
    }
}

/// What is wrong in what was played, worst first. The same fault is told once, with the scenarios it was seen in.
#[must_use]
pub fn of_plays(plays: &[Played], bridge: &BridgeFacts) -> Vec<Finding> {
    let mut seen = Seen::default();
    for played in plays {
        ending(played, &mut seen);
        for step in &played.steps {
            notes(played, step, &mut seen);
            exchanges(played, step, bridge, &mut seen);
        }
    }
    let all: HashSet<Scenario> = plays.iter().map(|played| played.scenario).collect();
    let findings = seen.0.into_iter().map(|((severity, code, activity, evidence, remedy), scenarios)| {
        let names: Vec<&str> = scenarios.iter().map(|scenario| scenario.name()).collect();
        let is_in_all = names.len() == all.len() && names.len() > 1;
        let names = if is_in_all { "in all scenarios".to_owned() } else { names.join(", ") };
        let evidence = format!("{evidence} ({names})");
        Finding { code, severity, activity, evidence, remedy }
    });
    findings.collect()
}

fn ending(played: &Played, seen: &mut Seen) {
    match &played.ending {
        // What fails by an expression is told as that.
        Ending::Dropped { activity } if !fails_by_expression(played, activity) => {
            let evidence = "the caller is dropped when this fails";
            let remedy =
                "a queue behind OnGlobalError, or an error edge to the queue where the editor offers one";
            seen.add(played, Code::NoErrorEdge, Severity::Serious, activity, (evidence.to_owned(), remedy));
        }
        Ending::Endless => {
            let activity = played.steps.last().map_or("", |step| step.activity.as_str());
            let evidence = "the same activities come over and over; the play was broken off".to_owned();
            let remedy = "play it with other digits; or count how often a caller may try";
            seen.add(played, Code::NotUnderstood, Severity::Warning, activity, (evidence, remedy));
        }
        _ => {}
    }
    let waited = played.waited_for_requests;
    if waited > PATIENCE {
        let last = played.steps.iter().rev().find(|step| !step.exchanges.is_empty());
        let activity = last.map_or("", |step| step.activity.as_str());
        let seconds = waited.as_secs();
        let evidence = format!("callers wait {seconds} s for requests before they are queued");
        let remedy = "shorter timeouts, fewer repetitions";
        seen.add(played, Code::Retries, Severity::Warning, activity, (evidence, remedy));
    }
}

fn fails_by_expression(played: &Played, activity: &str) -> bool {
    let mut steps = played.steps.iter().filter(|step| step.activity == activity);
    steps.any(|step| step.notes.iter().any(|note| matches!(note, Note::ExpressionFails { .. })))
}

fn notes(played: &Played, step: &Step, seen: &mut Seen) {
    for note in &step.notes {
        let evidence = note.to_string();
        let (code, severity, remedy) = match note {
            Note::ExpressionFails { .. } => (
                Code::ExpressionFails,
                Severity::Serious,
                "mend the expression, or ask before for what it needs",
            ),
            Note::NotUnderstood(_) => (
                Code::NotUnderstood,
                Severity::Hint,
                "look at it by hand; --stub and --subflow say what it gives",
            ),
            Note::Unset { .. } => {
                (Code::NeverSet, Severity::Warning, "set it on this way, or give it a default")
            }
            Note::BodyNoJson { .. } => (
                Code::BodyNoJson,
                Severity::Serious,
                "every text in quotes, a comma between fields and none after the last",
            ),
            // What a path finds in no answer at all is seen without playing.
            Note::FindsNothing { .. } | Note::Assumed(_) => continue,
        };
        seen.add(played, code, severity, &step.activity, (evidence, remedy));
    }
}

fn exchanges(played: &Played, step: &Step, bridge: &BridgeFacts, seen: &mut Seen) {
    for exchange in &step.exchanges {
        let request = &exchange.request;
        let Some(outcome) = &exchange.outcome else { continue };
        if !bridge.routes.iter().any(|route| route.name == request.route())
            && !is_below_bridge(&request.target)
        {
            continue;
        }
        let is_fine = played.scenario.weather() == Weather::Fine;
        match &outcome.result {
            Ok(answer) => refused(played, step, request, answer, seen),
            Err(failure) if is_fine => {
                let evidence = format!("{}: {failure}", request.route());
                let remedy =
                    "is the bridge at this address, and reached from here? `scv-bridge doctor` looks";
                seen.add(played, Code::Refused, Severity::Serious, &step.activity, (evidence, remedy));
            }
            Err(HttpFailure::Timeout) => {
                let evidence = format!(
                    "Webex gave up after {} ms, before {} had answered",
                    request.timeout.as_millis(),
                    request.route()
                );
                let remedy = "a timeout that is longer than the bridge's deadline of this route";
                seen.add(played, Code::Timeout, Severity::Warning, &step.activity, (evidence, remedy));
            }
            Err(HttpFailure::Connection(_)) => {}
        }
    }
}

/// A request that the bridge refused although it and Salesforce were well.
fn refused(played: &Played, step: &Step, request: &SentRequest, answer: &HttpAnswer, seen: &mut Seen) {
    if played.scenario.weather() != Weather::Fine {
        return;
    }
    if answer.status < 400 {
        let parsed: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if answer.status != 200 || parsed.get("success").is_none() {
            let evidence =
                format!("{} answers {}, and not as scv-bridge does", request.route(), answer.status);
            let remedy = "is the bridge at this address? something else answers there";
            seen.add(played, Code::Refused, Severity::Serious, &step.activity, (evidence, remedy));
        }
        return;
    }
    let words = words(&answer.body);
    let body: Value =
        request.body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    let is_empty = |field: &str| {
        body.get(field).is_some_and(|value| match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        })
    };
    let lower = words.to_ascii_lowercase();
    let evidence = format!("{} answers {}: {words}", request.route(), answer.status);
    let is_about_body = matches!(answer.status, 400 | 404 | 422);
    let (code, remedy) = if matches!(answer.status, 401 | 403) {
        (
            Code::Refused,
            "the credentials of the connector: those of a client that may use this contact center",
        )
    } else if is_about_body && is_empty("voiceCallId") {
        (Code::EmptyVoiceCallId, "ask for {{ SCV_VoiceCallRecordId is not empty }} before")
    } else if ["number", "from", "phone"].iter().any(|word| lower.contains(word)) && is_about_body {
        (Code::Number, "send the number as Webex gives it; see `scv-bridge translate`")
    } else {
        (Code::Refused, "what the answer says")
    };
    seen.add(played, code, Severity::Serious, &step.activity, (evidence, remedy));
}

/// What an answer says is wrong.
fn words(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let errors = body.get("errors").or_else(|| body.get("error")).unwrap_or(&body);
    let first = errors.get(0).unwrap_or(errors);
    let message = first.get("message").or_else(|| first.get("errorMessage")).unwrap_or(first);
    message.as_str().map_or_else(|| message.to_string(), str::to_owned)
}
