//! `scv-bridge attributes`: which values arrived of a call, which fields took them, which were dropped and why.
//!
//! It opens the service's own database, beside the running service. No output holds a phone number.

mod explain;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use secrecy::ExposeSecret as _;

use self::explain::Explained;
use super::outbox::hide;
use crate::clock::Clock;
use crate::domain::{CallCenterName, CallReference, VendorCallKey};
use crate::settings::Settings;
use crate::store::Store;

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
        #[arg(value_parser = reference)]
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
    let open = Store::open_existing(settings.store.url.expose_secret());
    let found =
        super::on_store(&settings.store.url, open, async |store| obey(args, &settings, store, out).await)?;
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Gives whether there was what was asked for.
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
        return Err(super::unknown(settings, center.as_ref()));
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
        writeln!(out, "no call {}: {hint}", hide::text(key.as_ref()))?;
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

/// The keys that may be meant: a key, or an interaction id, is one without looking.
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
