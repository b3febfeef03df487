//! From the first breath to the last: run, look after, stop when told to.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::app::{Application, Handle};

/// How often the metrics are tidied.
const TIDY: Duration = Duration::from_secs(5);

/// Runs the service until SIGTERM or SIGINT, then lets what is in flight end.
///
/// # Errors
/// When a listener or the handling of signals fails.
pub async fn run(application: Application) -> std::io::Result<()> {
    let handle = application.handle();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopper = handle.clone();
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("told to stop by SIGTERM"),
            _ = interrupt.recv() => tracing::info!("told to stop by SIGINT"),
        }
        stopper.stop().await;
    });
    actix_web::rt::spawn(look_after(handle));
    tracing::info!(
        public = %application.public_address(),
        operations = %application.operations_address(),
        version = env!("CARGO_PKG_VERSION"),
        "ready"
    );
    application.run().await?;
    tracing::info!("stopped");
    Ok(())
}

async fn look_after(handle: Handle) {
    let mut beat = tokio::time::interval(TIDY);
    loop {
        beat.tick().await;
        handle.metrics().tidy();
    }
}
