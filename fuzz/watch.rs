//! How long an input may take.

use std::fs;
use std::time::{Duration, Instant};

use super::installation::Installation;
use super::targets::Target;

/// The most an input may take.
const LIMIT: Duration = Duration::from_millis(50);
/// How often a slow input is tried before it counts.
const TRIES: u32 = 5;

/// Runs the target on the input.
///
/// # Panics
/// When the target does, or when every try takes longer than the limit. What counts is what this thread has used of a
/// processor: the machine may be busy with others.
pub fn watch(target: Target, on: &Installation, input: &[u8]) {
    let started = Instant::now();
    target(on, input);
    if started.elapsed() <= LIMIT {
        return;
    }
    let tries = (0..TRIES).map(|_| {
        let before = used();
        let started = Instant::now();
        target(on, input);
        used().zip(before).map_or_else(|| started.elapsed(), |(now, before)| now.saturating_sub(before))
    });
    let fastest = tries.min().unwrap_or_default();
    assert!(
        fastest <= LIMIT,
        "an input of {} bytes takes {fastest:?}, at most {LIMIT:?} is allowed",
        input.len()
    );
}

/// The time of a processor that this thread has had, where the system tells.
fn used() -> Option<Duration> {
    let line = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    line.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
