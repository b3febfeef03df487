//! `scv-bridge healthcheck`: is the service on this machine alive?

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;

use super::running::unanswered;
use crate::clock::Clock;
use crate::listener::reached_here;

/// How long the answer may take.
const HEALTHCHECK_WITHIN: Duration = Duration::from_secs(3);

/// Arguments of `healthcheck`.
#[derive(Debug, clap::Args)]
pub struct HealthcheckArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Asks `/livez` of the operations listener: 0 alive, 1 not.
///
/// # Errors
/// Every problem of the configuration; no answer.
pub fn run(
    args: &HealthcheckArgs,
    environment: Vec<(String, String)>,
    clock: &dyn Clock,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let settings = super::settings(args.config.clone(), environment, clock)?;
    let address = reached_here(settings.operations.listen);
    let tls = settings.server.tls.is_some() && !settings.operations.listen.ip().is_loopback();
    let url = format!("{}://{address}/livez", if tls { "https" } else { "http" });
    let status = actix_web::rt::System::new()
        .block_on(ask(&url))
        .map_err(|error| anyhow!(unanswered(&url, &error)))?;
    writeln!(out, "{url}: HTTP {status}")?;
    Ok(if status == 200 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn ask(url: &str) -> reqwest::Result<u16> {
    // The certificate is for the public host, not for this address; this only checks that the service is alive.
    let client = reqwest::Client::builder()
        .timeout(HEALTHCHECK_WITHIN)
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    Ok(client.get(url).send().await?.status().as_u16())
}
