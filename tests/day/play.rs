//! The day as it comes: flows, agents and webhooks in the order of their times, webhooks through bad weather.

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
    acts: Vec<Act>,
    pub way: Way,
}

impl Day {
    /// In this weather.
    pub fn of(calls: &[Call], seed: u64) -> Self {
        let mut acts = acts(calls);
        acts.sort_by_key(|(at, _)| *at);
        let (mut others, mut sent) = (Vec::new(), Vec::new());
        for (place, (_, act)) in acts.into_iter().enumerate() {
            match act {
                Act::Publish(event) => sent.push((place, event)),
                act => others.push((place, act)),
            }
        }
        let weather = Weather { lost: 0.05, doubled: 0.05, delayed: 0.2, places: PLACES, seed };
        let events = sent.len();
        let arriving = weather.blow(sent);
        let mut way = Way { events, ..Way::default() };
        let mut arrived: Vec<usize> = arriving.iter().map(|(place, _)| *place).collect();
        let mut latest = 0;
        // One that is late arrives where those are that were sent later.
        let published = arriving.into_iter().map(|(place, event)| {
            way.late += usize::from(place < latest);
            latest = latest.max(place);
            (latest, Act::Publish(event))
        });
        others.extend(published.collect::<Vec<_>>());
        others.sort_by_key(|(place, _)| *place);
        arrived.sort_unstable();
        arrived.dedup();
        way.lost = events - arrived.len();
        way.doubled = others.iter().filter(|(_, act)| matches!(act, Act::Publish(_))).count() - arrived.len();
        Self { acts: others.into_iter().map(|(_, act)| act).collect(), way }
    }

    /// Does all of it; how many webhooks were sent, all of which were taken.
    pub async fn play(self, calls: &Arc<Vec<Call>>, org: &MockOrg, speaker: &Arc<Speaker>) -> usize {
        let acts = Arc::new(Mutex::new(self.acts.into_iter()));
        let voices: Arc<Vec<Voice>> = Arc::new(calls.iter().map(|_| Voice::default()).collect());
        let taken = Arc::new(AtomicUsize::new(0));
        let mut hands = JoinSet::new();
        for _ in 0..TOGETHER {
            let (acts, voices, taken) = (Arc::clone(&acts), Arc::clone(&voices), Arc::clone(&taken));
            let (calls, org, speaker) = (Arc::clone(calls), org.clone(), Arc::clone(speaker));
            hands.spawn(async move {
                loop {
                    let next = acts.lock().unwrap().next();
                    match next {
                        None => return,
                        Some(Act::Create(at)) => speaker.create(&calls[at], &voices[at]).await,
                        Some(Act::Route(at)) => speaker.route(&calls[at], &voices[at]).await,
                        Some(Act::Accept(at)) => {
                            assert!(org.agent_accepts(&id(&voices[at]).await, "agent@example.com"));
                        }
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

/// All that happens, with its time.
fn acts(calls: &[Call]) -> Vec<(i64, Act)> {
    let mut acts = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let truth = &call.truth;
        if call.flow != Flow::None {
            acts.push((truth.start, Act::Create(at)));
            acts.extend(truth.enqueued.map(|time| (time, Act::Route(at))));
            acts.extend(truth.accepted.map(|time| (time, Act::Accept(at))));
            acts.push((truth.end, Act::End(at)));
        }
        let events = call.events.iter();
        acts.extend(events.map(|(time, event)| (*time, Act::Publish(Box::new(event.clone())))));
    }
    acts
}
