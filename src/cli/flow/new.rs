//! `scv-bridge flow new`: writes a flow that is right, from the configuration.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use webex_flow::findings::of_flow;
use webex_flow::model::read;
use webex_flow::rules;
use webex_flow::write::{Deadlines, NewFlow, OmniFlow, PastedActivity, Reference, Spelling};

use super::super::on_store;
use super::super::webex::{flow_client, section};
use super::facts;
use crate::clock::Clock;
use crate::settings::{CallCenter, Settings};
use crate::store::Store;
use crate::webex::{FlowStore, WebexError};

/// The vendor's published flow, of which the editor's form is made (MIT, tests/fixtures/flows/LICENSE.md).
const VENDORS: &str = include_str!("../../../tests/fixtures/flows/ServiceCloudVoice_Template.json");

/// In which format a flow is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlowFormat {
    /// FlowV2, for Webex's interface of flows.
    V2,
    /// An export that Flow Designer imports.
    Ui,
}

/// Write a flow that is right, from the configuration.
#[derive(Debug, clap::Args)]
pub struct NewArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The contact center, where the configuration has several.
    #[arg(long, value_name = "NAME")]
    call_center: Option<String>,
    /// The id of the connector to the bridge (Control Hub, Contact Center, Integrations).
    #[arg(long, value_name = "ID", required_unless_present = "bodies", value_parser = NonEmptyStringValueParser::new())]
    connector: Option<String>,
    /// Its name, as the editor shows it.
    #[arg(long, value_name = "NAME")]
    connector_name: Option<String>,
    /// The id of Webex's queue for every call.
    #[arg(long, value_name = "ID", required_unless_present = "bodies", value_parser = NonEmptyStringValueParser::new())]
    queue: Option<String>,
    /// Its name.
    #[arg(long, value_name = "NAME")]
    queue_name: Option<String>,
    /// The id of Webex's queue for calls that the first does not take.
    #[arg(long, value_name = "ID")]
    fallback_queue: Option<String>,
    /// Its name.
    #[arg(long, value_name = "NAME", requires = "fallback_queue")]
    fallback_queue_name: Option<String>,
    /// The developer name of Salesforce's Omni-Channel flow; without it, Salesforce is not asked for a route.
    #[arg(long, value_name = "NAME", value_parser = developer_name)]
    omni_flow: Option<String>,
    /// The queue of Salesforce that it falls back to: developer name or id.
    #[arg(long, value_name = "NAME", requires = "omni_flow", value_parser = developer_name)]
    omni_fallback_queue: Option<String>,
    /// The bridge's routes behind the connector's address.
    #[arg(long, value_name = "PATH", default_value = "/voice/v1")]
    base_path: String,
    /// The audio file that callers hear in the queue.
    #[arg(long, value_name = "FILE", default_value = "defaultmusic_on_hold.wav")]
    music: String,
    /// The name of the flow.
    #[arg(long, value_name = "NAME", default_value = "scv_bridge")]
    name: String,
    /// Spell events as flows from before April 2025 do: NewPhoneContact, AgentAnswered, PhoneContactEnded.
    #[arg(long)]
    old_names: bool,
    /// FlowV2, or an export for the editor.
    #[arg(long, default_value = "v2")]
    format: FlowFormat,
    /// Where it is written, as a new file; else standard output, unless Webex is asked.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print what is pasted into the HTTP Request activities of a flow that is made by hand instead.
    #[arg(long, conflicts_with_all = ["format", "out"])]
    bodies: bool,
    /// Ask Webex whether the flow is valid, with the login of `webex login`; nothing is written there.
    #[arg(long, conflicts_with = "bodies")]
    check: bool,
    /// Import the flow at Webex as a draft, once it is valid. Nothing is published, and no flow of the same name is overwritten.
    #[arg(long, conflicts_with = "bodies")]
    import: bool,
}

/// A name that Salesforce gives to what is made in Setup, or an id.
fn developer_name(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name {
        Ok(text.to_owned())
    } else {
        Err("letters, digits and underscores: the developer name, not the label".to_owned())
    }
}

/// Writes the flow, after it was looked at as any other: 0 if nothing is wrong with it.
///
/// # Errors
/// The contact center is not there, a file is, or the output cannot be written.
pub fn run(
    args: &NewArgs,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let asks_webex = args.check || args.import;
    if asks_webex && args.format == FlowFormat::Ui {
        bail!("--check and --import take FlowV2: leave --format out, or import the export in Flow Designer");
    }
    if asks_webex {
        section(settings)?;
    }
    let flow = flow(args, settings)?;
    if args.bodies {
        for (activity, rows) in flow.assignments() {
            writeln!(out, "{activity} (Set Variable)")?;
            for (variable, value) in rows {
                writeln!(out, "  {variable} = {value}")?;
            }
            writeln!(out)?;
        }
        for activity in flow.bodies() {
            print(&activity, out)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let document = match args.format {
        FlowFormat::V2 => flow.to_v2(),
        FlowFormat::Ui => flow.to_ui(&serde_json::from_str::<Value>(VENDORS)?)?,
    };
    let text = format!("{document:#}\n");
    let wrong = wrong(&document, &text, args.format, settings)?;
    if let Some(first) = wrong.first() {
        bail!("with these arguments the flow would not be right: {first}");
    }
    match &args.out {
        None if asks_webex => {}
        None => out.write_all(text.as_bytes())?,
        Some(file) => {
            save(file, &text)?;
            writeln!(out, "{} is written; nothing is wrong with it", file.display())?;
        }
    }
    if !asks_webex {
        return Ok(ExitCode::SUCCESS);
    }
    let open = Store::open_existing(settings.store.url.expose_secret());
    let is_taken = on_store(&settings.store.url, open, async |store| {
        at_webex(args, &document, settings, store, clock, out).await
    })?;
    Ok(if is_taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks Webex whether the flow is valid, and imports it if that is wanted; returns whether all of it went well.
async fn at_webex(
    args: &NewArgs,
    document: &Value,
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    out: &mut impl Write,
) -> anyhow::Result<bool> {
    let client = flow_client(settings, store, clock)?;
    let org_id = settings.webex.as_ref().and_then(|webex| webex.org_id.as_deref());
    let org_id = org_id
        .context("webex.org_id: is not set: the UUID of the organisation, in Control Hub under Account")?;
    let store = FlowStore::new(&client, org_id);
    let verdict = store.validate(document).await.map_err(of_flow_store)?;
    for (word, findings) in [("error", &verdict.errors), ("warning", &verdict.warnings)] {
        for finding in findings {
            let code = finding.code.as_deref().unwrap_or("-");
            let activity = finding.activity_name.as_deref().unwrap_or_default();
            let suggestion =
                finding.suggestion.as_deref().map(|words| format!("; {words}")).unwrap_or_default();
            writeln!(out, "{word:<8} {code:<7} {activity}: {}{suggestion}", finding.message)?;
        }
    }
    if !verdict.valid {
        writeln!(out, "Webex finds the flow not valid")?;
        return Ok(false);
    }
    writeln!(out, "Webex finds the flow valid")?;
    if !args.import {
        return Ok(true);
    }
    match store.import(document).await {
        Ok(draft) => {
            writeln!(
                out,
                "imported as a draft, id {}: look at it in Flow Designer, and publish it there",
                draft.id
            )?;
            Ok(true)
        }
        Err(WebexError::Refused { status: 409, .. }) => {
            bail!(
                "--name {}: Webex has a flow of this name, and it is left as it is; take another name",
                args.name
            )
        }
        Err(error) => Err(of_flow_store(error)),
    }
}

/// An error of the interface of flows, with the setting that leads there.
fn of_flow_store(error: WebexError) -> anyhow::Error {
    match error {
        WebexError::Refused { status: 404, words } => anyhow!(
            "webex.flow_store_url, webex.org_id: Webex knows no flows there ({words}); it must be the address of your region"
        ),
        other => anyhow!(other),
    }
}

/// What Webex would refuse, and what `flow check` finds.
fn wrong(
    document: &Value,
    text: &str,
    format: FlowFormat,
    settings: &Settings,
) -> anyhow::Result<Vec<String>> {
    let flow = read(text).map_err(|error| anyhow!("{error}"))?;
    let found = of_flow(&flow, &facts(&settings.deadlines));
    let mut wrong: Vec<String> = found
        .iter()
        .map(|finding| format!("{} {}: {}", finding.code, finding.activity, finding.evidence))
        .collect();
    if format == FlowFormat::V2 {
        let refused = rules::check(document);
        wrong.extend(refused.iter().map(|finding| format!("{} {}", finding.code, finding.message)));
    }
    Ok(wrong)
}

fn save(file: &Path, text: &str) -> anyhow::Result<()> {
    let created = OpenOptions::new().write(true).create_new(true).open(file);
    let written = created.and_then(|mut created| created.write_all(text.as_bytes()));
    written
        .with_context(|| format!("{} cannot be written; name a file that is not there yet", file.display()))
}

fn flow(args: &NewArgs, settings: &Settings) -> anyhow::Result<NewFlow> {
    let center = center(args.call_center.as_deref(), settings)?;
    let reference = |id: &Option<String>, name: &Option<String>| {
        let id = id.clone().unwrap_or_default();
        Reference { name: name.clone().unwrap_or_else(|| id.clone()), id }
    };
    let fallback = args.fallback_queue.is_some();
    let deadlines = &settings.deadlines;
    Ok(NewFlow {
        name: args.name.clone(),
        call_center: center.name.clone(),
        certificate: center.certificate.name().to_owned(),
        base_path: args.base_path.trim_end_matches('/').to_owned(),
        connector: reference(&args.connector, &args.connector_name),
        queue: reference(&args.queue, &args.queue_name),
        fallback_queue: fallback.then(|| reference(&args.fallback_queue, &args.fallback_queue_name)),
        omni_flow: args.omni_flow.clone().map(|name| OmniFlow {
            name,
            fallback_queue: args.omni_fallback_queue.clone(),
            input: Vec::new(),
        }),
        call_attributes: Vec::new(),
        deadlines: Deadlines {
            create_voice_call: deadlines.create_voice_call,
            execute_omni_flow: deadlines.execute_omni_flow,
            phone_contact_ended: deadlines.phone_contact_ended,
            agent_answered: deadlines.agent_answered,
        },
        retries: 1,
        music: args.music.clone(),
        has_media_stream: false,
        spelling: if args.old_names { Spelling::Old } else { Spelling::New },
    })
}

/// The contact center that is meant.
fn center<'s>(name: Option<&str>, settings: &'s Settings) -> anyhow::Result<&'s CallCenter> {
    let names = || settings.call_centers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => {
            let found = settings.call_centers.get(name);
            found.ok_or_else(|| anyhow!("--call-center {name}: the configuration has {}", names()))
        }
        None => match settings.call_centers.values().collect::<Vec<_>>().as_slice() {
            [only] => Ok(only),
            _ => bail!("--call-center is missing: the configuration has {}", names()),
        },
    }
}

fn print(activity: &PastedActivity, out: &mut impl Write) -> std::io::Result<()> {
    match &activity.event {
        None => writeln!(out, "{} (Main Flow)", activity.name)?,
        Some(event) => writeln!(out, "{} (Event Flows, {event})", activity.name)?,
    }
    writeln!(
        out,
        "  POST {}, Application/JSON, Response Timeout {} ms, retries {}",
        activity.path, activity.timeout_ms, activity.retries
    )?;
    for (variable, path) in &activity.outputs {
        writeln!(out, "  {variable} from {path}")?;
    }
    for edge in &activity.edges {
        writeln!(out, "  {} -> {}", edge.port, edge.to)?;
    }
    writeln!(out, "{}\n", activity.body)
}
