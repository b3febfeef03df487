//! How long an input may take.

use std::time::{Duration, Instant};

use super::installation::Installation;
use super::targets::Target;

/// The most an input may take; tenfold without optimisation.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });
/// How often a slow input is tried, before it counts: the machine may have been busy.
const TRIES: u32 = 8;

/// Runs the target on the input.
///
/// # Panics
/// When the target does, or when every try takes longer than the limit.
pub fn watch(target: Target, on: &Installation, input: &[u8]) {
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        let started = Instant::now();
        target(on, input);
        fastest = fastest.min(started.elapsed());
        if fastest <= LIMIT {
            return;
        }
    }
    panic!("an input of {} bytes takes {fastest:?}, at most {LIMIT:?} is allowed", input.len());
}
