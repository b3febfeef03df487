//! The command line: a file per command.

pub mod attributes;
pub mod call;
pub mod certificate;
pub mod check;
pub mod completions;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod doctor;
pub mod flow;
mod given;
pub mod healthcheck;
#[cfg(feature = "demo")]
pub mod mock_salesforce;
#[cfg(feature = "demo")]
pub mod mock_webex;
#[cfg(feature = "demo")]
mod mocks;
pub mod outbox;
pub mod reconcile;
mod redact;
mod running;
pub mod secret;
pub mod serve;
pub mod simulate;
pub mod status;
pub mod translate;
pub mod webex;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use clap::{CommandFactory as _, Parser, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};

use crate::clock::{Clock, SystemClock};
use crate::domain::{CallCenterName, printable};
use crate::phone::Translation;
use crate::settings::{Settings, Source, configuration_file, nearest};
use crate::store::{Store, StoreError, place};

/// Between Webex Contact Center flows and Salesforce Service Cloud Voice.
///
/// Exit status: 0 done, 1 the thing checked is not in order, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "scv-bridge", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Run the service.
    Serve(serve::ServeArgs),
    /// Play the vendor's flow against a mock Salesforce org, all on this machine; needs no configuration.
    #[cfg(feature = "demo")]
    Demo(demo::DemoArgs),
    /// Read the configuration and all it names; print every problem, or a summary.
    Check(check::CheckArgs),
    /// Ask files, database, network, Salesforce and Webex whether the set-up works; say what is wrong and what to do.
    Doctor(doctor::DoctorArgs),
    /// Print every setting with its default, or a configuration to begin with.
    Config(config::ConfigArgs),
    /// Show what translation rules make of a number, or check a table of numbers.
    Translate(translate::TranslateArgs),
    /// Look at flows of Webex: what is wrong in one, what differs, what an expression gives; write a right one.
    Flow(flow::FlowArgs),
    /// Play a flow of Webex as Webex would, and say what is wrong in it.
    Simulate(Box<simulate::SimulateArgs>),
    /// Make a key and certificate for Salesforce, or show what a certificate says.
    Certificate(certificate::CertificateArgs),
    /// Make a random secret for a client of the bridge.
    Secret(secret::SecretArgs),
    /// Show what happened to one call, and why.
    Call(call::CallArgs),
    /// Look at what still has to reach Salesforce; send what was buried again, or drop it.
    Outbox(outbox::OutboxArgs),
    /// Show which fields of a VoiceCall were filled with what, and why others were not.
    Attributes(attributes::AttributesArgs),
    /// Log in to Webex once, and subscribe to its webhooks.
    Webex(webex::WebexArgs),
    /// Compare a range of the past with Webex's records, and close what is open.
    Reconcile(reconcile::ReconcileArgs),
    /// Run the mock Salesforce org alone.
    #[cfg(feature = "demo")]
    MockSalesforce(mock_salesforce::MockSalesforceArgs),
    /// Run the mock Webex tenant alone.
    #[cfg(feature = "demo")]
    MockWebex(mock_webex::MockWebexArgs),
    /// Show on one page how the running service is: Salesforce, the breaker, what is owed, subscriptions, what ends soon.
    Status(status::StatusArgs),
    /// Ask a running service whether it is alive: for containers.
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Print what a shell needs to complete this command line.
    Completions(completions::CompletionsArgs),
}

/// The whole command line, for what is made of it: completions and manual pages.
#[must_use]
pub fn command_line() -> clap::Command {
    Cli::command()
}

/// Runs a command: the whole program.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(&cli.command) {
        Ok(code) => code,
        // The reader of the output has closed it: `scv-bridge ... | head`.
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "scv-bridge: {}", printable(&chain(&error)));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, each text once: many errors have the text of their cause in their own already.
fn chain(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |message, cause| match cause.to_string() {
        cause if message.is_empty() => cause,
        cause if message.contains(&cause) => message,
        cause => format!("{message}: {cause}"),
    })
}

/// How the names of our variables begin.
const VARIABLES: &str = "SCV_BRIDGE";

/// The variables that can be read as text.
///
/// # Errors
/// One of ours that cannot: it would be left out without a word.
fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut readable = Vec::new();
    for (name, value) in variables {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => readable.push((name, value)),
            (Ok(name), Err(_)) if name.to_ascii_uppercase().starts_with(VARIABLES) => {
                anyhow::bail!(
                    "the environment variable {name} holds bytes that are no text in UTF-8: set it again"
                )
            }
            _ => {}
        }
    }
    Ok(readable)
}

fn dispatch(command: &CliCommand) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let environment = environment(std::env::vars_os())?;
    let mut out = std::io::stdout().lock();
    match command {
        CliCommand::Serve(args) => {
            drop(out);
            serve::run(args, environment, &clock)
        }
        #[cfg(feature = "demo")]
        CliCommand::Demo(args) => demo::run(args, &clock, &mut out),
        CliCommand::Check(args) => check::run(args, environment, &clock, &mut out),
        CliCommand::Doctor(args) => doctor::run(args, environment, &clock, &mut out),
        CliCommand::Config(args) => Ok(config::run(args, &mut out)?),
        CliCommand::Translate(args) => translate::run(args, &mut out, |file, center, field| {
            configured_rules(file, center, field, environment, clock.as_ref())
        }),
        CliCommand::Flow(args) => {
            flow::run(args, &clock, &mut out, |file| settings(file, environment, clock.as_ref()))
        }
        CliCommand::Simulate(args) => {
            simulate::run(args, &clock, &mut out, |file| settings(Some(file), environment, clock.as_ref()))
        }
        CliCommand::Certificate(args) => certificate::run(args, clock.as_ref(), &mut out),
        CliCommand::Secret(args) => secret::run(args, &mut openssl::rand::rand_bytes, &mut out),
        CliCommand::Call(args) => call::run(args, environment, clock.as_ref(), &mut out),
        CliCommand::Outbox(args) => outbox::run(args, environment, clock.as_ref(), &mut out),
        CliCommand::Attributes(args) => attributes::run(args, environment, clock.as_ref(), &mut out),
        CliCommand::Reconcile(args) => reconcile::run(args, environment, &clock, &mut out),
        CliCommand::Webex(args) => webex::run(args, environment, &clock, &mut out),
        #[cfg(feature = "demo")]
        CliCommand::MockSalesforce(args) => {
            drop(out);
            mock_salesforce::run(args)
        }
        #[cfg(feature = "demo")]
        CliCommand::MockWebex(args) => {
            drop(out);
            mock_webex::run(args)
        }
        CliCommand::Completions(args) => Ok(completions::run(args, &mut out)?),
        CliCommand::Status(args) => status::run(args, environment, clock.as_ref(), &mut out),
        CliCommand::Healthcheck(args) => healthcheck::run(args, environment, clock.as_ref(), &mut out),
    }
}

/// The configuration for a command; every problem of it is the error.
fn settings(
    config: Option<PathBuf>,
    environment: Vec<(String, String)>,
    clock: &dyn Clock,
) -> anyhow::Result<Settings> {
    let file = configuration_file(config, &environment);
    Ok(Settings::load(&Source { file: Some(file), environment }, clock)?)
}

/// Parses the name of a contact center.
fn call_center(text: &str) -> Result<CallCenterName, String> {
    CallCenterName::parse(text).map_err(|error| error.to_string())
}

/// Runs `work` on the database of `url`, which `open` opens.
///
/// # Errors
/// When it cannot be opened or closed, or the error of `work`.
fn on_store<T>(
    url: &SecretString,
    open: impl Future<Output = Result<Store, StoreError>>,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let place = || place(url.expose_secret());
        let store = open.await.map_err(|error| anyhow!("store.url ({}): {}", place(), error.at_start()))?;
        let done = work(&store).await?;
        store.close().await?;
        Ok(done)
    })
}

fn configured_rules(
    file: &Path,
    center: &str,
    field: translate::NumberField,
    environment: Vec<(String, String)>,
    clock: &dyn Clock,
) -> anyhow::Result<Translation> {
    let settings = settings(Some(file.to_owned()), environment, clock)?;
    let center =
        settings.call_centers.get(center).ok_or_else(|| unknown(settings.call_centers.keys(), center))?;
    Ok(match field {
        translate::NumberField::From => center.translations.from.clone(),
        translate::NumberField::To => center.translations.to.clone(),
    })
}

/// The error for a contact center that is not configured, with the one that was probably meant.
fn unknown<'a>(names: impl Iterator<Item = &'a String>, center: &str) -> anyhow::Error {
    let meant = nearest(center, &names.cloned().collect())
        .map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    anyhow!("--call-center: no contact center {center} is configured{meant}")
}

/// Prints a table with aligned columns under a head.
fn print_table<const N: usize>(
    out: &mut dyn std::io::Write,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> std::io::Result<()> {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot listen: {source}")]
    struct Doubling {
        source: std::io::Error,
    }

    #[test]
    fn no_cause_is_printed_twice() {
        let source = std::io::Error::other("address in use");
        let error = Err::<(), _>(Doubling { source }).context("the service ended").unwrap_err();
        assert_eq!(chain(&error), "the service ended: cannot listen: address in use");
        let plain =
            Err::<(), _>(std::io::Error::other("no such file")).context("it cannot be read").unwrap_err();
        assert_eq!(chain(&plain), "it cannot be read: no such file");
    }
}
