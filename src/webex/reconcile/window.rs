//! Which time is compared next.

use jiff::{SignedDuration, Timestamp};

use crate::webex::TimeSpan;

/// Calls that have just ended are left to their own events, which may be on the way.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);
/// What is compared again: Search may show a task late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);
/// Where a new bridge begins.
const FIRST_WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// Webex keeps its data 13 months.
const FARTHEST: SignedDuration = SignedDuration::from_hours(24 * 390);
/// The longest stretch that is compared before its end is kept.
const SLICE: SignedDuration = SignedDuration::from_hours(6);

/// How far ahead a mark may lie: replicas' clocks differ a little.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The next stretch, whose end is the next water mark, and the mark before it; none while nothing has settled since.
pub(super) fn next(mark: Option<Timestamp>, now: Timestamp) -> Option<(TimeSpan, Timestamp)> {
    let settled = before(now, SETTLED);
    // One of a clock that was set back since would hide what ends until then.
    let mark = mark.filter(|mark| mark.duration_since(now) <= AHEAD);
    let mark = mark.unwrap_or_else(|| before(settled, FIRST_WINDOW)).max(before(now, FARTHEST));
    if mark >= settled {
        return None;
    }
    let to = mark.checked_add(SLICE).unwrap_or(Timestamp::MAX).min(settled);
    Some((TimeSpan { from: before(mark, OVERLAP), to }, mark))
}

/// A range in stretches, so that there is progress to show. Webex counts in milliseconds: none is shorter than one.
pub(super) fn slices(range: TimeSpan) -> Vec<TimeSpan> {
    let (mut from, to) = (range.from.as_millisecond(), range.to.as_millisecond());
    let (shortest, longest) = (OVERLAP.as_millis(), SLICE.as_millis());
    let length = i128::from(to.saturating_sub(from) / 50).clamp(shortest, longest);
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap_or(range.to);
    let mut all = Vec::new();
    while from < to {
        let end = from.saturating_add(length).min(to);
        all.push(TimeSpan { from: at(from), to: at(end) });
        from = end;
    }
    all
}

fn before(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + minute * 60).unwrap()
    }

    #[test]
    fn the_first_hour_then_what_is_new_with_some_overlap() {
        assert_eq!(next(None, at(0)), Some((TimeSpan { from: at(-77), to: at(-2) }, at(-62))));
        assert_eq!(next(Some(at(-2)), at(5)), Some((TimeSpan { from: at(-17), to: at(3) }, at(-2))));
        assert_eq!(next(Some(at(3)), at(5)), None);
        assert_eq!(next(Some(at(9)), at(5)), None, "a clock that went back a little");
        assert_eq!(next(Some(at(125)), at(5)), next(None, at(5)), "a clock that was set back");
    }

    #[test]
    fn a_long_time_is_taken_in_parts() {
        let span = next(Some(at(0)), at(60 * 24)).unwrap();
        assert_eq!(span, (TimeSpan { from: at(-15), to: at(360) }, at(0)));
    }

    proptest! {
        #[test]
        fn slices_are_the_range_without_gaps(minutes in 1_i64..60 * 24 * 390) {
            let all = slices(TimeSpan { from: at(0), to: at(minutes) });
            prop_assert_eq!((all[0].from, all[all.len() - 1].to), (at(0), at(minutes)));
            prop_assert!(all.windows(2).all(|pair| pair[0].to == pair[1].from));
            prop_assert!(all.iter().all(|span| span.from < span.to));
        }

        #[test]
        fn no_slice_is_shorter_than_a_millisecond(nanoseconds in 0_i64..3_600_000_000_000) {
            let from = Timestamp::from_nanosecond(1_795_000_000_123_456_789).unwrap();
            let to = from.checked_add(SignedDuration::from_nanos(nanoseconds)).unwrap();
            let all = slices(TimeSpan { from, to });
            prop_assert!(all.iter().all(|span| span.from.as_millisecond() < span.to.as_millisecond()));
        }
    }
}
