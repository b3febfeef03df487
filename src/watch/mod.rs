//! Notices that a file of the configuration has changed: what it holds, not its time.
//!
//! The system tells of changes in the folders that lead to the files, and is only a reason to look: some file systems
//! tell of nothing, a file that is replaced is another file to the system, and secrets that are mounted change by a link
//! that is swapped. So the files are also looked at from time to time, and what counts is what is in them.

mod folders;
#[cfg(test)]
mod tests;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::settings::{Files, Rotation, Watch};

/// Several files change one after the other: they are taken as they are once nothing changed for so long.
const QUIET: Duration = Duration::from_millis(250);
/// How often quiet is waited for. Files that never rest are taken as they are.
const PATIENCE: usize = 40;

/// Watches the files of one reading of the configuration.
pub struct Watcher {
    files: Files,
    rotation: Rotation,
    wake: Arc<Notify>,
    /// Rings while it lives.
    _events: Option<RecommendedWatcher>,
}

impl Watcher {
    /// Over files as they were read.
    #[must_use]
    pub fn new(files: Files, rotation: Rotation) -> Self {
        let wake = Arc::new(Notify::new());
        let events = (rotation.watch == Watch::Events).then(|| events(&files, &wake));
        let events = events.and_then(|events| {
            let poll = rotation.poll;
            events.map_err(|error| tracing::warn!(%error, ?poll, "the system does not tell of changed files; they are looked at from time to time")).ok()
        });
        Self { files, rotation, wake, _events: events }
    }

    /// Waits until the files differ from what was read, and no more of them changes.
    pub async fn changed(&self) {
        if self.rotation.watch == Watch::Off {
            return pending().await;
        }
        let mut seen = self.look().await;
        while seen == self.files {
            if timeout(self.rotation.poll, self.wake.notified()).await.is_ok() {
                // Events come in swarms, also of files that are none of ours.
                sleep(QUIET).await;
            }
            seen = self.look().await;
        }
        for _ in 0..PATIENCE {
            sleep(QUIET).await;
            let now = self.look().await;
            if now == seen {
                return;
            }
            seen = now;
        }
    }

    /// What the files hold now.
    async fn look(&self) -> Files {
        let files = self.files.clone();
        spawn_blocking(move || files.now()).await.unwrap_or_else(|_| self.files.clone())
    }
}

/// Wakes the watcher for whatever happens in the folders that lead to the files, but for reading them: we do that.
fn events(files: &Files, wake: &Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let wake = Arc::clone(wake);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if !event.is_ok_and(|event| event.kind.is_access()) {
            wake.notify_one();
        }
    })?;
    for folder in folders::leading_to(files.paths()) {
        // One that is not there may be named by a configuration that is refused for it.
        if folder.is_dir() {
            watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        }
    }
    Ok(watcher)
}
