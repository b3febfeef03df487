use std::collections::HashSet;

use tokio::task::JoinSet;

use super::*;
use crate::store::{Lease, LeaseOf, OpenCall, Opened};

async fn a_hundred_notes_at_once_take_a_few_commits(engine: Engine) {
    let store = engine.open().await;
    let mut notes = JoinSet::new();
    for number in 0..100 {
        let store = store.clone();
        notes.spawn(async move {
            let note = Note {
                created_at: Some(at(number)),
                ..Note::of(call(&format!("wxcc_{number}")), at(number))
            };
            store.note(note).await.unwrap();
        });
    }
    notes.join_all().await;
    let work = store.work();
    assert_eq!(work.commands, 100);
    assert!(work.commits <= 10, "{work:?}");
    let last = store.find(&center(), &reference("wxcc_99")).await.unwrap().unwrap();
    assert_eq!(last.created_at, Some(at(99)));
}

async fn of_a_hundred_hang_ups_at_once_one_is_taken(engine: Engine) {
    let stores = [engine.open().await, engine.open().await];
    let mut hang_ups = JoinSet::new();
    for number in 0..100 {
        let store = stores[number % 2].clone();
        hang_ups.spawn(async move { store.enqueue(hang_up("wxcc_1", "a")).await.unwrap() });
    }
    let (taken, others): (Vec<_>, Vec<_>) =
        hang_ups.join_all().await.into_iter().partition(|end| matches!(end, Enqueued::Accepted { .. }));
    assert_eq!(taken.len(), 1);
    assert!(others.iter().all(|end| *end == Enqueued::Duplicate));
    let kept: u64 = stores[0].count().await.unwrap().iter().map(|count| count.entries).sum();
    assert_eq!(kept, 2, "clear and update, once");
}

async fn no_entry_is_leased_twice(engine: Engine) {
    let stores = [engine.open().await, engine.open().await];
    for number in 0..40 {
        stores[0].enqueue(hang_up(&format!("wxcc_{number}"), "a")).await.unwrap();
    }
    let mut leases = JoinSet::new();
    for number in 0..20 {
        let store = stores[number % 2].clone();
        let owner = number.to_string();
        let lease = Lease { now: at(10), owner, until: at(20), limit: 3, of: LeaseOf::AllBut(Vec::new()) };
        leases.spawn(async move { store.lease_due(&lease).await.unwrap() });
    }
    let leased: Vec<_> = leases.join_all().await.into_iter().flatten().map(|entry| entry.id).collect();
    assert_eq!(leased.iter().collect::<HashSet<_>>().len(), leased.len());
    assert!(leased.len() >= 20, "{}", leased.len());
}

on_both_engines! {
    a_hundred_notes_at_once_take_a_few_commits
    of_a_hundred_hang_ups_at_once_one_is_taken
    no_entry_is_leased_twice
}

fn create(owner: &str, second: i64) -> OpenCall {
    OpenCall {
        call: call("wxcc_1"),
        owner: owner.to_owned(),
        lease_until: at(second + 10),
        window: at(-1000),
        now: at(second),
    }
}

#[tokio::test]
async fn of_many_creates_on_two_replicas_one_goes_ahead() {
    let engine = Engine::postgres();
    let stores = [engine.open().await, engine.open().await];
    let mut creates = JoinSet::new();
    for number in 0..50 {
        let store = stores[number % 2].clone();
        // Those of one process take turns: here each is of another.
        let create = OpenCall { owner: number.to_string(), ..create("", 0) };
        creates.spawn(async move { store.open_call(create).await.unwrap() });
    }
    let (new, others): (Vec<_>, Vec<_>) =
        creates.join_all().await.into_iter().partition(|opened| matches!(opened, Opened::New(_)));
    assert_eq!(new.len(), 1);
    assert!(others.iter().all(|opened| *opened == Opened::Busy), "{others:?}");
}

#[tokio::test]
async fn a_lease_at_a_time_finer_than_the_database_keeps_is_ours() {
    let store = Engine::postgres().open().await;
    let fraction = jiff::SignedDuration::from_nanos(123_456_789);
    let mut create = create("a", 0);
    (create.now, create.lease_until) = (create.now + fraction, create.lease_until + fraction);
    assert!(matches!(store.open_call(create).await.unwrap(), Opened::New(_)));
}

#[tokio::test]
async fn a_lease_of_the_own_process_that_is_left_over_is_its_own() {
    let engine = Engine::postgres();
    let (one, two) = (engine.open().await, engine.open().await);
    assert!(matches!(one.open_call(create("a", 0)).await.unwrap(), Opened::New(_)));
    assert!(matches!(two.open_call(create("b", 1)).await.unwrap(), Opened::Busy));
    assert!(matches!(one.open_call(create("a", 2)).await.unwrap(), Opened::New(_)));
}

#[tokio::test]
async fn a_lease_ends_by_itself_by_a_note_or_when_it_is_given_back() {
    let engine = Engine::postgres();
    let (one, two) = (engine.open().await, engine.open().await);
    assert!(matches!(one.open_call(create("a", 0)).await.unwrap(), Opened::New(_)));
    let leased = two.find(&center(), &reference("wxcc_1")).await.unwrap().unwrap();
    assert!(leased.is_being_created(at(9)));
    assert!(matches!(two.open_call(create("b", 10)).await.unwrap(), Opened::New(_)), "it was taken over");
    one.release_create(&call("wxcc_1"), "a").await.unwrap();
    assert_eq!(one.open_call(create("a", 11)).await.unwrap(), Opened::Busy, "it is not a's");
    two.release_create(&call("wxcc_1"), "b").await.unwrap();
    assert!(matches!(one.open_call(create("a", 12)).await.unwrap(), Opened::New(_)));
    let hang_up = Note { ended_at: Some(at(13)), ..Note::of(call("wxcc_1"), at(13)) };
    assert!(two.learn(hang_up).await.unwrap().is_being_created(at(13)), "a hang-up does not end a lease");
    let created = Note { voice_call_id: voice_call("0LQ5g000000abcD"), ..Note::of(call("wxcc_1"), at(14)) };
    assert_eq!(one.learn(created).await.unwrap().create_lease_until, None);
    assert!(matches!(two.open_call(create("b", 14)).await.unwrap(), Opened::Known(_)));
}

#[tokio::test]
async fn replicas_that_start_together_migrate_once() {
    for engine in [Engine::postgres(), Engine::sqlite()] {
        let url = engine.url();
        let mut opening = JoinSet::new();
        for _ in 0..6 {
            let url = url.clone();
            opening.spawn(async move { Store::open(&url).await.unwrap() });
        }
        let stores = opening.join_all().await;
        let prints: Vec<_> = stores.iter().map(|store| store.fingerprint(&["x"])).collect();
        assert!(prints.iter().all(|print| *print == prints[0]));
    }
}
