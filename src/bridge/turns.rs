//! One at a time for each call: a repeated create joins the one in flight, a hang-up waits for it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

/// The calls that somebody is busy with.
#[derive(Debug)]
pub struct Turns<K: Eq + Hash> {
    busy: Mutex<HashMap<K, Arc<AsyncMutex<()>>, RandomState>>,
}

impl<K: Eq + Hash> Default for Turns<K> {
    fn default() -> Self {
        Self { busy: Mutex::default() }
    }
}

/// A turn; the next one's begins when it is dropped.
#[derive(Debug)]
pub struct Turn<K: Eq + Hash> {
    turns: Arc<Turns<K>>,
    key: K,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// Waits until nobody else is busy with `key`; `None` if the deadline passes first.
    pub async fn take(self: &Arc<Self>, key: K, deadline: Instant) -> Option<Turn<K>> {
        let lock = {
            let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(busy.entry(key.clone()).or_default())
        };
        // Made before waiting, so that a waiter that gives up tidies up too.
        let mut turn = Turn { turns: Arc::clone(self), key, guard: None };
        turn.guard = Some(timeout_at(deadline, lock.lock_owned()).await.ok()?);
        Some(turn)
    }
}

impl<K: Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut busy = self.turns.busy.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the map still holds it: nobody is in and nobody waits.
        if busy.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            busy.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_nothing_is_left_behind() {
        let turns = Arc::new(Turns::default());
        let first = turns.take("a", soon()).await.unwrap();
        assert!(turns.take("b", soon()).await.is_some(), "another call need not wait");
        assert!(
            turns.take("a", Instant::now()).await.is_none(),
            "the deadline passes while the first is busy"
        );
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.take("a", soon()).await.is_some() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.unwrap());
        assert!(turns.busy.lock().unwrap().is_empty());
    }
}
