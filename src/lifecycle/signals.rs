//! SIGTERM and SIGINT, on a thread of its own: whatever holds up the rest of the process does not hold up its end.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, oneshot};

/// How long the log has for its last line before the process is ended hard.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Listens to the signals of this process, and tells of the first. From then on, or once the service is `ending` by itself,
/// the process is ended hard, with exit status 1, when there is another signal or when its end takes longer than `bound`.
///
/// # Errors
/// When signals cannot be handled, or there is no thread for it.
pub(super) fn listen(bound: Duration, ending: Arc<Notify>) -> io::Result<oneshot::Receiver<()>> {
    let (tell, told) = oneshot::channel();
    let (listens, listening) = mpsc::channel();
    let work = move || {
        let begun = Builder::new_current_thread().enable_all().build().and_then(|runtime| {
            let heard = runtime.block_on(async { Heard::new() })?;
            Ok((runtime, heard))
        });
        // Who has asked for it waits for this.
        let _ = match begun {
            Ok((runtime, heard)) => {
                let sent = listens.send(Ok(()));
                runtime.block_on(watch(heard, tell, &ending, bound));
                sent
            }
            Err(error) => listens.send(Err(error)),
        };
    };
    thread::Builder::new().name(String::from("signals")).spawn(work)?;
    listening.recv().map_err(io::Error::other)??;
    Ok(told)
}

/// Waits for the end, then for what ends the process hard.
async fn watch(mut heard: Heard, tell: oneshot::Sender<()>, ending: &Notify, bound: Duration) {
    tokio::select! {
        name = heard.next() => {
            tracing::info!("told to stop by {name}");
            // Who does not listen any more is ending already.
            let _ = tell.send(());
        }
        () = ending.notified() => {}
    }
    tokio::select! {
        name = heard.next() => {
            tracing::error!("told to stop by {name} again: what is in flight is broken off");
        }
        () = tokio::time::sleep(bound) => {
            let seconds = bound.as_secs();
            tracing::error!(seconds, "the end takes too long: what is in flight is broken off");
        }
    }
    thread::sleep(LAST_WORDS);
    std::process::exit(1)
}

/// Both signals.
struct Heard {
    terminate: Signal,
    interrupt: Signal,
}

impl Heard {
    fn new() -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The name of the next one.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
