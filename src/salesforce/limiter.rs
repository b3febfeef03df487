//! The create limiter: Salesforce takes so many creates a second from an org and answers 429 to the next.
//!
//! It never lets more than that through in any second, wherever it begins ([`SlidingWindow`]). Creates that no caller waits for
//! take half of these places at most.
//!
//! A 429 pauses creates as long as Salesforce asks, but not for longer than [`LONGEST_CREATE_PAUSE`]: a limit of an hour would refuse an
//! hour of calls on one answer's word. After a pause of more than a second one create tries whether it is over, and the others
//! follow only if it is.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::sliding_window::SlidingWindow;

const SECOND: Duration = Duration::from_secs(1);
/// The longest pause that one answer of Salesforce can ask for.
pub const LONGEST_CREATE_PAUSE: Duration = Duration::from_secs(30);

/// The create limiter of one org, shared by all workers.
#[derive(Debug)]
pub struct CreateLimiter {
    state: Mutex<LimiterState>,
}

#[derive(Debug)]
struct LimiterState {
    all: SlidingWindow<Instant>,
    /// Creates that no caller waits for.
    patient: SlidingWindow<Instant>,
    pause: CreatePause,
}

/// A pause of creates.
#[derive(Debug, Clone, Copy)]
enum CreatePause {
    /// Salesforce has not asked for any.
    None,
    /// Salesforce has asked for one. `tries`: afterwards one create tries whether it is over.
    Until { until: Instant, tries: bool },
    /// One create tries.
    Trying,
}

/// The refusal of the limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreateLimited {
    /// All creates of this second are used.
    #[error("it takes no more creates from this org in this second")]
    Second {
        /// When to try again.
        retry_after: Duration,
    },
    /// Salesforce has asked for a pause.
    #[error(
        "it asked for a pause of creates; no more creates are sent for {} s",
        retry_after.as_millis().div_ceil(1000)
    )]
    Paused {
        /// How much of it is left.
        retry_after: Duration,
    },
    /// A pause may be over, and one create tries.
    #[error(
        "it asked for a pause of creates; no more creates are sent until one has tried whether that is over"
    )]
    Trying {
        /// When to try again.
        retry_after: Duration,
    },
}

impl CreateLimited {
    /// When to try again.
    #[must_use]
    pub fn retry_after(self) -> Duration {
        match self {
            Self::Second { retry_after } | Self::Paused { retry_after } | Self::Trying { retry_after } => {
                retry_after
            }
        }
    }
}

/// Whether there is a place, or when there will be one.
fn look(window: &SlidingWindow<Instant>, now: Instant) -> Result<(), CreateLimited> {
    match window.full_until(now) {
        Some(free) => Err(CreateLimited::Second { retry_after: free.saturating_duration_since(now) }),
        None => Ok(()),
    }
}

/// How many of the creates of a second may be those that no caller waits for.
fn share(per_second: usize) -> usize {
    (per_second / 2).max(1)
}

impl CreateLimiter {
    /// At most `per_second` creates in any second.
    pub fn new(per_second: usize) -> Self {
        let (all, patient) =
            (SlidingWindow::new(per_second, SECOND), SlidingWindow::new(share(per_second), SECOND));
        Self { state: Mutex::new(LimiterState { all, patient, pause: CreatePause::None }) }
    }

    /// At most `per_second` from now on; the creates of the last second count.
    pub fn adopt(&self, per_second: usize) {
        let mut state = self.state();
        state.all.adopt(per_second);
        state.patient.adopt(share(per_second));
    }

    /// Takes the place of one create. `is_patient`: no caller waits for it. The holder of a permit reports the answer, or
    /// drops the permit.
    ///
    /// # Errors
    /// When all of this second are taken, or Salesforce asked for a pause.
    pub fn try_take(&self, now: Instant, is_patient: bool) -> Result<CreatePermit<'_>, CreateLimited> {
        let mut state = self.state();
        let tries = match state.pause {
            CreatePause::Until { until, .. } if now < until => {
                return Err(CreateLimited::Paused { retry_after: until.saturating_duration_since(now) });
            }
            CreatePause::Trying => return Err(CreateLimited::Trying { retry_after: SECOND }),
            CreatePause::Until { tries, .. } => tries,
            CreatePause::None => false,
        };
        // Workers read their clocks before they get the lock: time must not run backwards here.
        let now = state.all.last().map_or(now, |last| now.max(last));
        look(&state.all, now)?;
        if is_patient {
            look(&state.patient, now)?;
            state.patient.take(now);
        }
        state.all.take(now);
        state.pause = if tries { CreatePause::Trying } else { CreatePause::None };
        Ok(CreatePermit { limiter: self, at: now, tries })
    }

    /// No code panics while it holds the lock.
    fn state(&self) -> MutexGuard<'_, LimiterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one create. Dropped without a report, it has tried nothing, and the next create tries.
#[derive(Debug)]
#[must_use = "the outcome of a create decides whether others may follow"]
pub struct CreatePermit<'a> {
    limiter: &'a CreateLimiter,
    at: Instant,
    /// Whether it tries if a pause is over.
    tries: bool,
}

impl CreatePermit<'_> {
    /// Salesforce answered something else than 429.
    pub fn done(mut self) {
        self.end(CreatePause::None);
    }

    /// Salesforce answered 429, and asks for a pause if it names one; returns how long creates are paused.
    pub fn limited(mut self, now: Instant, asked: Option<Duration>) -> Duration {
        let pause = asked.unwrap_or(SECOND).min(LONGEST_CREATE_PAUSE);
        let (end, long) = (now + pause, pause > SECOND);
        self.tries = false;
        let mut state = self.limiter.state();
        state.pause = match state.pause {
            CreatePause::Until { until, tries } => {
                CreatePause::Until { until: until.max(end), tries: tries || long }
            }
            CreatePause::None | CreatePause::Trying => CreatePause::Until { until: end, tries: long },
        };
        pause
    }

    /// Ends the trying, unless another create has been limited meanwhile.
    fn end(&mut self, then: CreatePause) {
        if !std::mem::take(&mut self.tries) {
            return;
        }
        let mut state = self.limiter.state();
        if matches!(state.pause, CreatePause::Trying) {
            state.pause = then;
        }
    }
}

impl Drop for CreatePermit<'_> {
    fn drop(&mut self) {
        self.end(CreatePause::Until { until: self.at, tries: true });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes a place for a caller who waits; Salesforce makes the record.
    fn take(limiter: &CreateLimiter, now: Instant) -> Result<(), CreateLimited> {
        limiter.try_take(now, false).map(CreatePermit::done)
    }

    fn limited(milliseconds: u64) -> Result<(), CreateLimited> {
        Err(CreateLimited::Second { retry_after: Duration::from_millis(milliseconds) })
    }

    fn paused(seconds: u64) -> Result<(), CreateLimited> {
        Err(CreateLimited::Paused { retry_after: Duration::from_secs(seconds) })
    }

    /// A create is answered 429.
    fn refuse(limiter: &CreateLimiter, now: Instant, asked: Option<u64>) {
        limiter.try_take(now, false).unwrap().limited(now, asked.map(Duration::from_secs));
    }

    #[test]
    fn a_burst_passes_up_to_the_limit_and_the_next_waits_for_the_oldest() {
        let (limiter, start) = (CreateLimiter::new(50), Instant::now());
        for _ in 0..50 {
            assert_eq!(take(&limiter, start), Ok(()));
        }
        assert_eq!(take(&limiter, start), limited(1000));
        assert_eq!(take(&limiter, start + Duration::from_millis(999)), limited(1));
        assert_eq!(take(&limiter, start + SECOND), Ok(()));
    }

    #[test]
    fn a_pause_that_salesforce_asked_for_holds_and_a_shorter_one_does_not_end_it() {
        let (limiter, start) = (CreateLimiter::new(50), Instant::now());
        let both = [limiter.try_take(start, false).unwrap(), limiter.try_take(start, false).unwrap()];
        for (permit, asked) in both.into_iter().zip([Some(Duration::from_secs(7)), None]) {
            permit.limited(start, asked);
        }
        assert_eq!(take(&limiter, start + Duration::from_secs(6)), paused(1));
        assert_eq!(take(&limiter, start + Duration::from_secs(7)), Ok(()));
    }

    #[test]
    fn a_pause_of_an_hour_is_cut_and_one_create_tries_whether_it_is_over() {
        let (limiter, start) = (CreateLimiter::new(50), Instant::now());
        refuse(&limiter, start, Some(3600));
        assert_eq!(take(&limiter, start), paused(30));
        let message = take(&limiter, start).unwrap_err().to_string();
        assert!(message.contains("no more creates are sent for 30 s"), "{message}");
        let later = start + LONGEST_CREATE_PAUSE;
        let first = limiter.try_take(later, false).unwrap();
        assert_eq!(
            take(&limiter, later),
            Err(CreateLimited::Trying { retry_after: SECOND }),
            "one is enough"
        );
        first.limited(later, Some(Duration::from_secs(3600)));
        assert_eq!(take(&limiter, later), paused(30), "it is not over");
        let end = later + LONGEST_CREATE_PAUSE;
        assert_eq!(take(&limiter, end), Ok(()));
        assert_eq!(take(&limiter, end), Ok(()), "it is over for all");
    }

    #[test]
    fn an_unanswered_probing_create_leaves_the_probe_to_the_next() {
        let (limiter, start) = (CreateLimiter::new(50), Instant::now());
        refuse(&limiter, start, Some(5));
        let later = start + Duration::from_secs(5);
        drop(limiter.try_take(later, false).unwrap());
        let second = limiter.try_take(later, false).unwrap();
        assert!(take(&limiter, later).is_err());
        second.done();
        assert_eq!(take(&limiter, later), Ok(()));
    }

    #[test]
    fn the_limit_of_a_second_needs_no_try() {
        let (limiter, start) = (CreateLimiter::new(50), Instant::now());
        refuse(&limiter, start, None);
        let _first = limiter.try_take(start + SECOND, false).unwrap();
        assert_eq!(take(&limiter, start + SECOND), Ok(()));
    }

    #[test]
    fn creates_that_nobody_waits_for_leave_half_of_the_places_to_callers() {
        let (limiter, start) = (CreateLimiter::new(4), Instant::now());
        let patient = || limiter.try_take(start, true).map(CreatePermit::done);
        assert_eq!((patient(), patient(), patient()), (Ok(()), Ok(()), limited(1000)));
        assert_eq!((take(&limiter, start), take(&limiter, start)), (Ok(()), Ok(())));
        assert_eq!(take(&limiter, start), limited(1000));
        assert_eq!(CreateLimiter::new(1).try_take(start, true).map(CreatePermit::done), Ok(()));
    }

    #[test]
    fn another_limit_counts_what_has_passed() {
        let (limiter, start) = (CreateLimiter::new(2), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!((take(&limiter, at(0)), take(&limiter, at(400))), (Ok(()), Ok(())));
        limiter.adopt(3);
        assert_eq!(take(&limiter, at(500)), Ok(()));
        limiter.adopt(2);
        assert_eq!(take(&limiter, at(1200)), limited(200), "the last two were at 400 and 500");
        assert_eq!(take(&limiter, at(1400)), Ok(()));
    }

    #[test]
    fn a_clock_that_was_read_before_anothers_takes_no_place_twice() {
        let (limiter, start) = (CreateLimiter::new(1), Instant::now());
        assert_eq!(take(&limiter, start + Duration::from_millis(2)), Ok(()));
        assert_eq!(take(&limiter, start), limited(1000));
    }

    proptest! {
        #[test]
        fn no_second_holds_more_than_the_limit_and_every_promise_is_kept(
            limit in 1_usize..20,
            steps in prop::collection::vec(0_u64..300, 1..300),
        ) {
            let (limiter, mut now) = (CreateLimiter::new(limit), Instant::now());
            let mut passed: Vec<Instant> = Vec::new();
            for step in steps {
                now += Duration::from_millis(step);
                if let Err(refusal) = take(&limiter, now) {
                    let retry_after = refusal.retry_after();
                    prop_assert!(retry_after > Duration::ZERO && retry_after <= SECOND);
                    now += retry_after;
                    prop_assert_eq!(take(&limiter, now), Ok(()));
                }
                passed.push(now);
            }
            for window in passed.windows(limit + 1) {
                prop_assert!(window[limit] - window[0] >= SECOND);
            }
        }
    }
}
