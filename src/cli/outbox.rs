//! `scv-bridge outbox`: what still has to reach Salesforce, and what was given up.
//!
//! It opens the service's own database, beside the running service. It tells the service nothing: a worker finds
//! what has become due by itself. No output holds a phone number.

mod change;
mod entry;
pub(super) mod hide;
mod list;
mod select;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use self::change::{ChangeAction, EntryChange};
use self::select::EntrySelection;
use crate::clock::Clock;
use crate::domain::CallCenterName;
use crate::settings::Settings;
use crate::store::{EntryId, Filter, Store};

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
        #[arg(value_parser = select::id)]
        id: EntryId,
    },
    /// Make buried entries due now, as if never tried.
    Retry(EntryChange),
    /// Remove entries for good, pending ones too: what they ask never reaches Salesforce.
    Discard(EntryChange),
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
    let settings = super::settings(args.config.clone(), environment, clock)?;
    let open = Store::open_existing(settings.store.url.expose_secret());
    let found = super::on_store(&settings.store.url, open, async |store| {
        if let Some(center) = args.command.call_center() {
            known(&settings, store, center).await?;
        }
        obey(args, store, clock.now(), out).await
    })?;
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A contact center that has left the configuration can still have entries. One that has none is a mistake.
async fn known(settings: &Settings, store: &Store, center: &CallCenterName) -> anyhow::Result<()> {
    if settings.call_centers.contains_key(center.as_ref()) {
        return Ok(());
    }
    let filter = Filter { call_center: Some(center.clone()), limit: Some(1), ..Filter::default() };
    match store.list_all(&filter).await?.is_empty() {
        true => Err(super::unknown(settings, center.as_ref())),
        false => Ok(()),
    }
}

impl OutboxCommand {
    fn call_center(&self) -> Option<&CallCenterName> {
        match self {
            Self::List { select, .. } => select.call_center.as_ref(),
            Self::Show { .. } => None,
            Self::Retry(change) | Self::Discard(change) => change.call_center(),
        }
    }
}

/// Gives whether there was what was asked for.
async fn obey(args: &OutboxArgs, store: &Store, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<bool> {
    match &args.command {
        OutboxCommand::List { select, limit } => {
            let filter = Filter { limit: Some(*limit), ..select.filter(now) };
            let list = list::read(store, &filter, now).await?;
            if args.json {
                writeln!(out, "{}", serde_json::to_string(&list)?)?;
            } else {
                list.print(out)?;
            }
            // An empty outbox is in the best of orders.
            Ok(true)
        }
        OutboxCommand::Show { id } => {
            let filter = Filter { id: Some(*id), ..Filter::default() };
            let Some(entry) = store.list_all(&filter).await?.into_iter().next() else {
                let nothing = if args.json { "null".to_owned() } else { format!("no entry {}", id.0) };
                writeln!(out, "{nothing}")?;
                return Ok(false);
            };
            let shown = match entry {
                Ok(entry) => entry::EntryView::with_body(&entry, now),
                Err(unreadable) => entry::EntryView::of_unreadable(&unreadable, now),
            };
            if args.json {
                writeln!(out, "{}", serde_json::to_string(&shown)?)?;
            } else {
                shown.print(out)?;
            }
            Ok(true)
        }
        OutboxCommand::Retry(change) => change.run(ChangeAction::Retry, store, now, args.json, out).await,
        OutboxCommand::Discard(change) => change.run(ChangeAction::Discard, store, now, args.json, out).await,
    }
}
