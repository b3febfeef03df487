//! `scv-bridge call show`: what happened to one call, on one page.
//!
//! It opens the service's own database beside the running service and changes nothing. No output holds a phone number.

mod report;
mod text;
mod why;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Subcommand;
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret as _;
use url::Url;

use super::given::{Given, shortened};
use super::running::Running;
use crate::clock::Clock;
use crate::domain::{CallReference, VendorCallKey, VoiceCallId};
use crate::settings::{Settings, Source, configuration_file};
use crate::store::Store;
use report::CallReport;

/// Look into one call.
#[derive(Debug, clap::Args)]
pub struct CallArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: CallCommand,
}

#[derive(Debug, Subcommand)]
enum CallCommand {
    /// Show its VoiceCalls, what the flow and Salesforce were asked and answered, what is still owed, and why.
    Show {
        /// The interaction id of Webex, the vendorCallKey, the id of the VoiceCall (15 or 18 characters), or its address in
        /// Salesforce.
        #[arg(value_name = "KEY|ID", value_parser = Given(names))]
        names: CallNames,
    },
}

/// What a text may mean, the likeliest first.
#[derive(Debug, Clone)]
pub struct CallNames {
    /// As it was given.
    given: String,
    names: Vec<CallReference>,
}

/// Where Salesforce shows records, in all its clouds: what hosts end with.
const HOSTS: [&str; 7] = [
    ".salesforce.com",
    ".force.com",
    ".salesforce.mil",
    ".crmforce.mil",
    ".salesforce-setup.com",
    ".sfcrmproducts.cn",
    ".sfcrmapps.cn",
];

/// The VoiceCall in the address of a record, as `https://x.lightning.force.com/lightning/r/VoiceCall/0LQ.../view`.
///
/// # Errors
/// When it is no address of Salesforce, or names no VoiceCall.
fn id_in_address(text: &str) -> Result<VoiceCallId, String> {
    let url = Url::parse(text).map_err(|error| format!("is no address: {error}"))?;
    let host = url.host_str().unwrap_or_default();
    if !HOSTS.iter().any(|end| host.ends_with(end)) {
        return Err(format!(
            "is an address on {}, which is none of Salesforce's: give that of the record there, such as https://NAME.lightning.force.com/lightning/r/VoiceCall/0LQ.../view, or its id alone",
            if host.is_empty() { "no host".to_owned() } else { shortened(host) }
        ));
    }
    let rest = [url.path(), url.query().unwrap_or_default(), url.fragment().unwrap_or_default()].join(" ");
    let rest = percent_decode_str(&rest).decode_utf8_lossy();
    let mut parts = rest.split(|c: char| !c.is_ascii_alphanumeric());
    parts.find_map(|part| VoiceCallId::parse(part).ok()).ok_or_else(|| {
        "holds no id of a VoiceCall: 15 or 18 letters and digits that begin with 0LQ".to_owned()
    })
}

/// Parses what an operator holds.
///
/// # Errors
/// When it can be no name of a call.
fn names(text: &str) -> Result<CallNames, String> {
    let given = text.trim();
    let reference = match given.contains("://") {
        true => CallReference::Id(id_in_address(given)?),
        false => CallReference::parse(given).map_err(|error| error.to_string())?,
    };
    // The id of an interaction is no key yet; a flow may make its keys in another way than the vendor's.
    let of_interaction = match &reference {
        CallReference::Key(key) if !given.starts_with("wxcc_") => {
            VendorCallKey::of_interaction(key.as_ref()).ok()
        }
        CallReference::Key(_) | CallReference::Id(_) => None,
    };
    let names = [Some(reference), of_interaction.map(CallReference::Key)];
    Ok(CallNames { given: given.to_owned(), names: names.into_iter().flatten().collect() })
}

/// Runs the command: 0 shown, 1 no such call.
///
/// # Errors
/// Every problem of `[store]`; the database is missing, of a newer version or does not answer; the output cannot be
/// written.
pub fn run(
    args: &CallArgs,
    environment: Vec<(String, String)>,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let CallCommand::Show { names } = &args.command;
    let file = configuration_file(args.config.clone(), &environment);
    let source = Source { file: Some(file), environment };
    let (place, _) = Settings::load_store(&source, clock)?;
    let operations = Settings::load_operations(&source, clock).ok();
    let running = Running::look_and_warn(operations)?;
    let open = Store::open_to_read(place.url.expose_secret());
    let report = super::on_store(&place.url, open, async |store| {
        Ok(CallReport::find(store, &names.names, &running, clock.now()).await?)
    })?;
    let Some(report) = report else {
        let searched: Vec<String> = names.names.iter().map(searched).collect();
        let searched = searched.join(" and ");
        if args.json {
            writeln!(out, "null")?;
        }
        return Err(anyhow!(
            "no call {}: searched for {searched}, in calls, Webex's tasks, exchanges and the outbox, as far back as [journal] keep reaches; what was refused before its contact center was known is in the log only",
            shortened(&super::redact::text(&names.given)),
        ));
    };
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string(&report)?)?,
        false => report.print(out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn searched(name: &CallReference) -> String {
    match name {
        CallReference::Id(id) => format!("the VoiceCall {id}"),
        CallReference::Key(key) => format!("the vendorCallKey {}", super::redact::text(key.as_ref())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        names(text).unwrap().names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whatever_an_operator_holds_names_the_call() {
        assert_eq!(read("wxcc_7b3c"), ["wxcc_7b3c"]);
        assert_eq!(read(" 7b3c1e7a-3f0e-4c50-a5f5-0d4f3c1f0a11 ").len(), 2);
        assert_eq!(read("7b3c"), ["7b3c", "wxcc_7b3c"]);
        assert_eq!(read("0LQ5g000000abcD"), ["0LQ5g000000abcD"]);
        let address = "https://acme.lightning.force.com/lightning/r/VoiceCall/0LQ5g000000abcDGAQ/view?x=1";
        assert_eq!(read(address), ["0LQ5g000000abcDGAQ"]);
        assert_eq!(read("https://acme.my.salesforce.com/0LQ5g000000abcD"), ["0LQ5g000000abcD"]);
        for wrong in ["", "wxcc_", "https://acme.my.salesforce.com/0035g000000abcD"] {
            names(wrong).unwrap_err();
        }
    }

    #[test]
    fn only_an_address_of_salesforce_is_one_of_a_record() {
        for host in ["acme.sandbox.lightning.force.com", "acme.my.salesforce.mil", "acme.vf.force.com:443"] {
            assert_eq!(read(&format!("https://{host}/lightning/r/VoiceCall/0LQ5g000000abcD/view")).len(), 1);
        }
        for host in ["force.com.example.com", "example.com", "notforce.com", "0LQ5g000000abcD"] {
            let told =
                names(&format!("https://{host}/lightning/r/VoiceCall/0LQ5g000000abcD/view")).unwrap_err();
            assert!(
                told.contains("which is none of Salesforce's") && told.contains(&host.to_lowercase()),
                "{told}"
            );
        }
        let beside = names("https://0LQ5g000000abcD@acme.my.salesforce.com/home").unwrap_err();
        assert!(beside.starts_with("holds no id of a VoiceCall"), "{beside}");
    }

    #[test]
    fn a_text_that_was_pasted_by_mistake_is_not_repeated_whole() {
        #[derive(Debug, clap::Parser)]
        struct CommandLine {
            #[command(flatten)]
            _args: CallArgs,
        }
        let pasted = "x y".repeat(5_000);
        let told = <CommandLine as clap::Parser>::try_parse_from(["call", "show", &pasted]).unwrap_err();
        let text = told.to_string();
        assert!(text.len() < 600 && text.contains("invalid value 'x yx y"), "{text}");
        assert_eq!(told.exit_code(), 2);
    }
}
