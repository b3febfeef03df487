//! Randomness, passed in: ids that do not repeat, from one seed.

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
