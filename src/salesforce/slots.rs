//! Bounded concurrency: a full house says so at once, nobody queues.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How soon a place is likely to be free again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The places of one org and way for requests in flight, shared by all workers.
#[derive(Debug)]
pub struct Slots {
    places: AtomicUsize,
    taken: AtomicUsize,
}

/// One place, free again when it is dropped.
#[derive(Debug)]
#[must_use = "a place dropped at once bounds nothing"]
pub struct Slot<'a> {
    taken: &'a AtomicUsize,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The refusal of a full house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("as many requests as may be are waiting for it")]
pub struct NoFreeSlot {
    /// After how long to ask again.
    pub retry_after: Duration,
}

impl Slots {
    /// So many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places: AtomicUsize::new(places), taken: AtomicUsize::new(0) }
    }

    /// So many places from now on. Whoever is in stays.
    pub fn adopt(&self, places: usize) {
        self.places.store(places, Ordering::Release);
    }

    /// Takes a place.
    ///
    /// # Errors
    /// When none is free.
    pub fn try_enter(&self) -> Result<Slot<'_>, NoFreeSlot> {
        let places = self.places.load(Ordering::Acquire);
        let enter = |taken: usize| (taken < places).then(|| taken + 1);
        match self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, enter) {
            Ok(_) => Ok(Slot { taken: &self.taken }),
            Err(_) => Err(NoFreeSlot { retry_after: RETRY_AFTER }),
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
        assert_eq!(slots.try_enter().unwrap_err(), NoFreeSlot { retry_after: RETRY_AFTER });
        drop(first);
        assert!(slots.try_enter().is_ok());
    }

    #[test]
    fn other_places_count_who_is_in_already() {
        let slots = Slots::new(2);
        let [first, _second] = [slots.try_enter().unwrap(), slots.try_enter().unwrap()];
        slots.adopt(3);
        let third = slots.try_enter().unwrap();
        slots.adopt(1);
        drop((first, third));
        assert!(slots.try_enter().is_err());
    }
}
