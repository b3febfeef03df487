//! What the way does to webhooks: some are lost, some come twice, some late, some out of order. Seeded, so that a
//! failing test can be repeated.

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weather {
    /// The part that is lost.
    pub lost: f64,
    /// The part of the rest that comes twice.
    pub doubled: f64,
    /// The part of what arrives that comes later than its place.
    pub delayed: f64,
    /// By how many places at most.
    pub places: usize,
    /// Where chance begins.
    pub seed: u64,
}

impl Weather {
    /// Everything arrives once, in order.
    pub const FINE: Self = Self { lost: 0.0, doubled: 0.0, delayed: 0.0, places: 0, seed: 0 };

    /// Everything arrives once, in any order.
    #[must_use]
    pub fn shuffled(seed: u64) -> Self {
        Self { delayed: 1.0, places: usize::MAX, seed, ..Self::FINE }
    }

    /// What arrives, in the order in which it does.
    #[must_use]
    pub fn blow<T: Clone>(&self, sent: impl IntoIterator<Item = T>) -> Vec<T> {
        let mut chance = SmallRng::seed_from_u64(self.seed);
        let sent: Vec<T> = sent.into_iter().collect();
        let places = self.places.min(sent.len());
        let mut arriving: Vec<(usize, T)> = Vec::with_capacity(sent.len());
        for (place, each) in sent.into_iter().enumerate() {
            if chance.random_bool(self.lost) {
                continue;
            }
            let copies = if chance.random_bool(self.doubled) { 2 } else { 1 };
            for _ in 0..copies {
                let late = chance.random_bool(self.delayed);
                let by = if late { chance.random_range(0..=places) } else { 0 };
                arriving.push((place.saturating_add(by), each.clone()));
            }
        }
        arriving.sort_by_key(|(place, _)| *place);
        arriving.into_iter().map(|(_, each)| each).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORM: Weather = Weather { lost: 0.05, doubled: 0.05, delayed: 0.2, places: 20, seed: 7 };

    #[test]
    fn fine_weather_changes_nothing_and_a_seed_repeats_a_storm() {
        let sent: Vec<u32> = (0..1000).collect();
        assert_eq!(Weather::FINE.blow(sent.clone()), sent);
        assert_eq!(STORM.blow(sent.clone()), STORM.blow(sent.clone()));
        assert_ne!(STORM.blow(sent.clone()), Weather { seed: 8, ..STORM }.blow(sent));
    }

    #[test]
    fn a_storm_loses_doubles_and_delays_about_as_much_as_it_says() {
        let arrived = STORM.blow(0..10_000_usize);
        let mut seen = arrived.clone();
        seen.sort_unstable();
        seen.dedup();
        assert!((400..600).contains(&(10_000 - seen.len())), "{} lost", 10_000 - seen.len());
        assert!((400..600).contains(&(arrived.len() - seen.len())), "{} doubled", arrived.len() - seen.len());
        let behind = arrived.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!((1000..2500).contains(&behind), "{behind} behind a later one");
    }

    #[test]
    fn shuffling_keeps_everything() {
        let mut arrived = Weather::shuffled(3).blow(0..100);
        assert!(!arrived.is_sorted());
        arrived.sort_unstable();
        assert_eq!(arrived, (0..100).collect::<Vec<_>>());
    }
}
