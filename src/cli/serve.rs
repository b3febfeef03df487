//! `scv-bridge serve`: runs the service.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use crate::app::Application;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::settings::{Settings, Source, configuration_file};
use crate::{lifecycle, telemetry};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs the service until a signal stops it.
///
/// # Errors
/// Every problem of the configuration, or what kept the service from starting or running.
pub fn run(
    args: &ServeArgs,
    environment: Vec<(String, String)>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<ExitCode> {
    let file = configuration_file(args.config.clone(), &environment);
    let source = Source { file: Some(file), environment };
    let (settings, files) = Settings::load_with_files(&source, clock.as_ref());
    let settings = settings?;
    let _guard = telemetry::start(&settings.logs).context("the log cannot be started")?;
    for warning in settings.warnings(clock.now()) {
        tracing::warn!("{warning}");
    }
    actix_web::rt::System::new().block_on(async {
        let hang_up = lifecycle::hang_ups().context("signals cannot be handled")?;
        let application = Application::build(settings, clock, &Arc::new(Ids::random())).await?;
        lifecycle::run(application, source, files, hang_up).await.context("the service ended")
    })?;
    Ok(ExitCode::SUCCESS)
}
