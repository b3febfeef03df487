//! `scv-bridge attributes`: which values arrived of a call, which fields took them, which were dropped and why.
//!
//! It opens the service's own database, beside the running service. No output holds a phone number.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::given::Given;
use crate::clock::Clock;
use crate::domain::{
    ArrivedField, AttributeLine, AttributeOutcome, AttributeReport, CallCenterName, CallName, CallReference,
    FlowTime, Interaction, ValuePath, VendorCallKey,
};
use crate::settings::{CallCenter, Settings};
use crate::store::{Detail, DetailKind, Store, StoreError};

/// Look at the fields of a VoiceCall that are filled from what the flow and Webex tell.
#[derive(Debug, clap::Args)]
pub struct AttributesArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: AttributesCommand,
}

#[derive(Debug, Subcommand)]
enum AttributesCommand {
    /// Show of a call which values arrived, which field took them, which were dropped and why.
    Explain {
        /// Its vendorCallKey, the interaction id of Webex, or the id of its VoiceCall.
        #[arg(value_parser = Given(reference))]
        key: CallReference,
        /// Look in this contact center only.
        #[arg(long, value_name = "NAME", value_parser = super::call_center)]
        call_center: Option<CallCenterName>,
    },
}

/// Runs the command: 0 done, 1 no such call.
///
/// # Errors
/// Every problem of the configuration; a contact center that is not configured; the database is missing or does not
/// answer; the output cannot be written.
pub fn run(
    args: &AttributesArgs,
    environment: Vec<(String, String)>,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let settings = super::settings(args.config.clone(), environment, clock)?;
    let open = Store::open_to_read(settings.store.url.expose_secret());
    let found =
        super::on_store(&settings.store.url, open, async |store| obey(args, &settings, store, out).await)?;
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the command; returns whether there was such a call.
async fn obey(
    args: &AttributesArgs,
    settings: &Settings,
    store: &Store,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let AttributesCommand::Explain { key, call_center } = &args.command;
    if let Some(center) = call_center
        && !settings.call_centers.contains_key(center.as_ref())
    {
        return Err(super::unknown(settings.call_centers.keys(), center.as_ref()));
    }
    let mut explained = Vec::new();
    for center in settings.call_centers.values() {
        let name = CallCenterName::parse(center.name.as_str())?;
        if call_center.as_ref().is_none_or(|only| *only == name) {
            for key in keys(store, &name, key).await? {
                explained.extend(Explained::of(store, center, &name, &key).await?);
            }
        }
    }
    if args.json {
        writeln!(out, "{}", serde_json::json!({ "calls": explained }))?;
    } else if explained.is_empty() {
        let hint = "the journal knows the calls of the last days only ([journal] keep)";
        writeln!(out, "no call {}: {hint}", super::redact::text(key.as_ref()))?;
    } else {
        for (at, call) in explained.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            call.print(out)?;
        }
    }
    Ok(!explained.is_empty())
}

/// The possible keys: a key, or an interaction id, is one without a lookup.
async fn keys(
    store: &Store,
    center: &CallCenterName,
    call: &CallReference,
) -> anyhow::Result<Vec<VendorCallKey>> {
    match call {
        CallReference::Id(_) => {
            let found = store.find(center, call).await?;
            Ok(found.map(|call| call.name.vendor_call_key().clone()).into_iter().collect())
        }
        CallReference::Key(key) => {
            let of_interaction = VendorCallKey::of_interaction(key.as_ref()).ok();
            Ok(std::iter::once(key.clone()).chain(of_interaction).collect())
        }
    }
}

fn reference(text: &str) -> Result<CallReference, String> {
    CallReference::parse(text).map_err(|error| error.to_string())
}

/// One VoiceCall. The fields are those of `--json`.
#[derive(Debug, Serialize)]
pub struct Explained {
    call_center: String,
    vendor_call_key: String,
    /// The call that it continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// When it began, if it is a later flow run of its interaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_began: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create: Option<ExplainedStage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#final: Option<ExplainedStage>,
    /// Values that arrived and that no field takes.
    unused: Vec<Unused>,
    /// Whether the contact center fills fields at all.
    #[serde(skip)]
    fills: bool,
}

/// The outcomes of the fields at the create, or at the final update.
#[derive(Debug, Serialize)]
struct ExplainedStage {
    at: String,
    fields: Vec<ExplainedField>,
}

/// A line, and what may be wrong with its path.
#[derive(Debug, Serialize)]
struct ExplainedField {
    #[serde(flatten)]
    line: AttributeLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived_as: Option<String>,
    /// Whether a value has arrived at its path after all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    arrived_since: bool,
}

#[derive(Debug, Serialize)]
struct Unused {
    from: String,
    path: String,
    what: String,
}

impl Explained {
    /// The VoiceCalls of a key in the order of their beginning; after them those of which only details are left.
    pub async fn of(
        store: &Store,
        center: &CallCenter,
        name: &CallCenterName,
        key: &VendorCallKey,
    ) -> Result<Vec<Self>, StoreError> {
        let details = store.details(name, key).await?;
        let interaction = store.interaction(name, &CallReference::Key(key.clone())).await?;
        let mut names: Vec<CallName> = interaction.calls().iter().map(|call| call.name.clone()).collect();
        for detail in details.iter().filter(|detail| !is_of_webhook(detail)) {
            let parent = (!detail.parent.is_empty()).then(|| CallReference::parse(detail.parent.as_str()));
            let Ok(parent) = parent.transpose() else { continue };
            let left = CallName::new(name.clone(), key.clone(), parent.as_ref());
            if !names.contains(&left) {
                names.push(left);
            }
        }
        Ok(names.iter().map(|call| Self::new(center, call, &interaction, &details)).collect())
    }

    fn new(center: &CallCenter, call: &CallName, interaction: &Interaction, details: &[Detail]) -> Self {
        let known = interaction.call(call);
        let id = known.and_then(|known| known.voice_call_id.as_ref());
        // The name of a later flow run holds its start time, and not the call that it continues.
        let parent = match call.run_began() {
            Some(_) => interaction
                .parent_of(call)
                .map(|parent| crate::cli::redact::text(parent.reference().as_ref())),
            None => (!call.is_plain()).then(|| crate::cli::redact::text(call.parent())),
        };
        let own: Vec<&Detail> = details.iter().filter(|detail| detail.is_of(call)).collect();
        let arrived: Vec<(&Detail, ArrivedField)> = own.iter().flat_map(|detail| arrived(detail)).collect();
        let stage = |kind| ExplainedStage::of(own.iter().rev().find(|detail| detail.kind == kind)?, &arrived);
        let (create, last) = (stage(DetailKind::AtCreate), stage(DetailKind::AtEnd));
        let mapped = |path: &str| center.attributes.iter().any(|attribute| attribute.path.inner() == path);
        let unused: BTreeSet<(&str, &str, &str)> = arrived
            .iter()
            .filter(|(_, arrived)| !mapped(&arrived.path))
            .map(|(detail, arrived)| (detail.source.as_str(), arrived.path.as_str(), arrived.what.as_str()))
            .collect();
        let unused = unused.into_iter().map(|(from, path, what)| Unused {
            from: from.to_owned(),
            path: path.to_owned(),
            what: what.to_owned(),
        });
        Self {
            call_center: crate::cli::redact::text(call.call_center().as_ref()),
            vendor_call_key: crate::cli::redact::text(call.vendor_call_key().as_ref()),
            parent,
            run_began: call.run_began().map(moment),
            voice_call_id: id.map(ToString::to_string),
            create,
            r#final: last,
            unused: unused.collect(),
            fills: center.keeps_attributes(),
        }
    }

    /// Prints its tables.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{} in {}", self.vendor_call_key, self.call_center)?;
        if let Some(id) = &self.voice_call_id {
            write!(out, ", VoiceCall {id}")?;
        }
        if let Some(began) = &self.run_began {
            write!(out, ", the flow run of {began}")?;
        }
        match &self.parent {
            Some(parent) => writeln!(out, ", continues {parent}")?,
            None => writeln!(out)?,
        }
        for (name, stage) in [("create", &self.create), ("final update", &self.r#final)] {
            match stage {
                Some(stage) => {
                    writeln!(out, "\n{name}, {}", stage.at)?;
                    let rows = stage.fields.iter().map(ExplainedField::cells);
                    super::print_table(out, ["field", "path", "value", "what became of it"], rows)?;
                }
                None if self.fills => writeln!(out, "\n{name}: none so far that fills fields")?,
                None => {}
            }
        }
        if !self.fills {
            let key = format!("call_centers.{}.attributes", self.call_center);
            return writeln!(out, "\nno fields are filled: {key} is empty");
        }
        if !self.unused.is_empty() {
            writeln!(out, "\narrived, and no field takes it")?;
            super::print_table(out, ["from", "path", "what"], self.unused_rows().into_iter())?;
        }
        Ok(())
    }
}

impl Explained {
    /// Values that no field takes: each of a request, and in one row those that all kinds of webhooks have alike.
    fn unused_rows(&self) -> Vec<[String; 3]> {
        let mut alike: BTreeMap<(bool, &str, &str, &str), Vec<&str>> = BTreeMap::new();
        for Unused { from, path, what } in &self.unused {
            let is_webhook = from.contains(':');
            let request = if is_webhook { "" } else { from };
            alike.entry((is_webhook, request, path, what)).or_default().push(from);
        }
        let row = |((_, _, path, what), from): ((bool, &str, &str, &str), Vec<&str>)| {
            let first = from.first().copied().unwrap_or_default();
            let from = match from.len() {
                0 | 1 => first.to_owned(),
                kinds => format!("{first} and {} more", kinds - 1),
            };
            [from, path.to_owned(), what.to_owned()]
        };
        alike.into_iter().map(row).collect()
    }
}

impl ExplainedStage {
    fn of(detail: &Detail, arrived: &[(&Detail, ArrivedField)]) -> Option<Self> {
        let report = AttributeReport::read(&detail.body)?;
        let explain = |line: AttributeLine| {
            let is_missing = matches!(line.outcome, AttributeOutcome::Missing | AttributeOutcome::NotYet);
            let path = line.path.as_deref().filter(|_| is_missing);
            let path = path.and_then(|path| ValuePath::parse(path).ok());
            let arrived_since = path.as_ref().is_some_and(|path| has_arrived(path, arrived));
            let arrived_as = path.filter(|_| !arrived_since).and_then(|path| meant(&path, arrived));
            ExplainedField { line, arrived_as, arrived_since }
        };
        let fields = report.lines.into_iter().map(explain).collect();
        Some(Self { at: moment(detail.at), fields })
    }
}

impl ExplainedField {
    fn cells(&self) -> [String; 4] {
        let AttributeLine { field, path, outcome, value } = &self.line;
        let what = match outcome {
            AttributeOutcome::Sent => "sent".to_owned(),
            AttributeOutcome::Inherited => "sent: inherited from the call it continues".to_owned(),
            AttributeOutcome::Unchanged => "sent at the create already".to_owned(),
            AttributeOutcome::NotYet => "not yet: nothing has arrived at this path".to_owned(),
            AttributeOutcome::Missing => "not sent: nothing has arrived at this path".to_owned(),
            AttributeOutcome::TooLong { length, limit } => format!(
                "not sent: {length} characters, the limit is {limit}; if the field takes more, raise attribute_length"
            ),
            AttributeOutcome::NotText => {
                "not sent: a list or an object; let the path go on to a value inside it".to_owned()
            }
            AttributeOutcome::TakenByFlow => "left: the flow's own callAttributes name the field".to_owned(),
            AttributeOutcome::NotMerged => {
                "not sent: callAttributes is no JSON object; look at what the flow sends as callAttributes"
                    .to_owned()
            }
        };
        let what = match &self.arrived_as {
            Some(path) => format!("{what}; it arrived as {path}"),
            None if self.arrived_since && *outcome == AttributeOutcome::NotYet => {
                format!("{what}; it came later")
            }
            None if self.arrived_since => {
                format!("{what}; it came later, or with another VoiceCall of this key")
            }
            None => what,
        };
        let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        [field.clone(), dash(path), dash(value), what]
    }
}

/// The path of a value that arrived in other capitals, or under the same name elsewhere, if there is only one.
fn meant(path: &ValuePath, arrived: &[(&Detail, ArrivedField)]) -> Option<String> {
    let (all, last) = (path.inner().to_lowercase(), path.last().to_lowercase());
    let full = |(detail, arrived): &(&Detail, ArrivedField)| {
        let root = if is_of_webhook(detail) { "data" } else { "request" };
        format!("{root}.{}", arrived.path)
    };
    let candidates = |fits: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
        let fitting = arrived.iter().filter(|(_, one)| one.what != "empty" && fits(&one.path.to_lowercase()));
        fitting.map(full).collect()
    };
    let mut found = candidates(&|path| path == all);
    if found.is_empty() {
        found = candidates(&|path| path.rsplit('.').next() == Some(last.as_str()));
    }
    if found.len() == 1 { found.pop_first() } else { None }
}

/// Whether a value has arrived at exactly that path.
fn has_arrived(path: &ValuePath, arrived: &[(&Detail, ArrivedField)]) -> bool {
    let fits =
        |detail: &Detail| if is_of_webhook(detail) { path.is_of_webhooks() } else { path.is_of_requests() };
    arrived.iter().any(|(detail, one)| fits(detail) && one.path == path.inner() && one.what != "empty")
}

fn is_of_webhook(detail: &Detail) -> bool {
    matches!(detail.kind, DetailKind::Webhook | DetailKind::Carried)
}

fn arrived(detail: &Detail) -> Vec<(&Detail, ArrivedField)> {
    if !matches!(detail.kind, DetailKind::Arrived | DetailKind::Carried) {
        return Vec::new();
    }
    let names: Vec<ArrivedField> = serde_json::from_str(detail.body.expose()).unwrap_or_default();
    names.into_iter().map(|arrived| (detail, arrived)).collect()
}

fn moment(at: Timestamp) -> String {
    FlowTime::new(at).to_string()
}
