//! A map that holds only so much, and forgets what was not used for longest.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// Two generations: when the young one is full it becomes the old one, and what was the old one is forgotten. Each step
/// takes constant time on average, also for somebody who tries to fill it.
pub struct GenerationMap<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation: usize,
}

impl<K: Eq + Hash, V: Copy> GenerationMap<K, V> {
    /// Holds at most two generations of this many.
    #[must_use]
    pub fn new(generation: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation }
    }

    /// What is known.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    /// Notes it, as the most recent.
    pub fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.generation && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_bounded_and_knows_a_generation_of_the_latest(keys in proptest::collection::vec(0_u16..40, 1..300)) {
            let mut recent = GenerationMap::new(10);
            for (at, key) in keys.iter().enumerate() {
                recent.put(*key, at);
                prop_assert!(recent.len() <= 20);
            }
            // The ten keys that came last are known, each with its last value.
            let mut latest: Vec<(u16, usize)> = Vec::new();
            for (at, key) in keys.iter().enumerate().rev() {
                if latest.len() < 10 && latest.iter().all(|(known, _)| known != key) {
                    latest.push((*key, at));
                }
            }
            for (key, at) in latest {
                prop_assert_eq!(recent.get(&key), Some(at));
            }
        }
    }
}
