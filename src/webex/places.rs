//! Places for tasks that are looked at, so that a contact center whose Salesforce is slow holds up its own tasks only.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::CallCenterName;

/// The places of each contact center, and as many for tasks of calls that nobody knows.
pub(super) struct TaskSlots {
    each: usize,
    free: Mutex<HashMap<Option<CallCenterName>, Arc<Semaphore>>>,
}

/// The places of one task, free again when they are dropped.
pub(super) type TaskSlotGuards = Vec<OwnedSemaphorePermit>;

impl TaskSlots {
    pub(super) fn new(each: usize) -> Self {
        Self { each, free: Mutex::default() }
    }

    /// A place of each of these contact centers; `None` where one of them has none left.
    pub(super) fn take(&self, centers: &BTreeSet<CallCenterName>) -> Option<TaskSlotGuards> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let nobody = centers.is_empty().then_some(None);
        let centers = centers.iter().cloned().map(Some).chain(nobody);
        centers
            .map(|center| {
                let places = free.entry(center).or_insert_with(|| Arc::new(Semaphore::new(self.each)));
                Arc::clone(places).try_acquire_owned().ok()
            })
            .collect()
    }

    /// The contact centers that nothing more is claimed of until half of their places are free: else one place that
    /// becomes free would have a whole claim put back.
    pub(super) fn full(&self) -> Vec<CallCenterName> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |places: &Semaphore| places.available_permits() * 2 < self.each;
        free.iter().filter(|(_, places)| is_full(places)).filter_map(|(center, _)| center.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_center_without_a_place_is_full_until_half_of_them_are_free() {
        let of = |names: &[&str]| names.iter().map(|name| CallCenterName::parse(*name).unwrap()).collect();
        let places = TaskSlots::new(2);
        let (one, two) = (places.take(&of(&["A"])).unwrap(), places.take(&of(&["A"])).unwrap());
        assert_eq!(places.take(&of(&["A"])).map(drop), None);
        assert_eq!(places.full(), [CallCenterName::parse("A").unwrap()]);
        // Of both or of none: what was taken of the other is free again.
        for _ in 0..3 {
            assert_eq!(places.take(&of(&["A", "B"])).map(drop), None);
        }
        let beside: Vec<TaskSlotGuards> = (0..2).map(|_| places.take(&of(&["B"])).unwrap()).collect();
        let nobodys: Vec<TaskSlotGuards> = (0..2).map(|_| places.take(&of(&[])).unwrap()).collect();
        assert_eq!(places.take(&of(&[])).map(drop), None);
        drop((one, beside, nobodys));
        assert!(places.full().is_empty());
        assert!(places.take(&of(&["A"])).is_some());
        drop(two);
    }
}
