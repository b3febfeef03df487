//! Salesforce is away for days: every attempt comes at its time, and in the end all is delivered, in order.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scv_bridge::mock::{BadDay, Disposition, Operation};
use scv_bridge::store::{Entry, EntryState, Filter, Run};

use crate::stage::{NOW, Plan, Stage, ended};

const HOUR: i64 = 3600;
/// The seconds between attempts, as the default schedule has them; the last repeats.
const PAUSES: [i64; 7] = [1, 5, 15, 60, 300, 900, HOUR];

/// A stage whose org answers nothing but 503, and whose breaker, which knows no simulated time, stays closed.
async fn outage(keys: &[&str]) -> Stage {
    let stage = Plan::telephony().sections("[breaker]\nfailures = 1000\nslow_calls = 1000").start().await;
    for key in keys {
        stage.call(key).await;
    }
    stage.org.forget_requests();
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
    }
    for key in keys {
        let reply = stage.post("phoneContactEnded", ended(key)).await;
        assert_eq!(reply.data()["status"], "pending");
    }
    // Until the first attempts are written down.
    stage.work_until(async || stage.entries().await.iter().all(|entry| entry.attempts == 1)).await;
    stage
}

/// The next entry that is due: the earliest of those that wait for no other of their call.
async fn next(stage: &Stage) -> Entry {
    let mut entries = stage.entries().await;
    entries.sort_by_key(|entry| (entry.call.as_ref().map(|call| call.id), entry.id));
    entries.dedup_by_key(|entry| entry.call.as_ref().map(|call| call.id));
    entries.into_iter().min_by_key(|entry| (entry.next_at, entry.id)).unwrap()
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

fn time_until(stage: &Stage, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(stage.handle.outbox().now())).unwrap()
}

/// Lets the time pass until the next attempt, sees that nothing is asked before and one thing then, and gives the
/// entry as it was before.
async fn attempt(stage: &Stage) -> Entry {
    let entry = next(stage).await;
    let asked = stage.org.requests().len();
    let moment = Duration::from_millis(1);
    stage.clock.advance(time_until(stage, entry.next_at) - moment);
    assert_eq!(stage.handle.worker().step().await.unwrap().taken, 0, "nothing is due yet");
    stage.clock.advance(moment);
    let tried = async || {
        let now = stage.entries().await.into_iter().find(|one| one.id == entry.id);
        now.is_none_or(|now| now.attempts > entry.attempts)
    };
    stage.work_until(tried).await;
    let requests = stage.org.requests();
    assert_eq!(requests.len(), asked + 1);
    assert_eq!(requests[asked].at, entry.next_at, "at its time");
    entry
}

#[actix_web::test]
async fn an_outage_of_72_hours_is_outlived_try_by_try_and_in_order() {
    let keys = ["wxcc_0", "wxcc_1", "wxcc_2"];
    let stage = outage(&keys).await;
    let begun: Timestamp = NOW.parse().unwrap();
    let mut last = HashMap::new();
    let mut attempts = 0;
    while seconds(begun, next(&stage).await.next_at) < 71.5 * 3600.0 {
        let entry = attempt(&stage).await;
        let before = last.insert(entry.id, entry.next_at).unwrap_or(begun);
        let pause = PAUSES[usize::try_from(entry.attempts - 1).unwrap().min(PAUSES.len() - 1)] as f64;
        let waited = seconds(before, entry.next_at) / pause;
        assert!((0.899..1.101).contains(&waited), "pause {pause} s, times {waited}");
        attempts += 1;
    }
    assert!(attempts >= 3 * 70, "only {attempts} attempts");
    stage.org.forget_scripts();
    stage.org.forget_requests();
    stage.deliver(2 * 3600).await;
    for key in keys {
        let call = stage.org.voice_call(key).unwrap();
        assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1));
        let requests = stage.org.requests();
        let of_call = requests.iter().filter(|request| request.path.contains(&call.id));
        let order: Vec<_> = of_call.map(|request| request.operation).collect();
        assert_eq!(order, [Operation::ClearRouting, Operation::Update]);
    }
}

#[actix_web::test]
async fn after_72_hours_an_entry_is_buried_and_sent_again_it_has_all_its_time() {
    let stage = outage(&["wxcc_0"]).await;
    let end = NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(72);
    while next(&stage).await.next_at < end {
        attempt(&stage).await;
    }
    let last = next(&stage).await;
    assert_eq!(last.next_at, end, "the last attempt is at the end itself");
    stage.clock.advance(time_until(&stage, end));
    let is_buried = |entry: &Entry| entry.state == EntryState::Buried;
    stage.work_until(async || is_buried(&stage.entries().await[0])).await;
    // The update had to wait for the clear: it has nearly as many attempts, however old it is.
    let update = async || stage.entries().await.remove(1);
    while !is_buried(&update().await) {
        let tried = update().await;
        stage.clock.advance(time_until(&stage, tried.next_at.max(stage.handle.outbox().now())));
        stage.work_until(async || update().await.attempts > tried.attempts).await;
    }
    let attempts: Vec<u32> = stage.entries().await.iter().map(|entry| entry.attempts).collect();
    assert_eq!(attempts[0], last.attempts + 1);
    assert!((70..=attempts[0]).contains(&attempts[1]), "{attempts:?}");
    let store = stage.handle.outbox().store();
    let now = stage.handle.outbox().now();
    assert_eq!(store.retry(&Filter::default(), now, Run::Real).await.unwrap().len(), 2);
    stage.work_until(async || stage.entries().await[0].attempts == 1).await;
    assert!(!is_buried(&stage.entries().await[0]), "one attempt is not all it has");
    stage.org.forget_scripts();
    stage.deliver(2).await;
    assert_eq!(stage.org.voice_call("wxcc_0").unwrap().call_disposition, Disposition::Completed);
}
