//! `scv-bridge outbox`: requests that still have to reach Salesforce, and those that were given up.
//!
//! It opens the service's own database, beside the running service, and sends the service nothing: a worker finds by itself
//! whatever has become due. No output holds a phone number.

#[cfg(test)]
mod tests;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgGroup, Subcommand, ValueEnum};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

pub(super) use wait::Wait;

use super::running::Running;
use crate::clock::Clock;
use crate::domain::{CallCenterName, CallReference, cut};
use crate::settings::{Settings, Source, configuration_file, parse_duration};
use crate::store::{
    Count, Entry, EntryId, EntryKind, EntryState, Filter, Run, Store, StoreError, Unreadable,
};

/// Look at what still has to reach Salesforce; send what was buried again, or drop it.
#[derive(Debug, clap::Args)]
pub struct OutboxArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
enum OutboxCommand {
    /// List entries, the oldest first.
    List {
        #[command(flatten)]
        select: EntrySelection,
        /// Print at most so many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Show one entry with its body; phone numbers are masked.
    Show {
        /// The entry's number.
        #[arg(value_parser = entry_id)]
        id: EntryId,
    },
    /// Make buried entries due now, as if never tried.
    Retry {
        #[command(flatten)]
        change: EntryChange,
        /// Try waiting entries at once too, with the attempts and the age that they have.
        #[arg(long)]
        now: bool,
    },
    /// Remove entries for good, pending ones too: what they ask never reaches Salesforce.
    Discard {
        #[command(flatten)]
        change: EntryChange,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the command: 0 done, 1 nothing found.
///
/// # Errors
/// Every problem of the configuration; the database is missing or does not answer; the output cannot be written.
pub fn run(
    args: &OutboxArgs,
    environment: Vec<(String, String)>,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if args.command.asks() && !io::stdin().is_terminal() {
        writeln!(io::stderr(), "{UNASKED}")?;
        return Ok(ExitCode::from(2));
    }
    let file = configuration_file(args.config.clone(), &environment);
    let source = Source { file: Some(file), environment };
    let (place, names) = Settings::load_store(&source, clock)?;
    let operations = Settings::load_operations(&source, clock).ok();
    let (url, reads) = (place.url.expose_secret(), args.command.reads());
    let running = Running::look_and_warn(operations)?;
    // Who only looks changes nothing, not even the schema of a database of the version before.
    let open = async { if reads { Store::open_to_read(url).await } else { Store::open_existing(url).await } };
    let found = super::on_store(&place.url, open, async |store| {
        if let Some(center) = args.command.call_center() {
            known(&names, store, center).await?;
        }
        obey(args, (store, &running), clock.now(), out, &mut ask).await
    })?;
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is said where nobody can be asked.
const UNASKED: &str = "scv-bridge: error: `outbox discard` removes entries for good and asks before, but standard input is no terminal: add --yes, or --dry-run to see which entries they are";

/// Asks on standard error, so that the output stays what it is; only `y` and `yes` agree.
fn ask(question: &str) -> io::Result<bool> {
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// An error unless the contact center is configured, or still has entries after it has left the configuration.
async fn known(names: &BTreeSet<String>, store: &Store, center: &CallCenterName) -> anyhow::Result<()> {
    if names.contains(center.as_ref()) {
        return Ok(());
    }
    let filter = Filter { call_center: Some(center.clone()), limit: Some(1), ..Filter::default() };
    match store.list_all(&filter).await?.is_empty() {
        true => Err(super::unknown(names.iter(), center.as_ref())),
        false => Ok(()),
    }
}

impl OutboxCommand {
    /// Whether it only looks.
    fn reads(&self) -> bool {
        match self {
            Self::List { .. } | Self::Show { .. } => true,
            Self::Retry { change, .. } | Self::Discard { change, .. } => change.dry_run,
        }
    }

    fn call_center(&self) -> Option<&CallCenterName> {
        match self {
            Self::List { select, .. } => select.call_center.as_ref(),
            Self::Show { .. } => None,
            Self::Retry { change, .. } | Self::Discard { change, .. } => change.call_center(),
        }
    }

    /// Whether it asks before it does something.
    fn asks(&self) -> bool {
        matches!(self, Self::Discard { change: EntryChange { dry_run: false, .. }, yes: false })
    }
}

/// Runs the command; returns whether there was such an entry.
///
/// `ask` is asked the question before entries are removed.
async fn obey(
    args: &OutboxArgs,
    (store, running): (&Store, &Running),
    now: Timestamp,
    out: &mut dyn Write,
    ask: &mut dyn FnMut(&str) -> io::Result<bool>,
) -> anyhow::Result<bool> {
    match &args.command {
        OutboxCommand::List { select, limit } => {
            let filter = Filter { limit: Some(*limit), ..select.filter(now) };
            let list = read_list(store, &filter, running, now).await?;
            if args.json {
                writeln!(out, "{}", serde_json::to_string(&list)?)?;
            } else {
                list.print(out)?;
            }
            // An empty outbox is no failure.
            Ok(true)
        }
        OutboxCommand::Show { id } => {
            let filter = Filter { id: Some(*id), ..Filter::default() };
            let Some(entry) = store.list_all(&filter).await?.into_iter().next() else {
                let nothing = if args.json {
                    "null".to_owned()
                } else {
                    format!(
                        "no entry {}: what was delivered or discarded is removed; scv-bridge call show KEY tells what became of a call",
                        id.0
                    )
                };
                writeln!(out, "{nothing}")?;
                return Ok(false);
            };
            let shown = match entry {
                Ok(entry) => {
                    let waits = waits(store, std::slice::from_ref(&entry), running, now).await?;
                    EntryView::with_body(&entry, now).waiting(&waits)
                }
                Err(unreadable) => EntryView::of_unreadable(&unreadable, now),
            };
            if args.json {
                writeln!(out, "{}", serde_json::to_string(&shown)?)?;
            } else {
                shown.print(out)?;
                if let Some(note) = running.nobody_sends().filter(|_| shown.next_at.is_some()) {
                    writeln!(out, "\n{note}")?;
                }
            }
            Ok(true)
        }
        OutboxCommand::Retry { change, now: hurries } => {
            let action = if *hurries { ChangeAction::Hurry } else { ChangeAction::Retry };
            change.run(action, change.filters(now), (store, running), now, args.json, out).await
        }
        OutboxCommand::Discard { change, .. } => {
            let mut filters = change.filters(now);
            if args.command.asks() && !agreed(&mut filters, store, now, ask).await? {
                filters.clear();
            }
            change.run(ChangeAction::Discard, filters, (store, running), now, args.json, out).await
        }
    }
}

/// Whether these entries are to be removed, as somebody says who was told how many there are. The filters then leave out
/// what comes in while the answer is awaited.
async fn agreed(
    filters: &mut [Filter],
    store: &Store,
    now: Timestamp,
    ask: &mut dyn FnMut(&str) -> io::Result<bool>,
) -> anyhow::Result<bool> {
    let mut entries = 0;
    for filter in filters.iter_mut() {
        filter.older_than = filter.older_than.or(now.checked_add(Duration::from_millis(1)).ok());
        entries += store.discard(filter, Run::Dry).await?.len();
    }
    let noun = if entries == 1 { "entry" } else { "entries" };
    // Where there is nothing, the report says so.
    Ok(entries == 0
        || ask(&format!("Remove {entries} {noun} for good? What they ask never reaches Salesforce."))?)
}

/// Narrows to entries that fit everything given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct EntrySelection {
    /// In this state.
    #[arg(long)]
    pub state: Option<StateFilter>,
    /// Of this contact center.
    #[arg(long, value_name = "NAME", value_parser = super::call_center)]
    pub call_center: Option<CallCenterName>,
    /// Asking this of Salesforce.
    #[arg(long)]
    pub kind: Option<KindFilter>,
    /// Put in longer ago than this: 90s, 15m, 2h, 3d.
    #[arg(long, value_name = "AGE", value_parser = parse_duration)]
    pub older_than: Option<Duration>,
    /// Of callers who are gone and whose routing is not cleared, as `status` counts them.
    #[arg(long)]
    pub not_cleared: bool,
    /// With this text in the reason or in Salesforce's last words; capitals do not count.
    #[arg(long, value_name = "TEXT")]
    pub words: Option<String>,
}

/// The state of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateFilter {
    /// Still tried.
    Pending,
    /// Given up, or refused for good.
    Buried,
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindFilter {
    /// A VoiceCall that could not be created in time.
    Create,
    /// No more pending routing.
    Clear,
    /// Fields of a VoiceCall.
    Update,
    /// No more pending routing, where Salesforce may have made it after its caller was gone.
    LateClear,
}

impl EntrySelection {
    /// The filter of the store.
    pub fn filter(&self, now: Timestamp) -> Filter {
        Filter {
            state: self.state.map(|state| match state {
                StateFilter::Pending => EntryState::Pending,
                StateFilter::Buried => EntryState::Buried,
            }),
            call_center: self.call_center.clone(),
            kind: self.kind.map(|kind| match kind {
                KindFilter::Create => EntryKind::Create,
                KindFilter::Clear => EntryKind::Clear,
                KindFilter::Update => EntryKind::Update,
                KindFilter::LateClear => EntryKind::LateClear,
            }),
            // No entry is older than that.
            older_than: self.older_than.map(|age| now.checked_sub(age).unwrap_or(Timestamp::MIN)),
            not_cleared: self.not_cleared,
            words: self.words.clone(),
            ..Filter::default()
        }
    }
}

/// Parses the number of an entry.
pub fn entry_id(text: &str) -> Result<EntryId, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(EntryId(number)),
        _ => Err("is no number of an entry: `outbox list` shows them".to_owned()),
    }
}

/// The entries of a filter, the oldest of them in full.
#[derive(Debug, Default, Serialize)]
pub struct EntryList {
    /// How many there are.
    pub total: usize,
    entries: Vec<EntryView>,
    /// Where nobody sends what waits.
    #[serde(skip)]
    note: Option<&'static str>,
}

/// Reads as many entries as the filter allows, and counts all of them.
async fn read_list(
    store: &Store,
    filter: &Filter,
    running: &Running,
    now: Timestamp,
) -> Result<EntryList, StoreError> {
    let total = store.discard(&Filter { limit: None, ..filter.clone() }, Run::Dry).await?.len();
    let entries = views(store, &store.list_all(filter).await?, running, now).await?;
    let waits = entries.iter().any(|entry| entry.next_at.is_some());
    let note = running.nobody_sends().filter(|_| waits);
    Ok(EntryList { total, entries, note })
}

/// Entries as they are shown, with what each waits for.
async fn views(
    store: &Store,
    entries: &[Result<Entry, Box<Unreadable>>],
    running: &Running,
    now: Timestamp,
) -> Result<Vec<EntryView>, StoreError> {
    let readable: Vec<Entry> = entries.iter().filter_map(|entry| entry.as_ref().ok().cloned()).collect();
    let waits = waits(store, &readable, running, now).await?;
    let shown = |entry: &Result<Entry, Box<Unreadable>>| match entry {
        Ok(entry) => EntryView::of(entry, now).waiting(&waits),
        Err(unreadable) => EntryView::of_unreadable(unreadable, now),
    };
    Ok(entries.iter().map(shown).collect())
}

/// What each of these entries waits for besides its time.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn waits(
    store: &Store,
    entries: &[Entry],
    running: &Running,
    now: Timestamp,
) -> Result<BTreeMap<i64, Wait>, StoreError> {
    let ids: Vec<EntryId> = entries.iter().map(|entry| entry.id).collect();
    let ahead = store.ahead_of(&ids).await?;
    let wait =
        |entry: &Entry| Some((entry.id.0, Wait::of(entry, ahead.get(&entry.id).copied(), running, now)?));
    Ok(entries.iter().filter_map(wait).collect())
}

impl EntryList {
    /// Prints a table.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.total {
            0 => writeln!(out, "no entries"),
            total => print_entries(&self.entries, total, out),
        }?;
        self.note.map_or(Ok(()), |note| writeln!(out, "{note}"))
    }
}

/// Prints a table of the oldest of so many entries.
fn print_entries(entries: &[EntryView], total: usize, out: &mut dyn Write) -> io::Result<()> {
    super::print_table(out, EntryView::HEAD, entries.iter().map(EntryView::cells))?;
    if entries.len() < total {
        writeln!(out, "{} of {total} entries, the oldest", entries.len())?;
    }
    Ok(())
}

/// The longest last column of the table, in characters; alone, an entry is printed in full.
const LONGEST_CELL: usize = 100;

/// An entry without anything that must not be shown. The fields are those of `--json`.
#[derive(Debug, Serialize)]
pub struct EntryView {
    id: i64,
    state: String,
    kind: String,
    /// Whether it is the last update of its call.
    r#final: bool,
    call_center: String,
    vendor_call_key: Option<String>,
    voice_call_id: Option<String>,
    /// None where it cannot be read.
    #[serde(serialize_with = "optional_time")]
    created_at: Option<Timestamp>,
    attempts: u32,
    /// When it is tried again; none when it is buried.
    #[serde(serialize_with = "optional_time")]
    next_at: Option<Timestamp>,
    /// Until when a worker owns it; none when no worker does.
    #[serde(serialize_with = "optional_time")]
    lease_until: Option<Timestamp>,
    /// What it waits for besides that.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<Wait>,
    #[serde(serialize_with = "optional_time")]
    buried_at: Option<Timestamp>,
    reason: Option<String>,
    words: Option<String>,
    /// Why this version cannot read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(skip)]
    now: Timestamp,
}

impl EntryView {
    /// An entry of a list.
    pub fn of(entry: &Entry, now: Timestamp) -> Self {
        let pending = entry.state == EntryState::Pending;
        let (vendor_call_key, voice_call_id) = names(entry);
        Self {
            id: entry.id.0,
            state: state(entry.state).to_owned(),
            kind: kind(entry.kind).to_owned(),
            r#final: entry.is_final,
            call_center: crate::cli::redact::text(entry.call_center.as_ref()),
            vendor_call_key: vendor_call_key.as_deref().map(crate::cli::redact::text),
            voice_call_id,
            created_at: Some(entry.created_at),
            attempts: entry.attempts,
            next_at: pending.then_some(entry.next_at),
            lease_until: entry.lease_until.filter(|until| pending && *until > now),
            waits_for: None,
            buried_at: entry.buried_at,
            reason: entry.reason.as_deref().map(crate::cli::redact::text),
            words: entry.last_words.as_deref().map(crate::cli::redact::text),
            problem: None,
            body: None,
            now,
        }
    }

    /// An entry that this version cannot parse.
    pub fn of_unreadable(entry: &Unreadable, now: Timestamp) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(crate::cli::redact::text);
        let or_unknown = |value: &Option<String>| text(value).unwrap_or_else(|| String::from("?"));
        Self {
            id: entry.id.0,
            state: or_unknown(&entry.state),
            kind: or_unknown(&entry.kind),
            r#final: false,
            call_center: or_unknown(&entry.call_center),
            vendor_call_key: None,
            voice_call_id: None,
            created_at: entry.created_at,
            attempts: entry.attempts.unwrap_or_default(),
            next_at: None,
            lease_until: None,
            waits_for: None,
            buried_at: None,
            reason: text(&entry.reason),
            words: text(&entry.last_words),
            problem: Some(entry.problem),
            body: None,
            now,
        }
    }

    /// A single entry, with its body.
    pub fn with_body(entry: &Entry, now: Timestamp) -> Self {
        Self { body: Some(crate::cli::redact::body(entry.body.expose())), ..Self::of(entry, now) }
    }

    /// The cells of its row in the table, under [`EntryView::HEAD`].
    pub fn cells(&self) -> [String; 9] {
        let call = self.vendor_call_key.as_ref().or(self.voice_call_id.as_ref());
        // An entry that is buried because of its problem has it as Salesforce's words.
        let problem = self.problem.filter(|problem| self.words.as_deref() != Some(problem));
        let words = [self.reason.as_deref(), self.words.as_deref(), problem];
        [
            self.id.to_string(),
            self.state.clone(),
            self.kind.clone(),
            self.call_center.clone(),
            call.cloned().unwrap_or_default(),
            self.created_at.map(|at| duration(at, self.now)).unwrap_or_default(),
            self.attempts.to_string(),
            self.next(),
            cut(words.into_iter().flatten().collect::<Vec<_>>().join(": "), LONGEST_CELL),
        ]
    }

    /// The head of the table.
    pub const HEAD: [&'static str; 9] =
        ["id", "state", "kind", "contact center", "call", "age", "attempts", "next try", "reason and words"];

    /// Prints all of it, a line for each field.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let when = |at: Timestamp| format!("{at} ({} ago)", duration(at, self.now));
        let kind = format!("{}{}", self.kind, if self.r#final { ", the final one of its call" } else { "" });
        for (name, value) in [
            ("id", Some(self.id.to_string())),
            ("state", Some(self.state.clone())),
            ("kind", Some(kind)),
            ("contact center", Some(self.call_center.clone())),
            ("vendorCallKey", self.vendor_call_key.clone()),
            ("voiceCallId", self.voice_call_id.clone()),
            ("put in", self.created_at.map(when)),
            ("attempts", Some(self.attempts.to_string())),
            ("next try", self.next_at.map(|_| self.next_in_full())),
            ("buried", self.buried_at.map(when)),
            ("reason", self.reason.clone()),
            ("words", self.words.clone()),
            ("problem", self.problem.map(str::to_owned)),
        ] {
            if let Some(value) = value {
                writeln!(out, "{name:<16}{value}")?;
            }
        }
        match &self.body {
            Some(body) => writeln!(out, "\n{body:#}"),
            None => Ok(()),
        }
    }

    /// With what it waits for, as [`waits`] has found it.
    pub(super) fn waiting(self, waits: &BTreeMap<i64, Wait>) -> Self {
        Self { waits_for: waits.get(&self.id).cloned(), ..self }
    }

    fn next_in_full(&self) -> String {
        self.waits_for.as_ref().map_or_else(|| self.next(), |wait| wait.words(self.now))
    }

    fn next(&self) -> String {
        if let Some(wait) = &self.waits_for {
            return wait.cell(self.now);
        }
        match (self.lease_until, self.next_at) {
            (Some(_), _) => "under way".to_owned(),
            (None, Some(at)) if at > self.now => format!("in {}", ahead(self.now, at)),
            (None, Some(_)) => "now".to_owned(),
            (None, None) => "-".to_owned(),
        }
    }
}

fn state(state: EntryState) -> &'static str {
    match state {
        EntryState::Pending => "pending",
        EntryState::Buried => "buried",
    }
}

pub(super) fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Create => "create",
        EntryKind::Clear => "clear",
        EntryKind::Update => "update",
        EntryKind::LateClear => "late-clear",
    }
}

/// Key and id of the call: from the journal, or for an unknown call from the request itself.
fn names(entry: &Entry) -> (Option<String>, Option<String>) {
    if let Some(call) = &entry.call {
        let id = call.voice_call_id.as_ref().map(ToString::to_string);
        return (Some(call.name.vendor_call_key().to_string()), id);
    }
    let body: Value = serde_json::from_str(entry.body.expose()).unwrap_or_default();
    match body.get("call").and_then(Value::as_str).map(CallReference::parse) {
        Some(Ok(CallReference::Id(id))) => (None, Some(id.to_string())),
        Some(Ok(CallReference::Key(key))) => (Some(key.to_string()), None),
        _ => (None, None),
    }
}

fn optional_time<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

/// The time between two moments, in its two largest units.
pub(super) fn duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// The time until a moment that is still to come, as [`duration`] and no less than a second.
pub(super) fn ahead(now: Timestamp, at: Timestamp) -> String {
    duration(now, at.checked_add(Duration::from_millis(999)).unwrap_or(at))
}

/// How many entries a dry run prints.
const PRINTED: usize = 50;

/// Which entries to change: by number, by filter, or all.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true)
    .args(["ids", "state", "call_center", "kind", "older_than", "not_cleared", "words", "all"])))]
pub struct EntryChange {
    /// These entries.
    #[arg(value_name = "ID", value_parser = entry_id,
        conflicts_with_all = ["state", "call_center", "kind", "older_than", "not_cleared", "words", "all"])]
    ids: Vec<EntryId>,
    #[command(flatten)]
    select: EntrySelection,
    /// All of them: needed where nothing narrows.
    #[arg(long, conflicts_with_all = ["state", "call_center", "kind", "older_than", "not_cleared", "words"])]
    all: bool,
    /// Change nothing; print what would be changed.
    #[arg(long)]
    dry_run: bool,
}

/// The change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeAction {
    /// Buried ones are due now.
    Retry,
    /// Buried ones and waiting ones are due now.
    Hurry,
    /// They are removed.
    Discard,
}

/// A number whose entry could not be changed.
#[derive(Debug, Serialize)]
struct ChangeProblem {
    id: i64,
    problem: &'static str,
}

/// Entries of a filter that wait and are left as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct LeftAlone {
    /// Tried again by themselves.
    #[serde(skip_serializing_if = "is_zero")]
    waiting: usize,
    /// Due already: they wait for their turn, an earlier entry of their call or the breaker.
    #[serde(skip_serializing_if = "is_zero")]
    due_already: usize,
    /// Late clears, which wait on purpose.
    #[serde(skip_serializing_if = "is_zero")]
    late_clears: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl LeftAlone {
    fn and(self, other: Self) -> Self {
        Self {
            waiting: self.waiting + other.waiting,
            due_already: self.due_already + other.due_already,
            late_clears: self.late_clears + other.late_clears,
        }
    }
}

#[derive(Debug, Serialize)]
struct ChangeReport {
    dry_run: bool,
    /// How many were changed, or would be.
    entries: usize,
    /// Which.
    ids: Vec<i64>,
    problems: Vec<ChangeProblem>,
    #[serde(flatten)]
    left: LeftAlone,
    /// In a dry run, the oldest of them as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<Vec<EntryView>>,
}

impl ChangeReport {
    fn print(&self, action: ChangeAction, kept: Vec<String>, out: &mut dyn Write) -> io::Result<()> {
        if let Some(listed) = self.listed.as_ref().filter(|listed| !listed.is_empty()) {
            print_entries(listed, self.entries, out)?;
        }
        for ChangeProblem { id, problem } in &self.problems {
            writeln!(out, "{id}: {problem}")?;
        }
        writeln!(out, "{} {}", self.entries, action.outcome(self.dry_run))?;
        for hint in action.hints(self.entries, self.left).into_iter().chain(kept) {
            writeln!(out, "{hint}")?;
        }
        Ok(())
    }
}

/// What keeps entries of these contact centers that are due from being tried.
fn kept_from(running: &Running, centers: &BTreeSet<String>) -> Vec<String> {
    if let Some(note) = running.nobody_sends().filter(|_| !centers.is_empty()) {
        return vec![note.to_owned()];
    }
    let held = running.held.iter().filter(|(center, _)| centers.contains(*center));
    let told = held.map(|(center, until)| match until {
        Some(until) => format!(
            "the breaker of {center} is open until {until:.0}: what is due there is tried after that, not at once"
        ),
        None => {
            format!("the breaker of {center} is half-open: what is due there is tried once Salesforce is back")
        }
    });
    told.collect()
}

impl EntryChange {
    /// The contact center that it is narrowed to.
    pub fn call_center(&self) -> Option<&CallCenterName> {
        self.select.call_center.as_ref()
    }

    /// Changes the entries and prints how many. Returns whether all named entries were there, or any for a filter.
    pub(super) async fn run(
        &self,
        action: ChangeAction,
        filters: Vec<Filter>,
        (store, running): (&Store, &Running),
        now: Timestamp,
        json: bool,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let (mut changed, mut problems, mut left) = (Vec::new(), Vec::new(), LeftAlone::default());
        for filter in filters {
            left = left.and(action.left_alone(store, &filter, now).await?);
            let ids = action.run(store, &filter, now, self.dry_run).await?;
            if let (true, Some(id)) = (ids.is_empty(), filter.id) {
                problems.push(ChangeProblem { id: id.0, problem: action.reason(store, id).await? });
            }
            changed.extend(ids);
        }
        changed.sort_unstable();
        let listed = match self.dry_run {
            true => {
                let oldest: Vec<EntryId> = changed.iter().take(PRINTED).copied().collect();
                Some(views(store, &store.list_these(&oldest).await?, running, now).await?)
            }
            false => None,
        };
        let ids: Vec<i64> = changed.iter().map(|id| id.0).collect();
        let report = ChangeReport { dry_run: self.dry_run, entries: ids.len(), ids, problems, left, listed };
        match json {
            true => writeln!(out, "{}", serde_json::to_string(&report)?)?,
            false => {
                let kept = match action {
                    ChangeAction::Discard => Vec::new(),
                    ChangeAction::Retry | ChangeAction::Hurry => {
                        kept_from(running, &self.pending_centers(store).await?)
                    }
                };
                report.print(action, kept, out)?;
            }
        }
        Ok(report.entries > 0 && report.problems.is_empty())
    }

    /// The contact centers that something waits for, of those that are meant.
    async fn pending_centers(&self, store: &Store) -> Result<BTreeSet<String>, StoreError> {
        let counts = store.count().await?.into_iter();
        let is_meant = |count: &Count| {
            let is_of_center =
                self.select.call_center.as_ref().is_none_or(|center| *center == count.call_center);
            count.state == EntryState::Pending && is_of_center
        };
        Ok(counts.filter(is_meant).map(|count| count.call_center.to_string()).collect())
    }

    fn filters(&self, now: Timestamp) -> Vec<Filter> {
        if self.ids.is_empty() {
            return vec![self.select.filter(now)];
        }
        self.ids.iter().map(|id| Filter { id: Some(*id), ..Filter::default() }).collect()
    }
}

impl ChangeAction {
    async fn run(
        self,
        store: &Store,
        filter: &Filter,
        now: Timestamp,
        dry: bool,
    ) -> Result<Vec<EntryId>, StoreError> {
        let run = if dry { Run::Dry } else { Run::Real };
        match self {
            Self::Retry => store.retry(filter, now, run).await,
            Self::Hurry => {
                // Waiting ones first: what is put back is due already.
                let mut ids = store.hurry(filter, now, run).await?;
                ids.extend(store.retry(filter, now, run).await?);
                ids.sort_unstable();
                Ok(ids)
            }
            Self::Discard => store.discard(filter, run).await,
        }
    }

    /// Which entries of a filter wait and are left as they are: those that only a retry leaves alone, and those that cannot be
    /// made due because they are, or wait on purpose.
    async fn left_alone(
        self,
        store: &Store,
        filter: &Filter,
        now: Timestamp,
    ) -> Result<LeftAlone, StoreError> {
        // Of an entry that is named, its problem tells.
        let is_named = filter.id.is_some();
        if self == Self::Discard || is_named || filter.state == Some(EntryState::Buried) {
            return Ok(LeftAlone::default());
        }
        let filter = Filter { state: Some(EntryState::Pending), ..filter.clone() };
        let waiting = store.discard(&filter, Run::Dry).await?;
        let hurried: BTreeSet<EntryId> = store.hurry(&filter, now, Run::Dry).await?.into_iter().collect();
        let left: BTreeSet<EntryId> = waiting.into_iter().filter(|id| !hurried.contains(id)).collect();
        let late = match filter.kind {
            None | Some(EntryKind::LateClear) => {
                let late = Filter { kind: Some(EntryKind::LateClear), ..filter };
                store.list(&late).await?
            }
            Some(_) => Vec::new(),
        };
        let late = late.iter().filter(|entry| entry.waits_on_purpose());
        let late_clears = late.filter(|entry| left.contains(&entry.id)).count();
        let waiting = if self == Self::Retry { hurried.len() } else { 0 };
        Ok(LeftAlone { waiting, due_already: left.len() - late_clears, late_clears })
    }

    /// What an operator is told of entries that are left as they are.
    fn hints(self, changed: usize, left: LeftAlone) -> Vec<String> {
        let mut hints = Vec::new();
        match left.waiting {
            0 => {}
            // Who has put something back did not look for these.
            _ if changed > 0 => {}
            1 => hints.push("1 pending entry is tried again by itself; --now makes it due".to_owned()),
            several => hints.push(format!(
                "{several} pending entries are tried again by themselves; --now makes them due"
            )),
        }
        let [one, more] = match changed + left.waiting {
            0 => ["pending entry", "pending entries"],
            _ => ["more", "more"],
        };
        match left.due_already {
            0 => {}
            1 => hints.push(format!(
                "1 {one} is due already, and tried when its turn comes: `outbox list` tells what it waits for"
            )),
            several => hints.push(format!(
                "{several} {more} are due already, and tried when their turn comes: `outbox list` tells what each waits for"
            )),
        }
        if left.late_clears > 0 {
            let count = left.late_clears;
            hints.push(format!("late clears that wait on purpose, and are left so: {count}"));
        }
        hints
    }

    fn outcome(self, dry: bool) -> &'static str {
        match (self, dry) {
            (Self::Retry, false) => "put back, sent when its turn comes",
            (Self::Retry, true) => "would be put back (dry run)",
            (Self::Hurry, false) => "due now",
            (Self::Hurry, true) => "would be due now (dry run)",
            (Self::Discard, false) => "discarded",
            (Self::Discard, true) => "would be discarded (dry run)",
        }
    }

    /// Why an entry could not be changed.
    async fn reason(self, store: &Store, id: EntryId) -> Result<&'static str, StoreError> {
        let filter = Filter { id: Some(id), ..Filter::default() };
        Ok(match store.list_all(&filter).await?.into_iter().next() {
            None => "no such entry",
            Some(Ok(entry)) if entry.state == EntryState::Pending => match self {
                Self::Hurry if entry.waits_on_purpose() => {
                    "a late clear that waits on purpose: until then Salesforce may still route the call"
                }
                Self::Hurry => "due already: it is tried when its turn comes",
                Self::Retry | Self::Discard => {
                    "still pending: it is tried again by itself; --now makes it due"
                }
            },
            Some(Err(unreadable)) if unreadable.state.as_deref() == Some("pending") => unreadable.problem,
            Some(_) => "changed by somebody else meanwhile",
        })
    }
}
