//! `scv-bridge demo`: the vendor's flow against a mock Salesforce org, without any configuration.

mod play;
mod show;
mod stage;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use crate::clock::Clock;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Leave everything running afterwards and print the addresses.
    #[arg(long)]
    pub keep: bool,
}

/// Starts a mock Salesforce org and the bridge on free loopback ports, plays calls and judges the VoiceCalls:
/// 0 if they are right, else 1.
///
/// # Errors
/// When something cannot be started, or the output cannot be written.
pub fn run(args: &DemoArgs, clock: &Arc<dyn Clock>, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    actix_web::rt::System::new().block_on(async {
        let stage = stage::DemoSetup::set_up(clock).await?;
        stage.announce(out)?;
        let wrong = play::all_calls(&stage, out).await?;
        show::voice_calls(&stage.org, out)?;
        let code = show::verdict(&wrong, out)?;
        if args.keep {
            stage.explain(out)?;
            actix_web::rt::signal::ctrl_c().await?;
        }
        stage.strike().await;
        Ok(code)
    })
}
