use proptest::prelude::*;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn seconds(list: &[u64]) -> Vec<Duration> {
    list.iter().copied().map(Duration::from_secs).collect()
}

/// The schedule of config/default.toml.
fn usual() -> Schedule {
    Schedule { pauses: seconds(&[1, 5, 15, 60, 300, 900, 3600]), give_up_after: 72 * HOUR }
}

fn created() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

/// Lets every attempt fail at once and returns the seconds from the creation to each.
fn attempts(schedule: &Schedule, mut jitter: impl FnMut() -> f64) -> Vec<i64> {
    let (mut now, mut times) = (created(), vec![0]);
    for count in 1.. {
        match schedule.next(count, created(), now, None, jitter()) {
            Next::At(next) => {
                assert!(next > now);
                now = next;
                times.push(now.duration_since(created()).as_secs());
            }
            Next::GiveUp => break,
        }
    }
    times
}

#[test]
fn the_usual_schedule_ends_with_an_attempt_after_exactly_72_hours() {
    let times = attempts(&usual(), || 0.5);
    assert_eq!(times[..9], [0, 1, 6, 21, 81, 381, 1281, 4881, 8481]);
    assert_eq!(times.last(), Some(&(72 * 3600)));
    assert_eq!(times.len(), 79);
}

#[test]
fn an_entry_that_was_never_tried_is_due_however_old_it_is() {
    let late = created() + 100 * HOUR;
    assert_eq!(usual().next(0, created(), late, None, 0.0), Next::At(late));
}

#[test]
fn an_entry_that_was_tried_once_is_not_given_up_because_the_clock_jumped() {
    let late = created() + 80 * HOUR;
    let Next::At(next) = usual().next(1, created(), late, None, 0.5) else { panic!("given up") };
    assert_eq!(next, late + Duration::from_secs(1));
    let tried = |attempts| usual().next(attempts, created(), late, None, 0.5);
    let given_up = (1..).find(|attempts| tried(*attempts) == Next::GiveUp);
    assert_eq!(given_up, Some(72), "nearly as often as the schedule tries in 72 hours");
}

#[test]
fn salesforces_own_pause_is_obeyed_and_not_cut_at_the_end() {
    let now = created() + 71 * HOUR;
    let next = |after| usual().next(78, created(), now, Some(after), 0.0);
    assert_eq!(next(Duration::from_secs(1)), Next::At(now + Duration::from_secs(3240)));
    assert_eq!(next(HOUR), Next::At(now + HOUR));
    assert_eq!(next(HOUR + Duration::from_secs(1)), Next::GiveUp);
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    (prop::collection::vec(100_u64..86_400_000, 1..12), 60_u64..2_592_000).prop_map(|(mut pauses, end)| {
        pauses.sort_unstable();
        let pauses = pauses.into_iter().map(Duration::from_millis).collect();
        Schedule { pauses, give_up_after: Duration::from_secs(end) }
    })
}

proptest! {
    #[test]
    fn a_next_attempt_lies_ahead_not_after_the_end_and_not_before_what_salesforce_asked(
        schedule in any_schedule(),
        attempts in 1_u32..,
        age in 0_u64..3_000_000,
        asked in prop::option::of(0_u64..10_000),
        jitter in 0.0..1.0,
    ) {
        let now = created() + Duration::from_secs(age);
        let end = schedule.end(attempts, created(), now);
        prop_assert!(end >= created() + schedule.give_up_after, "the clock never shortens it");
        let asked = asked.map(Duration::from_secs);
        match schedule.next(attempts, created(), now, asked, jitter) {
            Next::At(next) => {
                prop_assert!(now < next && next <= end);
                prop_assert!(next >= now + asked.unwrap_or_default());
            }
            Next::GiveUp => prop_assert!(now + asked.unwrap_or_default() >= end),
        }
    }

    #[test]
    fn whatever_the_clock_does_nothing_is_given_up_before_it_was_tried_as_often_as_the_slowest_schedule_tries(
        schedule in any_schedule(),
        clock in prop::collection::vec(-3_000_000_i64..6_000_000, 1..60),
        jitter in 0.0..1.0,
    ) {
        for (attempts, second) in (1..).zip(clock) {
            let now = Timestamp::from_second(created().as_second() + second).unwrap();
            if schedule.next(attempts, created(), now, None, jitter) == Next::GiveUp {
                prop_assert!(schedule.slowest(attempts) >= schedule.give_up_after);
                prop_assert!(now >= created() + schedule.give_up_after);
            }
        }
    }

    #[test]
    fn with_a_sound_clock_however_slow_the_attempts_are_it_ends_when_it_is_configured_to(
        schedule in any_schedule(),
        slowness in prop::collection::vec(0_u64..=11_000, 1..50),
        draws in prop::collection::vec(0.0..1.0, 1..50),
    ) {
        let (mut slowness, mut draws) = (slowness.into_iter().cycle(), draws.into_iter().cycle());
        let mut now = created() + Duration::from_millis(slowness.next().unwrap());
        for attempts in 1..2000 {
            match schedule.next(attempts, created(), now, None, draws.next().unwrap()) {
                Next::At(next) => now = next + Duration::from_millis(slowness.next().unwrap()),
                Next::GiveUp => {
                    let late = now.duration_since(created() + schedule.give_up_after);
                    prop_assert!(late.as_millis() <= 11_000);
                    break;
                }
            }
        }
    }

    #[test]
    fn pauses_never_shrink_from_one_attempt_to_the_next(
        schedule in any_schedule(),
        count in 1_u32..20,
        asked in prop::option::of(0_u64..10_000),
        jitter in 0.0..1.0,
    ) {
        let asked = asked.map(Duration::from_secs);
        let next = |count| match schedule.next(count, created(), created(), asked, jitter) {
            Next::At(at) => at,
            Next::GiveUp => Timestamp::MAX,
        };
        prop_assert!(next(count) <= next(count + 1));
    }

    #[test]
    fn a_pause_differs_by_at_most_a_tenth_from_the_list(count in 1_u32..7, jitter in 0.0..1.0) {
        let listed = usual().pauses[count as usize - 1];
        let Next::At(next) = usual().next(count, created(), created(), None, jitter) else {
            panic!("gave up on a new entry");
        };
        let pause = Duration::try_from(next.duration_since(created())).unwrap();
        prop_assert!(pause >= listed * 9 / 10 && pause <= listed * 11 / 10);
    }

    #[test]
    fn whatever_the_jitter_the_last_attempt_falls_on_the_end(draws in prop::collection::vec(0.0..1.0, 1..50)) {
        let mut draws = draws.into_iter().cycle();
        let times = attempts(&usual(), || draws.next().unwrap());
        prop_assert_eq!(times.last(), Some(&(72 * 3600)));
    }

    #[test]
    fn no_input_makes_it_panic(
        attempts in any::<u32>(),
        created in Timestamp::MIN.as_second()..Timestamp::MAX.as_second(),
        now in Timestamp::MIN.as_second()..Timestamp::MAX.as_second(),
        asked in prop::option::of(any::<u64>()),
        jitter in prop::num::f64::ANY,
    ) {
        let at = |second| Timestamp::from_second(second).unwrap();
        let _ = usual().next(attempts, at(created), at(now), asked.map(Duration::from_secs), jitter);
    }
}
