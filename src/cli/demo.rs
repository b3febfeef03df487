//! `scv-bridge demo`: the vendor's flow, and one that `flow new` writes, against a mock Salesforce org, without any configuration.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use webex_flow::model::{Flow, read};
use webex_flow::play::{Exchange, Played, Scenario, Script};
use webex_flow::write::{self, NewFlow, OmniFlow, Reference, Spelling};

use super::flow::facts;
use super::simulate::stage::{Stage, StageSettings};
use super::simulate::{interaction_id, judge, play_on};
use crate::clock::Clock;
use crate::mock::{Disposition, MockOrg, VoiceCall};
use crate::settings::{Deadlines, Settings};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Leave everything running afterwards and print the addresses.
    #[arg(long)]
    pub keep: bool,
}

/// Starts a mock Salesforce org and the bridge on free loopback ports, plays calls and judges the VoiceCalls:
/// 0 if they are right, else 1.
///
/// # Errors
/// When something cannot be started, or the output cannot be written.
pub fn run(args: &DemoArgs, clock: &Arc<dyn Clock>, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let deadlines = Settings::default_deadlines(clock.as_ref())?;
    actix_web::rt::System::new().block_on(async {
        let stage = Stage::set_up(&StageSettings::of_vendor(deadlines), clock).await?;
        writeln!(out, "scv-bridge demo: flows, the bridge and a mock Salesforce org, all on this machine")?;
        writeln!(out, "  bridge    {}", stage.bridge)?;
        writeln!(out, "  org       {}", stage.org.url())?;
        let wrong = all_calls(&stage, &deadlines, clock.as_ref(), out).await?;
        print_voice_calls(&stage.org, out)?;
        let code = print_result(&wrong, out)?;
        if args.keep {
            stage.explain(out)?;
            actix_web::rt::signal::ctrl_c().await?;
        }
        stage.strike().await;
        Ok(code)
    })
}

/// The vendor's published flow.
const VENDORS: &str = include_str!("../../tests/fixtures/flows/ServiceCloudVoice_Template.json");

/// A flow as `flow new` writes it, for the same contact center.
fn new_flow(deadlines: &Deadlines) -> anyhow::Result<Flow> {
    let reference = |name: &str| Reference { id: name.to_owned(), name: name.to_owned() };
    let flow = NewFlow {
        name: "scv_bridge".to_owned(),
        call_center: "WxCCContactCenterSCV".to_owned(),
        certificate: "WebexCCSCV".to_owned(),
        base_path: "/voice/v1".to_owned(),
        connector: reference("scv-bridge"),
        queue: reference("Support"),
        fallback_queue: None,
        omni_flow: Some(OmniFlow {
            name: "WxCC_Routing_Flow".to_owned(),
            fallback_queue: None,
            input: Vec::new(),
        }),
        call_attributes: Vec::new(),
        deadlines: write::Deadlines {
            create_voice_call: deadlines.create_voice_call,
            execute_omni_flow: deadlines.execute_omni_flow,
            phone_contact_ended: deadlines.phone_contact_ended,
            agent_answered: deadlines.agent_answered,
        },
        retries: 1,
        music: "defaultmusic_on_hold.wav".to_owned(),
        has_media_stream: false,
        spelling: Spelling::New,
    };
    Ok(read(&flow.to_v2().to_string())?)
}

/// Plays three calls; returns what is wrong with the VoiceCalls afterwards.
///
/// # Errors
/// When a flow cannot be read, or the output cannot be written.
async fn all_calls(
    stage: &Stage,
    deadlines: &Deadlines,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> anyhow::Result<Vec<String>> {
    let (vendors, own) = (read(VENDORS)?, new_flow(deadlines)?);
    let mut wrong = Vec::new();
    for (flow, scenario, title) in [
        (
            &own,
            Scenario::Answered,
            "1. A caller is answered, talks and hangs up. The flow, written by `flow new`, tells who answered.",
        ),
        (
            &own,
            Scenario::AbandonedInQueue,
            "2. A caller hangs up in the queue; the flow sends phoneContactEnded.",
        ),
        (
            &vendors,
            Scenario::AbandonedInQueue,
            "3. A caller hangs up in the queue; the vendor's published flow sends ClearRouting and UpdateVoiceCall.",
        ),
    ] {
        writeln!(out, "\n{title}")?;
        let (played, calls) = call(stage, flow, scenario, deadlines, clock).await?;
        for exchange in played.steps.iter().flat_map(|step| &step.exchanges) {
            print_exchange(exchange, out)?;
        }
        check(&played, &calls, &mut wrong);
    }
    for refusal in stage.org.refusals() {
        let reasons = refusal.reasons.join("; ");
        wrong.push(format!("Salesforce refused {} {}: {reasons}", refusal.method, refusal.path));
    }
    Ok(wrong)
}

async fn call(
    stage: &Stage,
    flow: &Flow,
    scenario: Scenario,
    deadlines: &Deadlines,
    clock: &dyn Clock,
) -> anyhow::Result<(Played, Vec<VoiceCall>)> {
    let facts = facts(deadlines);
    let routes: Vec<&str> = facts.routes.iter().map(|route| route.name).collect();
    let script = Script {
        scenario,
        caller: "+14693150217".to_owned(),
        dialed: "+18005550100".to_owned(),
        interaction_id: interaction_id(rand::random()),
        digits: Vec::new(),
        stubs: &Map::new(),
        subflows: &[],
        routes: &routes,
        timeout_is_error: false,
    };
    play_on(stage, flow, script, clock).await
}

/// The answered call is as the agent left it; the abandoned one is completed with its reason.
fn check(played: &Played, calls: &[VoiceCall], wrong: &mut Vec<String>) {
    wrong.extend(judge::judge(played, calls).into_iter().map(|finding| finding.evidence));
    let is_right = |call: &VoiceCall| match played.scenario {
        Scenario::Answered => call.call_disposition == Disposition::InProgress && call.updates == 0,
        _ => {
            call.call_disposition == Disposition::Completed
                && call.disconnect_reason.as_deref() == Some("Abandoned in queue")
                && call.call_duration_in_seconds.is_some()
        }
    };
    match calls {
        [call] if is_right(call) => {}
        [call] => {
            wrong.push(format!("the VoiceCall {} is not as it should be: {}", call.id, judge::line(call)));
        }
        calls => wrong.push(format!("the call has {} VoiceCalls", calls.len())),
    }
}

/// Prints one request and its answer, on one line.
fn print_exchange(exchange: &Exchange, out: &mut dyn Write) -> std::io::Result<()> {
    let route = exchange.request.route();
    let Some(outcome) = &exchange.outcome else { return Ok(()) };
    match &outcome.result {
        Ok(answer) => {
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let shown = match body.get("data") {
                Some(data) if !data.is_null() => data,
                _ => body.get("errors").unwrap_or(&body),
            };
            let milliseconds = outcome.took.as_secs_f64() * 1000.0;
            writeln!(out, "   POST {route:<18} {}  {milliseconds:>6.1} ms  {shown}", answer.status)
        }
        Err(failure) => writeln!(out, "   POST {route:<18} {failure}"),
    }
}

/// Prints the VoiceCalls as Salesforce would show them.
///
/// # Errors
/// When the output cannot be written.
fn print_voice_calls(org: &MockOrg, out: &mut dyn Write) -> std::io::Result<()> {
    const FIELDS: [&str; 11] = [
        "Id",
        "VendorCallKey",
        "FromPhoneNumber",
        "ToPhoneNumber",
        "CallStartDateTime",
        "CallAcceptDateTime",
        "CallEndDateTime",
        "CallDurationInSeconds",
        "CallDisposition",
        "DisconnectReason",
        "PendingServiceRouting",
    ];
    writeln!(out, "\nThe VoiceCalls in Salesforce:")?;
    for call in org.voice_calls() {
        let call = json!(call);
        writeln!(out)?;
        for field in FIELDS {
            let value = match call.get(field) {
                None | Some(Value::Null) => "-".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            writeln!(out, "   {field:<22} {value}")?;
        }
    }
    Ok(())
}

/// Prints whether all is right, and returns the exit status for it.
///
/// # Errors
/// When the output cannot be written.
fn print_result(wrong: &[String], out: &mut dyn Write) -> std::io::Result<ExitCode> {
    if wrong.is_empty() {
        writeln!(
            out,
            "\nRight: the hang-up left the answered VoiceCall as it was; the abandoned ones are completed with"
        )?;
        writeln!(out, "their reason, and nothing waits in Omni-Channel for callers who have gone.")?;
        writeln!(
            out,
            "The vendor's flow does not tell who answered: `scv-bridge simulate` shows what becomes of that."
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "\nWrong:")?;
    for problem in wrong {
        writeln!(out, "   {problem}")?;
    }
    Ok(ExitCode::FAILURE)
}
