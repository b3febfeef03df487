//! The day as it comes: flows, agents and webhooks in the order of their times, webhooks through bad weather. What is late
//! comes in a second part, when all that the first has led to is done.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use scv_bridge::mock::MockOrg;
use scv_bridge::mock::webex::{Event, Weather};
use tokio::task::JoinSet;

use super::call::{Call, Flow};
use super::flow::{Speaker, Voice, id};

/// Requests at the same time.
const TOGETHER: usize = 32;
/// By how many places of the day an event is late at most.
const PLACES: usize = 400;

/// Something that somebody does.
enum Act {
    Create(usize),
    Route(usize),
    /// The agent's desktop takes the work in Salesforce.
    Accept(usize),
    End(usize),
    Publish(Box<Event>),
}

/// What the weather did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Way {
    pub events: usize,
    pub lost: usize,
    pub doubled: usize,
    /// Came after one that had been sent later.
    pub late: usize,
}

/// What is to be done, in order.
pub struct Day {
    parts: [Vec<Act>; 2],
    voices: Arc<Vec<Voice>>,
    pub way: Way,
    /// The ids of events that never arrive.
    pub lost: HashSet<String>,
}

impl Day {
    /// In this weather.
    pub fn of(calls: &[Call], seed: u64) -> Self {
        let mut day = Self {
            parts: [Vec::new(), Vec::new()],
            voices: Arc::new(calls.iter().map(|_| Voice::default()).collect()),
            way: Way::default(),
            lost: HashSet::new(),
        };
        for (part, mut acts) in acts(calls).into_iter().enumerate() {
            acts.sort_by_key(|(at, _)| *at);
            let weather =
                Weather { lost: 0.05, doubled: 0.05, delayed: 0.2, places: PLACES, seed: seed ^ part as u64 };
            day.parts[part] = day.blow(acts, weather);
        }
        day
    }

    fn blow(&mut self, acts: Vec<(i64, Act)>, weather: Weather) -> Vec<Act> {
        let (mut others, mut sent) = (Vec::new(), Vec::new());
        for (place, (_, act)) in acts.into_iter().enumerate() {
            match act {
                Act::Publish(event) => sent.push((place, event)),
                act => others.push((place, act)),
            }
        }
        self.way.events += sent.len();
        self.lost.extend(sent.iter().map(|(_, event)| event.id.clone()));
        let before = self.lost.len();
        let arriving = weather.blow(sent);
        for (_, event) in &arriving {
            self.lost.remove(&event.id);
        }
        let (copies, arrived) = (arriving.len(), before - self.lost.len());
        let mut latest = 0;
        // One that is late arrives where those are that were sent later.
        let published = arriving.into_iter().map(|(place, event)| {
            self.way.late += usize::from(place < latest);
            latest = latest.max(place);
            (latest, Act::Publish(event))
        });
        others.extend(published.collect::<Vec<_>>());
        others.sort_by_key(|(place, _)| *place);
        self.way.lost = self.lost.len();
        self.way.doubled += copies - arrived;
        others.into_iter().map(|(_, act)| act).collect()
    }

    /// Does all of a part; how many webhooks were sent, all of which were taken.
    pub async fn play(
        &mut self,
        part: usize,
        calls: &Arc<Vec<Call>>,
        org: &MockOrg,
        speaker: &Arc<Speaker>,
    ) -> usize {
        let acts = std::mem::take(&mut self.parts[part]);
        let acts = Arc::new(Mutex::new(acts.into_iter()));
        let taken = Arc::new(AtomicUsize::new(0));
        let mut hands = JoinSet::new();
        for _ in 0..TOGETHER {
            let (acts, voices, taken) = (Arc::clone(&acts), Arc::clone(&self.voices), Arc::clone(&taken));
            let (calls, org, speaker) = (Arc::clone(calls), org.clone(), Arc::clone(speaker));
            hands.spawn(async move {
                loop {
                    let next = acts.lock().unwrap().next();
                    match next {
                        None => return,
                        Some(Act::Create(at)) => speaker.create(&calls[at], &voices[at]).await,
                        Some(Act::Route(at)) => speaker.route(&calls[at], &voices[at]).await,
                        Some(Act::Accept(at)) => accept(&calls[at], &voices[at], &org).await,
                        Some(Act::End(at)) => speaker.end(&calls[at], &voices[at]).await,
                        Some(Act::Publish(event)) => {
                            assert!(speaker.publish(&event).await, "{} was not taken", event.kind);
                            taken.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        while let Some(hand) = hands.join_next().await {
            hand.unwrap();
        }
        taken.load(Ordering::Relaxed)
    }
}

/// Salesforce offers nothing to an agent that is over there: so is a callback of which no sign has come.
async fn accept(call: &Call, voice: &Voice, org: &MockOrg) {
    let is_there = org.agent_accepts(&id(voice).await, "agent@example.com");
    assert!(is_there || call.truth.is_callback, "{} is over, and an agent has it", call.key);
}

/// All that happens, with its time, before the grace of what seems to be an end and after it.
fn acts(calls: &[Call]) -> [Vec<(i64, Act)>; 2] {
    let mut acts = [Vec::new(), Vec::new()];
    for (number, call) in calls.iter().enumerate() {
        let truth = &call.truth;
        if call.flow != Flow::None {
            let is_paused = |at: i64| call.pause.is_some_and(|(_, pause)| at >= pause);
            let mut add = |at: i64, act: Act| acts[usize::from(is_paused(at))].push((at, act));
            add(truth.start, Act::Create(number));
            if let Some(at) = truth.enqueued {
                add(at, Act::Route(number));
            }
            if let Some(at) = truth.accepted.filter(|_| call.is_taken_in_salesforce()) {
                add(at, Act::Accept(number));
            }
            add(call.hung_up, Act::End(number));
        }
        for (at, event) in call.events.iter().filter(|(_, event)| call.is_subscribed(event)) {
            let part = usize::from(call.is_late(*at, event));
            acts[part].push((*at, Act::Publish(Box::new(event.clone()))));
        }
    }
    acts
}
