//! A clock that was two hours ahead until it was set back.

use super::tasks::{lease_tasks, new_event};
use super::*;
use crate::domain::{EventKind, TaskEnding};
use crate::store::{Ahead, Attempt, OpenCall, Opened, Settle, SettleTask, Turn};

const HOURS: i64 = 2 * 3600;

fn ahead(second: i64, owner: &str) -> Ahead {
    let (lease, next) = (Duration::from_secs(10), Duration::from_secs(3600));
    Ahead { now: at(second), owner: owner.to_owned(), lease, next }
}

/// A hang-up that was put in at this second by a process that is dead.
fn put_in(key: &str, second: i64) -> Enqueue {
    let entries = [(EntryKind::Clear, false), (EntryKind::Update, true)];
    let entries = entries.map(|(kind, is_final)| NewEntry { next_at: at(second), ..entry(kind, is_final) });
    Enqueue { entries: entries.into(), lease_until: at(second + 10), now: at(second), ..hang_up(key, "dead") }
}

async fn entries_of_a_clock_that_was_set_back_are_due_and_leased_to_nobody(engine: Engine) {
    let store = engine.open().await;
    let first = ids(&store.enqueue(put_in("wxcc_1", HOURS)).await.unwrap());
    assert!(
        store.lease_due(&lease(0, "w")).await.unwrap().is_empty(),
        "this is what would wait for two hours"
    );
    assert_eq!(store.bring_back(&ahead(0, "w")).await.unwrap(), 2);
    assert_eq!(store.bring_back(&ahead(0, "w")).await.unwrap(), 0);
    let due = store.lease_due(&lease(0, "w")).await.unwrap();
    assert_eq!((due[0].id, due[0].created_at, due[0].next_at), (first[0], at(0), at(0)));
    // One that was put in before, and put off by the clock that was ahead.
    store.enqueue(put_in("wxcc_2", -HOURS)).await.unwrap();
    let put_off = store.lease_due(&lease(-HOURS + 10, "w")).await.unwrap().remove(0).id;
    let attempt = Attempt::Later { next_at: at(HOURS + 900), words: String::new() };
    let settle = Settle { id: put_off, owner: "w".to_owned(), attempt, note: None, now: at(HOURS) };
    assert!(store.settle(settle).await.unwrap());
    assert_eq!(store.bring_back(&ahead(0, "w")).await.unwrap(), 1);
    let due = store.lease_due(&lease(0, "w")).await.unwrap();
    assert_eq!(due.iter().map(|entry| entry.id).collect::<Vec<_>>(), [put_off]);
    assert_eq!(due[0].created_at, at(-HOURS));
}

async fn what_lies_as_far_ahead_as_it_may_is_left_alone_and_so_are_our_own_leases(engine: Engine) {
    let store = engine.open().await;
    store.enqueue(put_in("wxcc_1", 0)).await.unwrap();
    let later = ids(&store.enqueue(put_in("wxcc_2", 0)).await.unwrap())[0];
    let attempt = Attempt::Later { next_at: at(3600), words: String::new() };
    let settle = Settle { id: later, owner: "dead".to_owned(), attempt, note: None, now: at(1) };
    assert!(store.settle(settle).await.unwrap());
    assert_eq!(store.bring_back(&ahead(0, "w")).await.unwrap(), 0);
    for owner in ["w", "w/hold"] {
        let ours = Enqueue { owner: owner.to_owned(), lease_until: at(HOURS), ..put_in(owner, 0) };
        store.enqueue(ours).await.unwrap();
    }
    assert_eq!(store.bring_back(&ahead(0, "w")).await.unwrap(), 0);
    assert_eq!(store.bring_back(&ahead(0, "other")).await.unwrap(), 4);
}

async fn tasks_of_a_clock_that_was_set_back_are_due_and_leased_by_nobody(engine: Engine) {
    let store = engine.open().await;
    store.keep_event(new_event("t", "1", EventKind::Ended(TaskEnding::default()), HOURS)).await.unwrap();
    assert_eq!(store.lease_tasks(&lease_tasks("dead", HOURS + 10)).await.unwrap().len(), 1);
    assert!(store.lease_tasks(&lease_tasks("w", 0)).await.unwrap().is_empty());
    assert_eq!(store.bring_back(&ahead(0, "w")).await.unwrap(), 1);
    let task = store.lease_tasks(&lease_tasks("w", 0)).await.unwrap().remove(0);
    let due_at = Some(at(24 * 3600));
    let settle = SettleTask { task, owner: "w".to_owned(), due_at, folds: true, now: at(0) };
    assert!(store.settle_task(settle).await.unwrap());
    assert_eq!(store.bring_back(&ahead(0, "w")).await.unwrap(), 0, "a recording is waited for");
}

async fn a_turn_that_a_clock_took_that_was_set_back_is_over(engine: Engine) {
    let store = engine.open().await;
    let turn = Turn::Reconcile;
    assert!(store.take_turn(turn, "dead", at(HOURS + 60), at(HOURS)).await.unwrap());
    assert!(store.take_turn(turn, "w", at(60), at(0)).await.unwrap());
    assert!(!store.take_turn(turn, "other", at(60), at(0)).await.unwrap());
}

on_both_engines! {
    entries_of_a_clock_that_was_set_back_are_due_and_leased_to_nobody
    what_lies_as_far_ahead_as_it_may_is_left_alone_and_so_are_our_own_leases
    tasks_of_a_clock_that_was_set_back_are_due_and_leased_by_nobody
    a_turn_that_a_clock_took_that_was_set_back_is_over
}

#[tokio::test]
async fn a_create_that_a_clock_leased_that_was_set_back_is_free() {
    let store = Engine::postgres().open().await;
    let create = |owner: &str, second: i64| OpenCall {
        call: call("wxcc_1"),
        owner: owner.to_owned(),
        lease_until: at(second + 10),
        window: at(-1000),
        now: at(second),
    };
    assert!(matches!(store.open_call(create("dead", HOURS)).await.unwrap(), Opened::New(_)));
    assert!(matches!(store.open_call(create("w", 0)).await.unwrap(), Opened::Busy));
    store.bring_back(&ahead(0, "w")).await.unwrap();
    assert!(matches!(store.open_call(create("w", 0)).await.unwrap(), Opened::New(_)));
}
