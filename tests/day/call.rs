//! A call, and the truth about it: told by who made it up.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use scv_bridge::mock::webex::Event;

use super::search::Oddity;
use super::site::CENTERS;
use super::tale::{Tale, Told};
use super::weights::{Kind, happens, signs};

/// From one call to the next, in milliseconds: 50,000 are a day.
pub const PACE: i64 = 1_700;
/// For how long an end is doubted at least that may be a consulted party's, and a part of the day played.
const DOUBTED: i64 = 4 * 60_000;
/// What tenants subscribe to at least.
const LEAST: [&str; 2] = ["task:connected", "task:ended"];

/// What the flow of a call tells of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The vendor's: clearRouting and an update "Abandoned in queue" for every call, answered or not.
    Vendors,
    /// phoneContactEnded.
    Ours,
    /// Nothing: its event flow never runs.
    Silent,
    /// There is none: not even a create.
    None,
}

/// Which events come only after the flow's end of the call, and after the grace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// None.
    Nothing,
    /// About half of them, whatever they tell.
    Half,
    /// All signs of an agent, though not the end of the call.
    Signs,
    /// All signs of an agent, and the end too.
    SignsAndEnd,
}

/// A call. Times are epoch milliseconds, durations milliseconds.
pub struct Call {
    /// The interaction id.
    pub task: String,
    /// vendorCallKey.
    pub key: String,
    /// Its contact center.
    pub center: &'static str,
    pub kind: Kind,
    /// How its flow behaves.
    pub flow: Flow,
    /// When its flow hears that the caller is gone.
    pub hung_up: i64,
    /// Whether only the least is subscribed to.
    pub is_least: bool,
    pub late: Late,
    /// Where a part of it ends, after which nothing comes until the grace is over; and before, when that has begun which looks
    /// like an end.
    pub pause: Option<(i64, i64)>,
    /// What is odd about its record in Search.
    pub oddity: Option<Oddity>,
    /// What happens, in order, as webhooks tell it.
    pub events: Vec<(i64, Event)>,
    /// The same, as Search shows it.
    pub activities: Vec<(i64, &'static str)>,
    /// What is true.
    pub truth: Truth,
}

/// What a final record must say, and who gave up where.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    pub start: i64,
    pub end: i64,
    pub enqueued: Option<i64>,
    pub accepted: Option<i64>,
    pub holds: Vec<i64>,
    /// Agents' time, holds included.
    pub with_agents: i64,
    /// The caller's last queue.
    pub queue: Option<String>,
    /// The caller's last agent.
    pub agent: Option<String>,
    /// When a recording began and ended.
    pub recorded: Option<(i64, i64)>,
    /// Whether the caller has chosen to be called back.
    pub is_callback: bool,
    /// Whether a consulted party's end is told within milliseconds of the caller's.
    pub ends_twice: bool,
    /// How often and how long, as Search sums it up.
    pub connected: u32,
    pub queued: u32,
    pub queued_for: i64,
    pub rang_for: i64,
    /// By how many milliseconds a clock may be wrong.
    pub jitter: i64,
    /// By how many milliseconds events may differ that tell of the same moment.
    pub slack: i64,
}

impl Call {
    /// The call of this number: the same seed tells the same call. `begin`: of the day. `now`: about when it has been played.
    pub fn of(seed: u64, number: usize, begin: i64, now: i64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
        let task = format!("{:08x}-5c1d-4b8e-9a55-{:012x}", seed as u32, number);
        let start = begin + PACE * i64::try_from(number).unwrap() + dice.random_range(0..PACE);
        let flow = match dice.random_range(0..100) {
            0..45 => Flow::Vendors,
            45..70 => Flow::Ours,
            70..98 => Flow::Silent,
            _ => Flow::None,
        };
        let told_by = dice.random_range(0..u64::MAX);
        let tell = |start: i64| Tale::tell(&task, start, StdRng::seed_from_u64(told_by));
        let mut told = tell(start);
        let dice = &mut dice;
        let late = match dice.random_range(0..10) {
            _ if !happens(dice, signs::LATE) => Late::Nothing,
            0..4 => Late::Half,
            _ if told.kind != Kind::Answered => Late::Half,
            4..8 => Late::Signs,
            _ => Late::SignsAndEnd,
        };
        let may_pause = late == Late::Nothing && happens(dice, signs::PAUSED);
        let which = dice.random_range(0..100);
        let pause = told.pauses.iter().copied().cycle().take(100).nth(which).filter(|_| may_pause);
        // Who waits to be called back does so before an agent has the call. Else the end of a consulted party is told, which is
        // doubted lately only: the call ends now, not long after its pause.
        let accepted = told.truth.accepted;
        let is_doubted = |pause| accepted.is_some_and(|accepted| accepted < pause);
        let pause = pause.filter(|(_, pause)| !is_doubted(*pause) || told.truth.end - pause < DOUBTED);
        let pause = match pause {
            Some((began, pause)) if is_doubted(pause) => {
                let later = now - told.truth.end;
                told = tell(start + later);
                Some((began + later, pause + later))
            }
            pause => pause,
        };
        let Told { kind, events, activities, truth, hung_up, .. } = told;
        let is_told = !matches!(kind, Kind::Outdial | Kind::Chat);
        Self {
            key: format!("wxcc_{task}"),
            task,
            center: CENTERS[number % CENTERS.len()],
            kind,
            flow: if is_told { flow } else { Flow::None },
            hung_up,
            is_least: happens(dice, signs::LEAST),
            late,
            pause,
            oddity: happens(dice, signs::ODD).then(|| Oddity::any(dice)),
            events,
            activities,
            truth,
        }
    }

    /// Whether a webhook is sent for an event at all.
    pub fn is_subscribed(&self, event: &Event) -> bool {
        !self.is_least || LEAST.contains(&event.kind.as_str())
    }

    /// Whether an event comes after the grace, and after all that the first part of the call has led to.
    pub fn is_late(&self, at: i64, event: &Event) -> bool {
        let is_end = event.kind == "task:ended" && at == self.truth.end;
        let answered = self.truth.accepted.map(|accepted| accepted - self.truth.slack);
        match self.late {
            Late::Nothing => self.pause.is_some_and(|(_, pause)| at >= pause),
            Late::Half => event.id.bytes().map(u32::from).sum::<u32>() / 2 % 2 == 0,
            Late::Signs if is_end => false,
            Late::Signs | Late::SignsAndEnd => answered.is_some_and(|answered| at >= answered),
        }
    }

    /// Whether an agent's desktop takes the work in Salesforce: not if the caller is gone by then, or if it seems so.
    pub fn is_taken_in_salesforce(&self) -> bool {
        !self.hides_agent() && self.kind != Kind::HungUpAtOnce && !self.is_hung_up_early()
    }

    /// Whether neither the flow nor Salesforce learns of the agent: late webhooks are the only signs.
    pub fn hides_agent(&self) -> bool {
        matches!(self.late, Late::Signs | Late::SignsAndEnd)
    }

    /// Whether the flow says that the caller is gone before any webhook can tell that they have chosen to be called back.
    pub fn is_choice_untold(&self) -> bool {
        self.truth.is_callback && self.is_hung_up_early() && matches!(self.flow, Flow::Vendors | Flow::Ours)
    }

    /// Whether the flow hears that the caller is gone long before the task ends.
    pub fn is_hung_up_early(&self) -> bool {
        self.hung_up < self.truth.end
    }
}
