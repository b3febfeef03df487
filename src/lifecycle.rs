//! From the first breath to the last: run, look after, read the configuration again, stop when told to.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{Application, Handle};
use crate::settings::{Files, Source};
use crate::watch::Watcher;

/// How often the metrics are tidied.
const TIDY: Duration = Duration::from_secs(5);
/// After how many of those what is old is removed from the store: each minute, so that no number stays in its files
/// for long after its call was closed.
const PURGE_EVERY: u64 = 12;

/// Runs the service until SIGTERM or SIGINT, then lets what is in flight end. On SIGHUP, and when one of the `files`
/// changes that the configuration was read from, `source` is read again.
///
/// # Errors
/// When a listener or the handling of signals fails.
pub async fn run(application: Application, source: Source, files: Files) -> std::io::Result<()> {
    let handle = application.handle();
    let hang_up = signal(SignalKind::hangup())?;
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
    actix_web::rt::spawn(reread(handle.clone(), source, files, hang_up));
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

/// Reads the configuration again whenever there is reason to.
async fn reread(handle: Handle, source: Source, mut files: Files, mut hang_up: Signal) {
    loop {
        let watcher = Watcher::new(files, handle.settings().rotation);
        tokio::select! {
            told = hang_up.recv() => match told {
                Some(()) => tracing::info!("told by SIGHUP to read the configuration again"),
                None => return,
            },
            () = watcher.changed() => tracing::info!("a file of the configuration has changed"),
        }
        files = handle.reread(&source).await.files;
    }
}

/// Keeps metrics and store tidy while the service runs.
async fn look_after(handle: Handle) {
    let mut beat = tokio::time::interval(TIDY);
    for count in 0_u64.. {
        beat.tick().await;
        handle.tidy_metrics().await;
        handle.look_at_certificates();
        if count % PURGE_EVERY == 0
            && let Err(error) = handle.tidy_store().await
        {
            tracing::warn!(%error, "what is old was not removed from the store; trying again later");
        }
    }
}
