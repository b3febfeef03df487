//! Bad days, drawn from the seed.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use scv_bridge::mock::{BadDay, MockOrg, Operation};

use super::site::DEADLINE_MILLISECONDS;

/// How many bad days may wait for their request. While the bridge leaves the org alone, no more are added, so that it
/// finds the org well again some time.
const LONGEST_DIARY: usize = 4;

/// What the org does to those who ask it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It is slow, but within the deadline, and now and then says that it is not there: whether it has done the work is
    /// never in doubt.
    Mild,
    /// Everything else, too.
    Bad,
}

impl Weather {
    /// Perhaps a bad day for the org, once a call.
    pub fn brew(self, org: &MockOrg, dice: &mut StdRng) {
        match self {
            Self::Mild => mild(org, dice),
            Self::Bad => bad(org, dice),
        }
    }
}

fn mild(org: &MockOrg, dice: &mut StdRng) {
    let (is_slow, is_away) = (dice.random_bool(0.5), dice.random_bool(0.05));
    let on = operation(dice);
    let milliseconds = dice.random_range(20..DEADLINE_MILLISECONDS / 3);
    if org.scripted().len() >= LONGEST_DIARY {
        return;
    }
    if is_away {
        org.script(BadDay::Unavailable { retry_after: None }.on(on));
    } else if is_slow {
        org.script(BadDay::Slow { milliseconds }.on(on));
    }
}

fn bad(org: &MockOrg, dice: &mut StdRng) {
    let [bad, outage, limit] = [0.4, 0.005, 0.002].map(|chance| dice.random_bool(chance));
    let on = operation(dice);
    let day = day(dice);
    if org.scripted().len() >= LONGEST_DIARY {
        return;
    }
    if outage {
        // Long enough for the circuit breaker.
        org.script(BadDay::Unavailable { retry_after: None }.times(8));
    } else if limit {
        // Keeps all creates waiting for a second, in which many calls fail.
        org.script(BadDay::TooMany { retry_after: Some(1) });
    } else if bad {
        org.script(day.on(on));
    }
}

fn operation(dice: &mut StdRng) -> Operation {
    let all = [Operation::Create, Operation::OmniFlow, Operation::ClearRouting, Operation::Update];
    *all.choose(dice).unwrap()
}

fn day(dice: &mut StdRng) -> BadDay {
    match dice.random_range(0..11) {
        0..=2 => BadDay::Unavailable { retry_after: None },
        3 => BadDay::Unavailable { retry_after: Some(1) },
        4 | 5 => BadDay::DropConnection { after_work: false },
        6 => BadDay::DropConnection { after_work: true },
        7 => BadDay::HalfBody,
        8 => BadDay::Slow { milliseconds: dice.random_range(20..300) },
        9 => BadDay::WorksLate { milliseconds: DEADLINE_MILLISECONDS + 200 },
        _ => BadDay::Slow { milliseconds: DEADLINE_MILLISECONDS + 200 },
    }
}
