//! Bounded concurrency: a full house says so at once, nobody queues.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// How soon a place is likely to be free again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The places of one org and way for requests in flight, shared by all workers.
#[derive(Debug)]
pub struct Slots {
    free: Semaphore,
}

/// One place, free again when it is dropped.
#[derive(Debug)]
#[must_use = "a place dropped at once bounds nothing"]
pub struct Slot<'a> {
    _place: SemaphorePermit<'a>,
}

/// The refusal of a full house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("as many requests as may be are waiting for it")]
pub struct Full {
    /// After how long to ask again.
    pub retry_after: Duration,
}

impl Slots {
    /// So many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { free: Semaphore::new(places.min(Semaphore::MAX_PERMITS)) }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// When none is free.
    pub fn try_enter(&self) -> Result<Slot<'_>, Full> {
        match self.free.try_acquire() {
            Ok(place) => Ok(Slot { _place: place }),
            Err(_) => Err(Full { retry_after: RETRY_AFTER }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_house_refuses_until_somebody_leaves() {
        let slots = Slots::new(2);
        let first = slots.try_enter().unwrap();
        let _second = slots.try_enter().unwrap();
        assert_eq!(slots.try_enter().unwrap_err(), Full { retry_after: RETRY_AFTER });
        drop(first);
        assert!(slots.try_enter().is_ok());
    }
}
