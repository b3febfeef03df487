//! `scv-bridge serve`: runs the service.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use crate::app::Application;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::{lifecycle, telemetry};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs until it is told to stop.
///
/// # Errors
/// Every problem of the configuration, or what kept the service from starting or running.
pub fn run(
    args: &Args,
    environment: Vec<(String, String)>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<ExitCode> {
    let settings = super::settings(args.config.clone(), environment, clock.as_ref())?;
    let _guard = telemetry::start(&settings.logs).context("the log cannot be started")?;
    for warning in settings.warnings(clock.now()) {
        tracing::warn!("{warning}");
    }
    for key in settings.not_used_yet() {
        tracing::warn!(key, "this setting is not used by this version");
    }
    actix_web::rt::System::new().block_on(async {
        let application = Application::build(settings, clock, &Arc::new(Ids::random())).await?;
        lifecycle::run(application).await.context("the service ended")
    })?;
    Ok(ExitCode::SUCCESS)
}
