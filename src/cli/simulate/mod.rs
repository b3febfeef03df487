//! `scv-bridge simulate`: plays a flow as Webex would, and says what is wrong.

#[cfg(feature = "demo")]
pub mod judge;
pub mod player;
#[cfg(feature = "demo")]
pub mod stage;

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use openssl::sha::sha256;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use webex_flow::findings::{BridgeFacts, Code, Finding, Severity, of_flow, of_plays};
use webex_flow::model::{Activity, ActivityKind, Flow};
use webex_flow::play::{Exchange, Played, Scenario, Script, Step, Weather};

use self::player::{Connector, play};
use super::flow;
use crate::clock::Clock;
use crate::settings::{BaseUrl, Deadlines, Settings};

/// The number that all plays call.
const DIALED: &str = "+18005550100";

/// Play a flow as Webex would, in scenarios, and say what is wrong; exit status 1 if anything is serious.
///
/// Without --url a mock Salesforce org and a bridge are started on this machine, with the names that the flow sends.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// The export (of Flow Designer, or FlowV2).
    #[arg(value_name = "FLOW.json")]
    flow: PathBuf,
    /// Play against this running bridge: it creates VoiceCalls in the org behind it.
    #[arg(long, value_name = "URL", requires = "client")]
    url: Option<String>,
    /// The client as which requests are sent.
    #[arg(long, value_name = "ID", requires = "url", requires = "secret_file")]
    client: Option<String>,
    /// The file that holds the client's secret; `-` is standard input.
    #[arg(long, value_name = "FILE", requires = "client")]
    secret_file: Option<PathBuf>,
    /// Certificates in PEM to trust besides the system's.
    #[arg(long, value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
    /// The bridge's configuration: its deadlines, and whether it has the client.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Play only this scenario; may be given several times.
    #[arg(long = "scenario", value_name = "NAME", value_parser = scenario)]
    scenarios: Vec<Scenario>,
    /// What the caller enters at menus and prompts for digits, in order: 1,2,0042.
    #[arg(long, value_name = "DIGITS", value_delimiter = ',', value_parser = digits)]
    digits: Vec<String>,
    /// The caller's number.
    #[arg(long, value_name = "NUMBER", default_value = "+14693150217")]
    caller: String,
    /// What an activity gives that cannot be played (a function, a request to others): NAME=JSON.
    #[arg(long = "stub", value_name = "NAME=JSON", value_parser = stub)]
    stubs: Vec<(String, Value)>,
    /// The export of a subflow that the flow uses, found by its name.
    #[arg(long = "subflow", value_name = "FILE")]
    subflows: Vec<PathBuf>,
    /// Leave the steps out.
    #[arg(long)]
    brief: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn scenario(name: &str) -> Result<Scenario, String> {
    let names = || Scenario::ALL.map(Scenario::name).join(", ");
    Scenario::from_name(name).ok_or_else(|| format!("the scenarios are {}", names()))
}

fn digits(text: &str) -> Result<String, String> {
    let is_key = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#');
    if text.is_empty() || !text.chars().all(is_key) {
        return Err(
            "a telephone has 0 to 9, * and #; commas part what is entered one after the other".to_owned()
        );
    }
    Ok(text.to_owned())
}

fn stub(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=JSON, such as Score={\"level\":3}")?;
    let value = serde_json::from_str(value).map_err(|error| format!("{name}: this is no JSON: {error}"))?;
    Ok((name.to_owned(), value))
}

/// A scenario that was played, with what became of the VoiceCalls; none where nobody looked.
struct Outcome {
    played: Played,
    voice_calls: Option<Vec<String>>,
}

/// All plays of a flow.
struct Report {
    outcomes: Vec<Outcome>,
    /// Scenarios that were not played, with the reason.
    skipped: Vec<(Scenario, String)>,
    /// What the VoiceCalls showed.
    judged: Vec<Finding>,
}

/// Plays the flow. `settings_of` reads a configuration.
///
/// # Errors
/// A file cannot be read or is no flow, an argument does not fit, or the output cannot be written.
pub fn run(
    args: &SimulateArgs,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
    settings_of: impl FnOnce(PathBuf) -> anyhow::Result<Settings>,
) -> anyhow::Result<ExitCode> {
    let flow = flow::read_flow(&args.flow)?;
    let subflows =
        args.subflows.iter().map(|file| flow::read_flow(file)).collect::<anyhow::Result<Vec<_>>>()?;
    let settings = args.config.clone().map(settings_of).transpose()?;
    let deadlines = match &settings {
        Some(settings) => settings.deadlines,
        None => Settings::default_deadlines(clock.as_ref())?,
    };
    let facts = flow::facts(&deadlines);
    let remote = remote(args, settings.as_ref())?;
    if !args.json {
        let place = args.url.as_deref().unwrap_or("a bridge and a mock Salesforce org on this machine");
        writeln!(out, "{} ({}), played against {place}", flow.name, flow.format)?;
        for gap in &flow.gaps {
            writeln!(out, "\nnot as expected  {gap}")?;
        }
    }
    given_names(args, &flow, &subflows, &facts)?;
    let cast = Cast { args, flow: &flow, subflows: &subflows, facts: &facts, deadlines: &deadlines, clock };
    let mut tell = |outcome: &Outcome| if args.json { Ok(()) } else { print_outcome(args, outcome, out) };
    let mut report = actix_web::rt::System::new().block_on(async {
        tokio::select! {
            all = cast.all(remote.as_ref(), &mut tell) => all,
            // What the stage has written goes with it.
            () = interrupted() => bail!("interrupted"),
        }
    })?;
    if let Some(settings) = &settings {
        let numbers = report.outcomes.iter().flat_map(|outcome| lost_numbers(&outcome.played, settings));
        let numbers: Vec<Finding> = numbers.collect();
        report.judged.extend(numbers);
    }
    let findings = findings(&flow, &facts, &report);
    if args.json {
        writeln!(out, "{}", as_json(args, &flow, &report, &findings))?;
    } else {
        for (scenario, obstacle) in &report.skipped {
            writeln!(out, "\n{scenario}: not played, {obstacle}")?;
        }
        flow::print_findings(&findings, out)?;
    }
    if report.outcomes.is_empty() {
        bail!("nothing was played");
    }
    let is_serious = findings.iter().any(|finding| finding.severity == Severity::Serious);
    Ok(if is_serious { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Refuses stubs and subflows that would play no part: a name that is misspelt would change nothing, silently.
fn given_names(
    args: &SimulateArgs,
    flow: &Flow,
    subflows: &[Flow],
    facts: &BridgeFacts,
) -> anyhow::Result<()> {
    for (name, _) in &args.stubs {
        let found = std::iter::once(flow).chain(subflows).find_map(|flow| flow.activity_by_name(name));
        let Some((_, activity)) = found else {
            bail!("--stub {name}: the flow has no activity of this name")
        };
        if let ActivityKind::HttpRequest(request) = &activity.kind {
            let target = request.path.as_deref().or(request.url.as_deref()).unwrap_or_default();
            if facts
                .routes
                .iter()
                .any(|route| target.trim_end_matches('/').ends_with(&format!("/{}", route.name)))
            {
                bail!("--stub {name}: this asks the bridge, which answers itself");
            }
        }
    }
    for (file, subflow) in args.subflows.iter().zip(subflows) {
        let uses = |activity: &Activity| match &activity.kind {
            ActivityKind::Subflow { name, .. } => name.as_deref() == Some(subflow.name.as_str()),
            _ => false,
        };
        if !flow.activities().any(|(_, activity)| uses(activity)) {
            bail!("--subflow {}: the flow uses no subflow {:?}", file.display(), subflow.name);
        }
    }
    Ok(())
}

/// Returns when somebody wants the program to end.
async fn interrupted() {
    use actix_web::rt::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = actix_web::rt::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

/// The running bridge that is played against, if one was named.
fn remote(args: &SimulateArgs, settings: Option<&Settings>) -> anyhow::Result<Option<Connector>> {
    let (Some(url), Some(client), Some(file)) = (&args.url, &args.client, &args.secret_file) else {
        return Ok(None);
    };
    let url = BaseUrl::parse(url).map_err(|problem| anyhow!("--url: {problem}"))?;
    let secret = SecretString::from(flow::argument(&format!("@{}", file.display()))?.trim_end().to_owned());
    if let Some(settings) = settings {
        let known = settings.clients.iter().find(|known| known.id == *client);
        let known =
            known.ok_or_else(|| anyhow!("--client {client}: the configuration has no such client"))?;
        if !known.secrets.contains(&sha256(secret.expose_secret().as_bytes())) {
            bail!("--secret-file: this is not the secret of the client {client} in the configuration");
        }
    }
    let roots = args.ca_file.as_ref().map(|file| {
        std::fs::read(file).with_context(|| format!("--ca-file {} cannot be read", file.display()))
    });
    Connector::new(url.as_str(), Some((client.clone(), secret)), roots.transpose()?.as_deref()).map(Some)
}

/// What plays have in common.
struct Cast<'c> {
    args: &'c SimulateArgs,
    flow: &'c Flow,
    subflows: &'c [Flow],
    facts: &'c BridgeFacts,
    #[cfg_attr(not(feature = "demo"), expect(dead_code, reason = "only a stage needs them"))]
    deadlines: &'c Deadlines,
    clock: &'c Arc<dyn Clock>,
}

impl Cast<'_> {
    /// Plays all scenarios that were chosen; `tell` is given each as soon as it is over.
    async fn all(
        &self,
        remote: Option<&Connector>,
        tell: &mut dyn FnMut(&Outcome) -> std::io::Result<()>,
    ) -> anyhow::Result<Report> {
        let routes: Vec<&str> = self.facts.routes.iter().map(|route| route.name).collect();
        let stubs: Map<String, Value> = self.args.stubs.iter().cloned().collect();
        let chosen = &self.args.scenarios;
        let mut report = Report { outcomes: Vec::new(), skipped: Vec::new(), judged: Vec::new() };
        for scenario in Scenario::ALL {
            if !chosen.is_empty() && !chosen.contains(&scenario) {
                continue;
            }
            let needs_mock =
                remote.is_some() && !matches!(scenario.weather(), Weather::Fine | Weather::BridgeUnreachable);
            let obstacle = match scenario.obstacle(self.flow, &routes) {
                None if needs_mock => Some("needs the mock org: leave --url out"),
                obstacle => obstacle,
            };
            if let Some(obstacle) = obstacle {
                report.skipped.push((scenario, obstacle.to_owned()));
                continue;
            }
            for timeout_is_error in [false, true] {
                let script = Script {
                    scenario,
                    caller: scenario.caller(&self.args.caller),
                    dialed: DIALED.to_owned(),
                    interaction_id: interaction_id(rand::random()),
                    digits: self.args.digits.clone(),
                    stubs: &stubs,
                    subflows: self.subflows,
                    routes: &routes,
                    timeout_is_error,
                };
                let outcome = self.one(script, remote, &mut report.judged).await?;
                tell(&outcome)?;
                let has_timeout = outcome.played.has_timeout();
                report.outcomes.push(outcome);
                // Webex's documents say both of a request that is not answered in time.
                if !has_timeout {
                    break;
                }
            }
        }
        Ok(report)
    }

    async fn one(
        &self,
        script: Script<'_>,
        remote: Option<&Connector>,
        judged: &mut Vec<Finding>,
    ) -> anyhow::Result<Outcome> {
        let is_unreachable = script.scenario.weather() == Weather::BridgeUnreachable;
        let Some(remote) = remote else { return self.on_stage(script, judged).await };
        let nobody = if is_unreachable { Some(Connector::to_nobody()?) } else { None };
        let connector = nobody.as_ref().unwrap_or(remote);
        let played = play(self.flow, script, connector, self.clock.as_ref(), &mut || {}).await;
        Ok(Outcome { played, voice_calls: None })
    }

    #[cfg(not(feature = "demo"))]
    async fn on_stage(&self, _: Script<'_>, _: &mut Vec<Finding>) -> anyhow::Result<Outcome> {
        bail!("this program was built without the mock org: name a running bridge with --url")
    }

    #[cfg(feature = "demo")]
    async fn on_stage(&self, script: Script<'_>, judged: &mut Vec<Finding>) -> anyhow::Result<Outcome> {
        let stage = stage::Stage::set_up(&stage_settings(self.flow, self.deadlines), self.clock).await?;
        let (played, calls) = play_on(&stage, self.flow, script, self.clock.as_ref()).await?;
        stage.strike().await;
        judged.extend(judge::judge(&played, &calls));
        Ok(Outcome { played, voice_calls: Some(calls.iter().map(judge::line).collect()) })
    }
}

/// Plays a flow on a stage, waits until nothing is owed to Salesforce any more, and returns the call's VoiceCalls.
///
/// # Errors
/// When no port can be had.
#[cfg(feature = "demo")]
pub async fn play_on(
    stage: &stage::Stage,
    flow: &Flow,
    script: Script<'_>,
    clock: &dyn Clock,
) -> anyhow::Result<(Played, Vec<crate::mock::VoiceCall>)> {
    let weather = script.scenario.weather();
    if let Some(day) = bad_day(script.scenario) {
        stage.org.script(day);
    }
    let connector = match weather {
        Weather::BridgeUnreachable => Connector::to_nobody()?,
        _ => Connector::new(&stage.bridge, Some(stage.credentials()), None)?,
    };
    let interaction = script.interaction_id.clone();
    let calls = || {
        let mut calls = stage.org.voice_calls();
        calls.retain(|call| call.vendor_call_key.contains(&interaction));
        calls
    };
    let mut accept = || {
        if let Some(call) = calls().last() {
            stage.org.agent_accepts(&call.id, AGENT);
        }
    };
    let played = play(flow, script, &connector, clock, &mut accept).await;
    stage.org.forget_scripts();
    settle(stage).await;
    Ok((played, calls()))
}

/// The agent of all plays.
#[cfg(feature = "demo")]
const AGENT: &str = "agent@example.com";

/// What the org does in this scenario, for as long as it lasts.
#[cfg(feature = "demo")]
fn bad_day(scenario: Scenario) -> Option<crate::mock::Script> {
    use crate::mock::{BadDay, Operation};
    // The create is in flight until everything of the hang-up was sent, on a busy machine too.
    if scenario == Scenario::HangUpBesideCreate {
        return Some(BadDay::Slow { milliseconds: 1_000 }.on(Operation::Create));
    }
    Some(match scenario.weather() {
        Weather::Fine | Weather::BridgeUnreachable => return None,
        Weather::SalesforceDown => BadDay::Unavailable { retry_after: None }.times(u32::MAX),
        Weather::SalesforceSlow => BadDay::Slow { milliseconds: 6_000 }.times(u32::MAX),
        Weather::CreateRefused => {
            let body =
                json!([{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing"}]);
            BadDay::Status { status: 400, body }.times(u32::MAX).on(Operation::Create)
        }
    })
}

/// Waits until the bridge owes Salesforce nothing, or for so long that it never will.
#[cfg(feature = "demo")]
async fn settle(stage: &stage::Stage) {
    let end = tokio::time::Instant::now() + player::SETTLES_WITHIN;
    // The store is asked: the metrics are up to 5 s old.
    while tokio::time::Instant::now() < end && stage.owes().await {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// What the flow names in its bodies. A name that is an expression takes its variable's default.
#[cfg(feature = "demo")]
fn stage_settings(flow: &Flow, deadlines: &Deadlines) -> stage::StageSettings {
    let mut names =
        stage::StageSettings { certificates: Vec::new(), call_centers: Vec::new(), deadlines: *deadlines };
    for body in bodies(flow) {
        for (field, known) in
            [("\"certDevName\"", &mut names.certificates), ("\"callCenterDevName\"", &mut names.call_centers)]
        {
            let Some(name) = text_of(body, field) else { continue };
            let variable = name.strip_prefix("{{").and_then(|name| name.strip_suffix("}}")).map(str::trim);
            let name = match variable {
                Some(variable) => flow.variable(variable).and_then(|variable| variable.default.clone()),
                None => Some(name.to_owned()),
            };
            // What is no name of Salesforce's is left to the bridge, which says so when it is sent.
            let is_name = |name: &str| {
                !name.is_empty()
                    && name.len() <= 80
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            known.extend(name.filter(|name| !known.contains(name) && is_name(name)));
        }
    }
    let vendors = stage::StageSettings::of_vendor(*deadlines);
    if names.certificates.is_empty() {
        names.certificates = vendors.certificates;
    }
    if names.call_centers.is_empty() {
        names.call_centers = vendors.call_centers;
    }
    names
}

#[cfg(feature = "demo")]
fn bodies(flow: &Flow) -> impl Iterator<Item = &str> {
    flow.activities().filter_map(|(_, activity)| match &activity.kind {
        ActivityKind::HttpRequest(request) => request.body.as_deref(),
        _ => None,
    })
}

/// The text of a field in a body, which need not be JSON before it is filled in.
#[cfg(feature = "demo")]
fn text_of<'b>(body: &'b str, field: &str) -> Option<&'b str> {
    let (_, after) = body.split_once(field)?;
    let text = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    text.split('"').next()
}

/// Numbers that the configured rules refuse, or of which they leave other digits than a part of what was sent.
fn lost_numbers(played: &Played, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (activity, body) in played.steps.iter().flat_map(|step| {
        let bodies = step.exchanges.iter().filter_map(|exchange| exchange.request.body.as_deref());
        bodies.map(|body| (step.activity.as_str(), body))
    }) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |field: &str| body.get(field).and_then(Value::as_str);
        let center = text("callCenterDevName").and_then(|name| settings.call_centers.get(name));
        let Some(translations) = center.map(|center| &center.translations) else { continue };
        let fields =
            [("from", &translations.from), ("to", &translations.to), ("dialedNumber", &translations.to)];
        for (field, rules) in fields {
            let Some(number) = text(field).filter(|number| !number.is_empty()) else { continue };
            let evidence = match rules.translate(number) {
                Err(error) => format!("{field}: {error}"),
                Ok(translated) if keeps_digits(number, &translated) => continue,
                Ok(translated) => format!("{field}: the rules make {translated:?} of {number:?}"),
            };
            let evidence = format!("{evidence} ({})", played.scenario);
            let remedy =
                "look at each rule with `scv-bridge translate --config FILE --call-center NAME NUMBER`";
            findings.push(Finding::new(Code::Number, Severity::Warning, activity, evidence, remedy));
        }
    }
    findings
}

/// Whether the digits after a translation are a part of those before, or the other way round: a country code may come or go.
fn keeps_digits(before: &str, after: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    // What stands behind the first `@` or `;` of an address is no number.
    let (before, after) = (digits(before.split(['@', ';']).next().unwrap_or_default()), digits(after));
    before.contains(&after) && (!after.is_empty() || before.is_empty())
        || (!before.is_empty() && after.ends_with(&before))
}

/// An interaction id as Webex has it.
pub fn interaction_id(random: u128) -> String {
    let digits = format!("{random:032x}");
    let part = |range| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// Everything that is wrong, worst first. What is seen without playing is told once.
fn findings(flow: &Flow, facts: &BridgeFacts, report: &Report) -> Vec<Finding> {
    let mut findings = of_flow(flow, facts);
    let known: HashSet<(Code, String)> =
        findings.iter().map(|finding| (finding.code, finding.activity.clone())).collect();
    let plays: Vec<Played> = report.outcomes.iter().map(|outcome| outcome.played.clone()).collect();
    let seen = of_plays(&plays, facts).into_iter().chain(report.judged.iter().cloned());
    findings.extend(seen.filter(|finding| !known.contains(&(finding.code, finding.activity.clone()))));
    findings.sort_by(|left, right| {
        (left.severity, left.code, &left.activity).cmp(&(right.severity, right.code, &right.activity))
    });
    findings.dedup();
    findings
}

/// Prints one play.
fn print_outcome(args: &SimulateArgs, outcome: &Outcome, out: &mut dyn Write) -> std::io::Result<()> {
    let Outcome { played, voice_calls } = outcome;
    let way = if played.timeout_is_error { "; what is not answered in time leaves by an error" } else { "" };
    writeln!(out, "\n{}: {}{way}", played.scenario, played.scenario.title())?;
    if !args.brief {
        for step in &played.steps {
            writeln!(out, "{step}")?;
        }
    }
    let queued = if played.was_queued { "was queued" } else { "was never queued" };
    let waited = played.waited_for_requests.as_secs_f64();
    writeln!(out, "  {}; the caller {queued}; {waited:.1} s were waited for requests before", played.ending)?;
    match voice_calls {
        None => writeln!(out, "  what became of it: scv-bridge call show {}", played.interaction_id),
        Some(calls) if calls.is_empty() => writeln!(out, "  no VoiceCall in Salesforce"),
        Some(calls) => calls.iter().try_for_each(|call| writeln!(out, "  {call}")),
    }
}

fn as_json(args: &SimulateArgs, flow: &Flow, report: &Report, findings: &[Finding]) -> Value {
    let steps = |played: &Played| {
        let steps = || played.steps.iter().map(step_as_json).collect::<Vec<_>>();
        (!args.brief).then(steps)
    };
    let plays: Vec<Value> = report
        .outcomes
        .iter()
        .map(|Outcome { played, voice_calls }| {
            json!({
                "scenario": played.scenario.name(),
                "timeoutIsError": played.timeout_is_error,
                "interactionId": played.interaction_id,
                "ending": played.ending.to_string(),
                "wasQueued": played.was_queued,
                "waitedForRequestsMs": milliseconds(played.waited_for_requests),
                "steps": steps(played),
                "voiceCalls": voice_calls,
            })
        })
        .collect();
    let skipped: Vec<Value> = report
        .skipped
        .iter()
        .map(|(scenario, obstacle)| json!({"scenario": scenario.name(), "reason": obstacle}))
        .collect();
    let findings: Vec<Value> = findings.iter().map(flow::finding_as_json).collect();
    let gaps: Vec<String> = flow.gaps.iter().map(ToString::to_string).collect();
    json!({"flow": flow.name, "format": flow.format.to_string(), "gaps": gaps, "plays": plays, "notPlayed": skipped, "findings": findings})
}

fn step_as_json(step: &Step) -> Value {
    let exchange = |exchange: &Exchange| {
        let outcome = exchange.outcome.as_ref();
        json!({
            "method": exchange.request.method, "target": exchange.request.target, "body": exchange.request.body,
            "status": outcome.and_then(|outcome| outcome.result.as_ref().ok()).map(|answer| answer.status),
            "answer": outcome.and_then(|outcome| outcome.result.as_ref().ok()).map(|answer| answer.body.as_str()),
            "failure": outcome.and_then(|outcome| outcome.result.as_ref().err()).map(ToString::to_string),
            "ms": outcome.map(|outcome| milliseconds(outcome.took)),
        })
    };
    json!({
        "atMs": milliseconds(step.at), "place": step.place, "activity": step.activity, "kind": step.kind,
        "exit": step.exit.as_ref().map(ToString::to_string),
        "set": step.set.iter().cloned().collect::<Map<String, Value>>(),
        "requests": step.exchanges.iter().map(exchange).collect::<Vec<_>>(),
        "notes": step.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::flow::tests::{VENDORS, configuration, flow};
    use crate::clock::SystemClock;
    use crate::settings::Source;

    #[derive(Parser)]
    struct SimulateProgram {
        #[command(flatten)]
        args: SimulateArgs,
    }

    fn simulate(arguments: &[&str]) -> (String, Result<ExitCode, String>) {
        let program = SimulateProgram::try_parse_from(["simulate"].iter().chain(arguments));
        let program = match program {
            Ok(program) => program,
            Err(error) => return (String::new(), Err(error.to_string())),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut out = Vec::new();
        let code = run(&program.args, &clock, &mut out, |file| {
            let source = Source { file: Some(file), environment: Vec::new() };
            Ok(Settings::load(&source, &SystemClock)?)
        });
        (String::from_utf8(out).unwrap(), code.map_err(|error| super::super::chain(&error)))
    }

    /// A flow as `flow new` writes it, in all scenarios.
    fn a_new_flow_has_no_finding(format: &str) {
        let folder = tempfile::tempdir().unwrap();
        let config = configuration(folder.path());
        let file = folder.path().join("flow.json").display().to_string();
        let new = [
            "new",
            "--config",
            &config,
            "--connector",
            "c",
            "--queue",
            "q",
            "--omni-flow",
            "Route",
            "--out",
            &file,
        ];
        assert_eq!(flow(&[&new[..], &["--format", format]].concat()).1, Ok(ExitCode::SUCCESS));
        let (text, code) = simulate(&[&file, "--config", &config, "--json"]);
        assert_eq!(code, Ok(ExitCode::SUCCESS), "{text}");
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["findings"], json!([]));
        let plays = report["plays"].as_array().unwrap();
        assert_eq!((plays.len(), report["notPlayed"][0]["scenario"].as_str()), (13, Some("callback")));
        for play in plays {
            let is_gone_early =
                matches!(play["scenario"].as_str(), Some("abandoned-in-ivr" | "hang-up-beside-create"));
            assert_eq!(play["wasQueued"], !is_gone_early, "{play:#}");
        }
    }

    #[test]
    fn a_flow_of_flow_new_in_flow_v2_has_no_finding_in_any_scenario() {
        a_new_flow_has_no_finding("v2");
    }

    #[test]
    fn a_flow_of_flow_new_for_the_editor_has_no_finding_in_any_scenario() {
        a_new_flow_has_no_finding("ui");
    }

    #[test]
    fn the_vendors_flow_is_played_and_what_becomes_of_its_calls_is_told() {
        let scenarios = ["answered", "abandoned-in-queue", "bridge-unreachable", "hang-up-beside-create"];
        let chosen: Vec<&str> = scenarios.iter().flat_map(|name| ["--scenario", name]).collect();
        let (text, code) = simulate(&[&[VENDORS][..], &chosen].concat());
        assert_eq!(code, Ok(ExitCode::FAILURE));
        for told in [
            "answered: an agent takes the call",
            "main: CreateVoiceCall (HTTP Request) -> default\n             POST /services/apexrest/cisco_wxcc_scv/voice/v1/createVoiceCall: 200 ",
            "completed, agent agent@example.com, \"Abandoned in queue\"",
            "the caller was dropped: CreateVoiceCall failed; the caller was never queued",
            "F6  serious  CreateVoiceCall",
            "F7  serious  UpdateVoiceCall",
            "F21 serious  UpdateVoiceCall",
        ] {
            assert!(text.contains(told), "{told}\n\n{text}");
        }
        let (brief, _) = simulate(&[VENDORS, "--brief", "--scenario", "abandoned-in-queue"]);
        assert!(
            !brief.contains("main: CreateVoiceCall") && brief.contains("\"Abandoned in queue\""),
            "{brief}"
        );
    }

    #[test]
    fn a_running_bridge_is_asked_as_a_connector_would() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let deadlines = Settings::default_deadlines(&SystemClock).unwrap();
        let (send, receive) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let stage =
                    stage::Stage::set_up(&stage::StageSettings::of_vendor(deadlines), &clock).await.unwrap();
                let (client, secret) = stage.credentials();
                send.send((stage.bridge.clone(), client, secret.expose_secret().to_owned())).unwrap();
                stopped.await.unwrap();
                let calls = stage.org.voice_calls().len();
                stage.strike().await;
                calls
            })
        });
        let (url, client, secret) = receive.recv().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret").display().to_string();
        std::fs::write(&file, format!("{secret}\n")).unwrap();
        let at = ["--url", &url, "--client", &client, "--secret-file", &file, "--brief"];
        let chosen = ["--scenario", "abandoned-in-queue", "--scenario", "salesforce-down"];
        let (text, _) = simulate(&[&[VENDORS][..], &at, &chosen].concat());
        assert!(text.contains("what became of it: scv-bridge call show "), "{text}");
        assert!(text.contains("salesforce-down: not played, needs the mock org"), "{text}");
        std::fs::write(&file, "wrong").unwrap();
        let (text, _) = simulate(&[&[VENDORS][..], &at, &chosen[..2]].concat());
        assert!(
            text.contains("F22 serious  CreateVoiceCall\n    seen     createVoiceCall answers 401"),
            "{text}"
        );
        std::fs::write(&file, &secret).unwrap();
        let nobody = Connector::to_nobody().unwrap();
        let (text, code) = simulate(&[
            VENDORS,
            "--url",
            nobody.url(),
            "--client",
            &client,
            "--secret-file",
            &file,
            "--brief",
            "--scenario",
            "answered",
        ]);
        assert_eq!(code, Ok(ExitCode::FAILURE));
        assert!(
            text.contains("F22 serious  CreateVoiceCall\n    seen     createVoiceCall: Connection refused"),
            "{text}"
        );
        let livez = format!("{url}/livez?");
        assert!(
            simulate(&[VENDORS, "--url", &livez, "--client", &client, "--secret-file", &file]).1.is_err()
        );
        stop.send(()).unwrap();
        assert_eq!(server.join().unwrap(), 1, "one VoiceCall for the call that was let in");
    }

    #[test]
    fn arguments_that_do_not_fit_are_named() {
        let error = |arguments: &[&str]| simulate(&[&[VENDORS][..], arguments].concat()).1.unwrap_err();
        assert!(error(&["--scenario", "nosuch"]).contains("the scenarios are answered, abandoned-in-queue"));
        assert!(error(&["--stub", "Score"]).contains("write NAME=JSON"));
        assert!(error(&["--stub", "Score={"]).contains("Score: this is no JSON"));
        assert!(error(&["--url", "http://127.0.0.1:1"]).contains("--client"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret").display().to_string();
        std::fs::write(&file, "x").unwrap();
        let with = |url: &str, client: &str, config: &str| {
            error(&["--url", url, "--client", client, "--secret-file", &file, "--config", config])
        };
        let config = configuration(folder.path());
        assert!(
            with("bridge.example.com", "flow", &config).contains("--url: has no https:// before the host")
        );
        assert!(with("https://a:b@bridge.example.com", "flow", &config).contains("--url: holds credentials"));
        assert!(error(&["--stub", "Nobody={}"]).contains("the flow has no activity of this name"));
        assert!(error(&["--stub", "CreateVoiceCall={}"]).contains("this asks the bridge"));
        assert!(error(&["--digits", "x"]).contains("0 to 9, * and #"));
        assert!(error(&["--subflow", VENDORS]).contains("the flow uses no subflow"));
        assert!(error(&["--scenario", "callback"]).contains("nothing was played"));
        assert!(
            with("http://127.0.0.1:1", "other", &config).contains("the configuration has no such client")
        );
        assert!(
            with("http://127.0.0.1:1", "flow", &config).contains("this is not the secret of the client flow")
        );
    }

    #[test]
    fn numbers_of_which_rules_leave_other_digits_are_told() {
        for (before, after, keeps) in [
            ("+14693150217", "(469) 315-0217", true),
            ("4693150217", "+14693150217", true),
            ("+14693150217", "+4693150217", true),
            ("anonymous", "anonymous", true),
            ("sip:anna@10.0.0.1", "anna", true),
            ("2041", "", false),
            ("2041", "9", false),
            ("+14693150217", "+1469315021", true),
            ("+14693150217", "4693150000", false),
        ] {
            assert_eq!(keeps_digits(before, after), keeps, "{before} {after}");
        }
        let folder = tempfile::tempdir().unwrap();
        let config = configuration(folder.path());
        let rules = "[call_centers.Main.translations]\nfrom = '{\"all\": \"[4,4]->^.*$->9\"}'\n";
        std::fs::write(
            &config,
            std::fs::read_to_string(&config).unwrap().replace("[deadlines]", &format!("{rules}[deadlines]")),
        )
        .unwrap();
        let file = folder.path().join("flow.json").display().to_string();
        let new = ["new", "--config", &config, "--connector", "c", "--queue", "q", "--out", &file];
        assert_eq!(flow(&new).1, Ok(ExitCode::SUCCESS));
        let (text, code) = simulate(&[&file, "--config", &config, "--brief", "--scenario", "extension"]);
        assert_eq!(code, Ok(ExitCode::SUCCESS));
        assert!(text.contains("F16 warning  CreateVoiceCall\n    seen     from: the rules make \"9\" of \"2041\" (extension)"), "{text}");
    }

    #[test]
    fn names_that_a_flow_sends_are_known_to_the_stage() {
        let document = json!({
            "name": "Names", "flowType": "FLOW",
            "variables": [{"name": "Center", "type": "STRING", "value": "My_Center"}],
            "nodes": [{"id": "H", "name": "H", "activityType": "action", "group": "action", "properties": {
                "activityName": "http-request-v2", "httpRequestMethod": "POST", "httpRequestPath": "/voice/v1/createVoiceCall",
                "httpRequestBody": "{\"callCenterDevName\": \"{{ Center }}\", \"certDevName\" : \"Cert\", {{broken}}",
            }}],
            "edges": [],
        });
        let deadlines = Settings::default_deadlines(&SystemClock).unwrap();
        let names = stage_settings(&webex_flow::model::read(&document.to_string()).unwrap(), &deadlines);
        assert_eq!(names.certificates, ["Cert"]);
        assert_eq!(names.call_centers, ["My_Center"]);
    }
}
