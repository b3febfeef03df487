//! What must run as long as the service: the first of it that ends is told by its name.

use std::collections::HashMap;
use std::io;

use tokio::task::{Id, JoinError, JoinSet};

/// The long-lived tasks of a service.
#[derive(Default)]
pub(super) struct Supervised {
    tasks: JoinSet<io::Result<()>>,
    names: HashMap<Id, &'static str>,
}

impl Supervised {
    /// Runs this beside the others, and tells its end by this name.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        task: impl Future<Output = io::Result<()>> + Send + 'static,
    ) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// The same for what never ends by itself.
    pub(super) fn add_endless(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.add(name, async move {
            task.await;
            Ok(())
        });
    }

    /// Waits for the first that ends, and gives why the service cannot go on. One that ends in order is a failure too,
    /// unless it `may_end` by then.
    pub(super) async fn failure(&mut self, may_end: impl Fn() -> bool) -> io::Error {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            match ended {
                Ok((id, Ok(()))) if may_end() => {
                    self.names.remove(&id);
                }
                Ok((id, Ok(()))) => return self.gone(id, "it ended"),
                Ok((id, Err(error))) => return self.gone(id, &error.to_string()),
                Err(error) => return self.gone(error.id(), &reason(error)),
            }
        }
        std::future::pending().await
    }

    /// Breaks off all that is left.
    pub(super) async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }

    fn gone(&mut self, id: Id, why: &str) -> io::Error {
        let name = self.names.remove(&id).unwrap_or("a task");
        io::Error::other(format!("{name} is gone: {why}"))
    }
}

fn reason(error: JoinError) -> String {
    let text = error.to_string();
    let Ok(panic) = error.try_into_panic() else { return text };
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    words.map_or_else(|| String::from("it panicked"), |words| format!("it panicked: {words}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Some that never end, and this one.
    fn with(task: impl Future<Output = io::Result<()>> + Send + 'static) -> Supervised {
        let mut all = Supervised::default();
        all.add("the first", std::future::pending());
        all.add("housekeeping", task);
        all.add("the last", std::future::pending());
        all
    }

    #[tokio::test]
    async fn the_first_that_ends_is_told_by_its_name_and_with_its_reason() {
        let panics = async { panic!("no bucket {}", 3) };
        let told = with(panics).failure(|| false).await.to_string();
        assert_eq!(told, "housekeeping is gone: it panicked: no bucket 3");
        let told = with(async { Err(io::Error::other("no socket")) }).failure(|| false).await.to_string();
        assert_eq!(told, "housekeeping is gone: no socket");
        let told = with(async { Ok(()) }).failure(|| false).await.to_string();
        assert_eq!(told, "housekeeping is gone: it ended");
    }

    #[tokio::test]
    async fn what_may_end_by_now_is_no_failure_but_a_panic_still_is() {
        let mut all = with(async { Ok(()) });
        tokio::task::yield_now().await;
        all.add("a listener", async { panic!("a fault") });
        let told = all.failure(|| true).await.to_string();
        assert_eq!(told, "a listener is gone: it panicked: a fault");
    }

    #[tokio::test]
    async fn what_is_broken_off_is_dropped() {
        let held = Arc::new(());
        let inside = Arc::clone(&held);
        let mut all = with(async move {
            let _inside = inside;
            std::future::pending().await
        });
        tokio::task::yield_now().await;
        all.stop().await;
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
