//! Chance in pauses, so that those who wait for the same thing do not come back at the same moment.

use std::time::Duration;

/// The parts that a fraction is counted in.
const PARTS: u32 = 1_000_000;

/// A duration between two others: `fraction` of the way, in [0, 1); anything outside counts as the nearer end.
#[must_use]
pub fn between(low: Duration, high: Duration, fraction: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float cast saturates, NaN becomes 0, and the rest is bounded next"
    )]
    let parts = ((fraction * f64::from(PARTS)) as u32).min(PARTS);
    low + high.saturating_sub(low).saturating_mul(parts) / PARTS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_of_the_way_is_the_middle() {
        let (low, high) = (Duration::from_secs(9), Duration::from_secs(11));
        assert_eq!(between(low, high, 0.0), low);
        assert_eq!(between(low, high, 0.5), Duration::from_secs(10));
    }

    proptest! {
        #[test]
        fn no_fraction_leaves_the_bounds(low in 0_u64..1 << 40, more in 0_u64..1 << 40, fraction in prop::num::f64::ANY) {
            let (low, high) = (Duration::from_millis(low), Duration::from_millis(low + more));
            prop_assert!((low..=high).contains(&between(low, high, fraction)));
        }
    }
}
