//! What the mock org and the mock tenant have in common as commands: where they listen, and until when they run.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

/// A mock that is run as a command.
pub(super) struct MockCommand {
    /// What it is called in a message: "the mock org".
    pub(super) name: &'static str,
    /// What whoever reaches it can do.
    pub(super) exposes: &'static str,
    /// Where it listens.
    pub(super) listen: SocketAddr,
    /// Whether others may reach it.
    pub(super) expose: bool,
}

impl MockCommand {
    /// Refuses to let others in where that was not meant.
    ///
    /// # Errors
    /// The address is not loopback, and `--expose` was not given.
    pub(super) fn refuse_strangers(self) -> anyhow::Result<Self> {
        let Self { name, exposes, listen, expose } = self;
        if !listen.ip().is_loopback() && !expose {
            bail!(
                "--listen {listen}: not a loopback address; whoever reaches {name} can {exposes} it. Add --expose if that is meant"
            );
        }
        Ok(self)
    }

    /// Starts a mock, says how it is used, and runs it until Ctrl-C or SIGTERM.
    ///
    /// # Errors
    /// The address is taken.
    pub(super) fn run<M>(
        &self,
        start: impl AsyncFnOnce(SocketAddr) -> io::Result<M>,
        introduction: impl FnOnce(&M) -> String,
        stop: impl AsyncFnOnce(M),
    ) -> anyhow::Result<ExitCode> {
        let Self { name, listen, .. } = *self;
        actix_web::rt::System::new().block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mock =
                start(listen).await.with_context(|| format!("--listen {listen}: {name} cannot start"))?;
            introduce(&introduction(&mock))?;
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted?,
                _ = terminate.recv() => {}
            }
            stop(mock).await;
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Where a mock begins to number what it makes that starts at this moment. It makes fewer than a thousand things a second, on
/// average, so it gives no id that one before it has given: the bridge knows those still.
pub(super) fn first_number(now: Timestamp) -> u64 {
    u64::try_from(now.as_millisecond()).unwrap_or(1)
}

fn introduce(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}\nCtrl-C ends it.")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mock_that_starts_later_begins_behind_all_numbers_of_the_one_before() {
        let at = |second| first_number(Timestamp::from_second(second).unwrap());
        assert_eq!(at(1_795_000_060) - at(1_795_000_000), 60_000);
    }
}
