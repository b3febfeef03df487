//! Calls, as many at a time as a small contact center has, and the kills among them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use scv_bridge::mock::MockOrg;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::engines::Size;
use super::fleet::{Door, Fleet};
use super::flow::Flow;
use super::story::{Story, Told};
use super::weather::brew;

/// Calls at the same time.
const CALLERS: usize = 16;
/// About how many requests there are for each hang-up that counts.
const REQUESTS_FOR_A_HANG_UP: usize = 5;
/// How many calls may be played for each hang-up that counts, before the load gives up.
const CALLS_FOR_A_HANG_UP: usize = 4;

/// The load of one run.
pub struct Load {
    seed: u64,
    size: Size,
    org: MockOrg,
    flow: Flow,
    finished: Arc<watch::Sender<usize>>,
    next: AtomicU64,
    hang_ups: AtomicUsize,
    all_killed: AtomicBool,
}

impl Load {
    /// A load of this size on whatever is behind the door.
    pub fn new(seed: u64, size: Size, org: &MockOrg, door: Door) -> Arc<Self> {
        let finished = Arc::new(watch::Sender::new(0));
        Arc::new(Self {
            seed,
            size,
            org: org.clone(),
            flow: Flow::new(door, Arc::clone(&finished)),
            finished,
            next: AtomicU64::new(0),
            hang_ups: AtomicUsize::new(0),
            all_killed: AtomicBool::new(false),
        })
    }

    /// Plays calls until there were hang-ups enough and all kills are over; what the flows were told.
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
        let limit = u64::try_from(self.size.hang_ups * CALLS_FOR_A_HANG_UP).unwrap();
        let mut told = Vec::new();
        while !self.is_enough() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= limit {
                break;
            }
            brew(&self.org, &mut StdRng::seed_from_u64(!self.seed.wrapping_add(number)));
            let one = Story::of(self.seed, number).play(&self.flow, &self.org).await;
            if one.is_abandoned() {
                self.hang_ups.fetch_add(1, Ordering::Relaxed);
            }
            told.push(one);
        }
        told
    }

    fn is_enough(&self) -> bool {
        self.all_killed.load(Ordering::Relaxed) && self.hang_ups.load(Ordering::Relaxed) >= self.size.hang_ups
    }

    /// Kills after random numbers of finished requests, so that all kills fall into the load; tells when.
    pub async fn kill(&self, fleet: &mut Fleet, mut dice: StdRng) -> Vec<Timestamp> {
        let pace = self.size.hang_ups * REQUESTS_FOR_A_HANG_UP / self.size.kills;
        let mut finished = self.finished.subscribe();
        let mut killed = Vec::new();
        for _ in 0..self.size.kills {
            let next = *finished.borrow() + dice.random_range(pace / 4..pace);
            let now = *finished.wait_for(|count| *count >= next).await.unwrap();
            if now == usize::MAX {
                break;
            }
            killed.push(fleet.kill_one(&mut dice).await);
        }
        self.all_killed.store(true, Ordering::Relaxed);
        killed
    }
}
