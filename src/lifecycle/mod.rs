//! From the first breath to the last: run, look after, read the configuration again, stop when told to.

mod signals;

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::app::{Application, Handle};
use crate::settings::{Files, Source};
use crate::watch::Watcher;

/// How often the metrics are tidied.
const TIDY: Duration = Duration::from_secs(5);
/// After how many of those what is old is removed from the store: each minute, so that no number stays in its files
/// for long after its call was closed.
const PURGE_EVERY: u64 = 12;
/// How often an operator's conditions are looked at.
const NOTICE: Duration = Duration::from_secs(15);
/// How often exchanges are written.
const WRITE_EXCHANGES: Duration = Duration::from_secs(1);
/// How much longer the process may take to end than the service in it.
const RESERVE: Duration = Duration::from_secs(5);

/// Runs the service until SIGTERM or SIGINT, then lets what is in flight end. On SIGHUP, and when one of the `files`
/// changes that the configuration was read from, `source` is read again.
///
/// `hang_up` has heard SIGHUP from [`hang_ups`] on.
///
/// The process has to end with this: after a second signal, and when its end takes too long, it is ended hard.
///
/// # Errors
/// When signals cannot be handled, or something has ended that the service needs.
pub async fn run(
    mut application: Application,
    source: Source,
    files: Files,
    hang_up: Signal,
) -> io::Result<()> {
    let handle = application.handle();
    let told = signals::listen(handle.longest_end().saturating_add(RESERVE), handle.ending())?;
    application.supervise("the handling of signals", stop_when(told, handle.clone()));
    application.supervise("the reader of the configuration", reread(handle.clone(), source, files, hang_up));
    application.supervise("the writer of exchanges", write_exchanges(handle.clone()));
    application.supervise("the sender of notices", notice(handle.clone()));
    application.supervise("housekeeping", look_after(handle));
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

/// SIGHUP, from now on. To be asked for before the first port is open: until then SIGHUP ends the process, and whoever sees
/// an open port may send one.
///
/// # Errors
/// When signals cannot be handled.
pub fn hang_ups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Stops the service when it is told to.
async fn stop_when(told: oneshot::Receiver<()>, handle: Handle) -> io::Result<()> {
    told.await.map_err(io::Error::other)?;
    handle.stop().await;
    Ok(())
}

/// Reads the configuration again whenever there is reason to.
async fn reread(handle: Handle, source: Source, mut files: Files, mut hang_up: Signal) -> io::Result<()> {
    loop {
        let watcher = Watcher::new(files, handle.settings().rotation);
        tokio::select! {
            told = hang_up.recv() => match told {
                Some(()) => tracing::info!("told by SIGHUP to read the configuration again"),
                None => return Ok(()),
            },
            () = watcher.changed() => tracing::info!("a file of the configuration has changed"),
        }
        files = handle.reread(&source).await.files;
    }
}

/// Writes what was asked and answered, for people who look into a call.
async fn write_exchanges(handle: Handle) -> io::Result<()> {
    let mut beat = tokio::time::interval(WRITE_EXCHANGES);
    loop {
        beat.tick().await;
        if let Err(error) = handle.write_exchanges().await {
            tracing::warn!(%error, "what was asked and answered in the last second was not written for call show");
        }
    }
}

/// Tells operators what they have to act on.
async fn notice(handle: Handle) -> io::Result<()> {
    let mut beat = tokio::time::interval(NOTICE);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        handle.send_notices().await;
    }
}

/// Keeps metrics and store tidy while the service runs.
async fn look_after(handle: Handle) -> io::Result<()> {
    let mut beat = tokio::time::interval(TIDY);
    for count in 0_u64.. {
        beat.tick().await;
        handle.measure().await;
        handle.look_at_certificates();
        if count % PURGE_EVERY == 0
            && let Err(error) = handle.tidy_store().await
        {
            tracing::warn!(%error, "what is old was not removed from the store; trying again later");
        }
    }
    Ok(())
}
