//! Randomness, passed in: ids that do not repeat, and chance, from one seed.

use std::sync::atomic::{AtomicU64, Ordering};

/// A source of ids. The same seed gives the same ids, so that a test can know them.
#[derive(Debug)]
pub struct Ids {
    seed: u64,
    count: AtomicU64,
}

impl Ids {
    /// Begins at `seed`; the program draws it at random when it starts.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, count: AtomicU64::new(0) }
    }

    /// Begins at a random seed.
    #[must_use]
    pub fn random() -> Self {
        Self::new(rand::random())
    }

    /// The next id of a request: 16 hexadecimal digits.
    #[must_use]
    pub fn request(&self) -> String {
        format!("{:016x}", self.next())
    }

    /// The next id that no other replica gives either: 32 hexadecimal digits.
    #[must_use]
    pub fn unique(&self) -> String {
        format!("{:016x}{:016x}", self.seed, self.next())
    }

    /// The next fraction, in [0, 1): the jitter of a pause.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        // 32 bits are fine enough for a pause, and a float holds them exactly.
        f64::from(u32::try_from(self.next() >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }

    /// SplitMix64: every count gives another number.
    fn next(&self) -> u64 {
        const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut z = self.seed.wrapping_add(count.wrapping_mul(GAMMA));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_fill_the_unit_interval_and_never_reach_its_end() {
        let ids = Ids::new(7);
        let drawn: Vec<f64> = (0..10_000).map(|_| ids.fraction()).collect();
        assert!(drawn.iter().all(|fraction| (0.0..1.0).contains(fraction)));
        for tenth in 0..10 {
            let tenth = f64::from(tenth) / 10.0;
            let inside = drawn.iter().filter(|fraction| (tenth..tenth + 0.1).contains(*fraction)).count();
            assert!((850..1150).contains(&inside), "{inside} of 10000 in the tenth from {tenth}");
        }
    }
}
