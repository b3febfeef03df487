//! Calls, as many at a time as a small contact center has, and the kills among them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::mock::MockOrg;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::engines::Plan;
use super::fleet::{Door, Fleet};
use super::flow::{Flow, Tally};
use super::site::Site;
use super::story::{Story, Told};
use super::trouble::{Incident, What};

/// Calls at the same time.
const CALLERS: usize = 16;
/// About how many requests there are for each hang-up that counts.
const REQUESTS_FOR_A_HANG_UP: usize = 5;
/// How many calls may be played for each hang-up that counts, before the load gives up.
const CALLS_FOR_A_HANG_UP: usize = 4;

/// How long a caller of a long run lets the machine rest at most.
const PAUSE: Duration = Duration::from_millis(500);

/// The load of one run.
pub struct Load {
    seed: u64,
    plan: Plan,
    org: MockOrg,
    flow: Flow,
    finished: Arc<watch::Sender<usize>>,
    next: AtomicU64,
    hang_ups: AtomicUsize,
    all_over: AtomicBool,
}

impl Load {
    /// The load of this plan on whatever is behind the door.
    pub fn new(seed: u64, plan: Plan, site: &Site, door: Door) -> Arc<Self> {
        let finished = Arc::new(watch::Sender::new(0));
        Arc::new(Self {
            seed,
            plan,
            org: site.org.clone(),
            flow: Flow::new(door, site.root(), plan.breaks, Arc::clone(&finished)),
            finished,
            next: AtomicU64::new(0),
            hang_ups: AtomicUsize::new(0),
            all_over: AtomicBool::new(false),
        })
    }

    /// What went wrong with requests.
    pub fn tally(&self) -> Arc<Tally> {
        self.flow.tally()
    }

    /// Nothing more will happen: the load ends when there were hang-ups enough.
    pub fn is_over(&self) {
        self.all_over.store(true, Ordering::Relaxed);
    }

    /// Plays calls until there were hang-ups enough and everything is over that happens to them; what the flows were told.
    pub async fn play(self: Arc<Self>) -> Vec<Told> {
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(Arc::clone(&self).call());
        }
        let mut told = Vec::new();
        while let Some(some) = callers.join_next().await {
            told.extend(some.unwrap());
        }
        // Nobody needs to wait for more.
        self.finished.send_replace(usize::MAX);
        told
    }

    async fn call(self: Arc<Self>) -> Vec<Told> {
        let limit = match self.plan.time {
            None => u64::try_from(self.plan.hang_ups * CALLS_FOR_A_HANG_UP).unwrap(),
            Some(_) => u64::MAX,
        };
        let mut told = Vec::new();
        while !self.is_enough() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= limit {
                break;
            }
            let mut dice = StdRng::seed_from_u64(!self.seed.wrapping_add(number));
            self.plan.weather.brew(&self.org, &mut dice);
            let one = Story::of(self.seed, number).play(&self.flow, &self.org).await;
            if one.is_abandoned() {
                self.hang_ups.fetch_add(1, Ordering::Relaxed);
            }
            told.push(one);
            if self.plan.time.is_some() {
                tokio::time::sleep(PAUSE.mul_f64(dice.random())).await;
            }
        }
        told
    }

    fn is_enough(&self) -> bool {
        self.all_over.load(Ordering::Relaxed) && self.hang_ups.load(Ordering::Relaxed) >= self.plan.hang_ups
    }

    /// Kills after random numbers of finished requests, so that all kills fall into the load; tells when.
    pub async fn kill(&self, fleet: &mut Fleet, mut dice: StdRng) -> Vec<Incident> {
        if self.plan.kills == 0 {
            return Vec::new();
        }
        let pace = self.plan.hang_ups * REQUESTS_FOR_A_HANG_UP / self.plan.kills;
        let mut finished = self.finished.subscribe();
        let mut killed = Vec::new();
        for _ in 0..self.plan.kills {
            let next = *finished.borrow() + dice.random_range(pace / 4..pace);
            let now = *finished.wait_for(|count| *count >= next).await.unwrap();
            if now == usize::MAX {
                break;
            }
            let from = fleet.kill_one(&mut dice).await;
            killed.push(Incident { what: What::Kill, from, to: SystemClock.now() });
        }
        killed
    }
}
