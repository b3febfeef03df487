//! `scv-bridge status`: how the service that runs is, on one page, from its own metrics: for who has no Prometheus at hand.

mod histogram;
mod report;
mod text;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;

use super::running::ask;
use crate::clock::Clock;
use crate::settings::{Settings, Source, configuration_file};
use report::ServiceStatus;

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Asks the operations listener for its metrics and whether it is ready: 0 shown, 1 no service answers.
///
/// # Errors
/// What is wrong with `[operations]`; no service answers; the output cannot be written.
pub fn run(
    args: &StatusArgs,
    environment: Vec<(String, String)>,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let file = configuration_file(args.config.clone(), &environment);
    let listen = Settings::load_operations(&Source { file: Some(file), environment }, clock)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = async {
        let asked = ask(listen).await?;
        let readiness = asked.readiness().await;
        Ok::<_, String>((asked, readiness))
    };
    let (asked, readiness) = runtime.block_on(asked).map_err(|why| anyhow!("{why}"))?;
    let status = ServiceStatus::of(&asked, readiness, clock.now());
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string(&status)?)?,
        false => status.print(out)?,
    }
    Ok(ExitCode::SUCCESS)
}
