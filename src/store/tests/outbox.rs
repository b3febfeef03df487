use std::sync::Arc;

use super::*;
use crate::store::{Attempt, CreateBody, Entry, EntryState, Filter, Settle};

fn settle(id: EntryId, owner: &str, attempt: Attempt) -> Settle {
    Settle { id, owner: owner.to_owned(), attempt, note: None, now: at(1) }
}

fn later(second: i64) -> Attempt {
    Attempt::Later { next_at: at(second), words: "Salesforce is down\0".to_owned() }
}

fn numbers(entries: &[Entry]) -> Vec<EntryId> {
    entries.iter().map(|entry| entry.id).collect()
}

async fn what_is_due_next_of_a_center_is_the_first_entry_that_nobody_has(engine: Engine) {
    let store = engine.open().await;
    let other = CallCenterName::parse("Other").unwrap();
    let next = async |now| {
        let centers = [other.clone(), center()];
        let due = store.next_due(&centers, at(now)).await.unwrap();
        due.into_iter().map(|due| (due.call_center, due.next_at)).collect::<Vec<_>>()
    };
    assert_eq!(next(0).await, []);
    for (key, owner) in [("wxcc_1", "a"), ("wxcc_2", "b")] {
        store.enqueue(hang_up(key, owner)).await.unwrap();
    }
    assert_eq!(next(9).await, [], "both are leased");
    let first = store.list(&Filter::default()).await.unwrap()[0].id;
    assert!(store.settle(settle(first, "a", later(7))).await.unwrap());
    assert_eq!(next(0).await, [(center(), at(7))]);
    assert_eq!(store.next_due(std::slice::from_ref(&other), at(0)).await.unwrap(), []);
    let of_other = Lease { of: LeaseOf::Center(other.clone()), ..lease(7, "b") };
    assert_eq!(numbers(&store.lease_due(&of_other).await.unwrap()), []);
    let of_center = Lease { of: LeaseOf::Center(center()), ..lease(7, "b") };
    assert_eq!(numbers(&store.lease_due(&of_center).await.unwrap()), [first]);
    assert_eq!(next(9).await, [], "it is leased again");
    assert_eq!(next(17).await, [(center(), at(0))], "all leases have ended");
}

async fn entries_are_born_leased_and_come_up_again_in_order_when_the_lease_ends(engine: Engine) {
    let store = engine.open().await;
    let ids = ids(&store.enqueue(hang_up("wxcc_1", "a")).await.unwrap());
    assert!(store.lease_due(&lease(9, "b")).await.unwrap().is_empty());
    assert!(store.next_due(&[center()], at(9)).await.unwrap().is_empty());
    let due = store.lease_due(&lease(10, "b")).await.unwrap();
    assert_eq!(numbers(&due), ids[..1], "the update waits behind the clear");
    assert_eq!((due[0].kind, due[0].state, due[0].attempts), (EntryKind::Clear, EntryState::Pending, 0));
    assert_eq!(due[0].call.as_ref().unwrap().name, call("wxcc_1"));
    assert_eq!(due[0].body.expose(), "{\"kind\":\"Clear\"}");
    let done = Attempt::Delivered { close: false };
    assert!(store.settle(settle(ids[0], "b", done.clone())).await.unwrap());
    assert!(!store.settle(settle(ids[0], "a", done)).await.unwrap(), "it is gone");
    assert_eq!(numbers(&store.lease_due(&lease(10, "b")).await.unwrap()), ids[1..]);
}

async fn a_call_gets_one_final_update_even_after_it_was_delivered_or_buried(engine: Engine) {
    let store = engine.open().await;
    let first = ids(&store.enqueue(hang_up("wxcc_1", "a")).await.unwrap());
    assert_eq!(store.enqueue(hang_up("wxcc_1", "a")).await.unwrap(), Enqueued::Duplicate);
    for (id, close) in [(first[0], false), (first[1], true)] {
        store.settle(settle(id, "a", Attempt::Delivered { close })).await.unwrap();
    }
    let closed = store.find(&center(), &reference("wxcc_1")).await.unwrap().unwrap();
    assert_eq!(closed.closed_at, Some(at(1)));
    assert_eq!(store.enqueue(hang_up("wxcc_1", "a")).await.unwrap(), Enqueued::Duplicate);
    let second = ids(&store.enqueue(hang_up("wxcc_2", "a")).await.unwrap());
    let buried = Attempt::Buried { reason: "refused".to_owned(), words: "no such field".to_owned() };
    assert!(store.settle(settle(second[1], "a", buried)).await.unwrap());
    assert_eq!(store.enqueue(hang_up("wxcc_2", "a")).await.unwrap(), Enqueued::Duplicate);
}

async fn a_call_has_one_create_waiting_and_none_once_it_needs_none(engine: Engine) {
    let store = engine.open().await;
    let deferred = |key| Enqueue {
        subject: Subject::Known(Arc::new(Note { deferred_at: Some(at(0)), ..Note::of(call(key), at(0)) })),
        entries: vec![entry(EntryKind::Create, false)],
        unless_answered: false,
        ..hang_up(key, "a")
    };
    let first = ids(&store.enqueue(deferred("wxcc_1")).await.unwrap());
    assert_eq!(store.enqueue(deferred("wxcc_1")).await.unwrap(), Enqueued::Duplicate);
    let made = Note { created_at: Some(at(1)), ..Note::of(call("wxcc_1"), at(1)) };
    let delivered =
        Settle { note: Some(Box::new(made)), ..settle(first[0], "a", Attempt::Delivered { close: false }) };
    assert!(store.settle(delivered).await.unwrap());
    assert_eq!(store.enqueue(deferred("wxcc_1")).await.unwrap(), Enqueued::Duplicate);
    store.enqueue(hang_up("wxcc_2", "a")).await.unwrap();
    assert_eq!(store.enqueue(deferred("wxcc_2")).await.unwrap(), Enqueued::Duplicate);
    // Two at once.
    let both = tokio::join!(store.enqueue(deferred("wxcc_3")), store.enqueue(deferred("wxcc_3")));
    let both = [both.0.unwrap(), both.1.unwrap()];
    assert_eq!(both.iter().filter(|one| **one == Enqueued::Duplicate).count(), 1);
}

async fn a_create_whose_lease_has_ended_may_have_been_done(engine: Engine) {
    let store = engine.open().await;
    let deferred = |key| Enqueue { entries: vec![entry(EntryKind::Create, false)], ..hang_up(key, "a") };
    let enqueue = async |key| {
        let note = Arc::new(Note { deferred_at: Some(at(0)), ..Note::of(call(key), at(0)) });
        ids(&store.enqueue(Enqueue { subject: Subject::Known(note), ..deferred(key) }).await.unwrap())[0]
    };
    let (left, given_back) = (enqueue("wxcc_1").await, enqueue("wxcc_2").await);
    store.give_back(&[given_back], "a").await.unwrap();
    let clear = ids(&store.enqueue(hang_up("wxcc_3", "a")).await.unwrap())[0];
    let due = store.lease_due(&lease(10, "b")).await.unwrap();
    let broken_off: Vec<_> =
        due.iter().map(|entry| (entry.id, entry.is_broken_off(), entry.attempts)).collect();
    assert_eq!(broken_off, [(left, true, 1), (given_back, false, 0), (clear, false, 0)]);
    // So is one that is broken off when the process stops.
    store.release("b").await.unwrap();
    let due = store.lease_due(&lease(10, "c")).await.unwrap();
    assert_eq!(due.iter().filter(|entry| entry.is_broken_off()).count(), 2);
}

async fn a_call_that_an_agent_had_takes_no_abandonment(engine: Engine) {
    let store = engine.open().await;
    store.note(Note { answered_at: Some(at(0)), ..Note::of(call("wxcc_1"), at(0)) }).await.unwrap();
    assert_eq!(store.enqueue(hang_up("wxcc_1", "a")).await.unwrap(), Enqueued::Answered);
    let known = store.find(&center(), &reference("wxcc_1")).await.unwrap().unwrap();
    assert_eq!(known.ended_at, Some(at(0)), "the note is kept");
    assert!(store.count().await.unwrap().is_empty());
}

async fn what_the_create_of_an_answered_call_said_goes_with_the_end_of_the_call(engine: Engine) {
    let store = engine.open().await;
    let failed = |key: &str| Note {
        create_body: CreateBody::Set(StoredJson::new("{}")),
        answered_at: Some(at(0)),
        ..Note::of(call(key), at(0))
    };
    store.note(failed("wxcc_1")).await.unwrap();
    store.note(failed("wxcc_2")).await.unwrap();
    assert_eq!(store.enqueue(hang_up("wxcc_1", "a")).await.unwrap(), Enqueued::Answered);
    let goes_on = Subject::Known(Arc::new(Note::of(call("wxcc_2"), at(0))));
    let withheld = Enqueue { subject: goes_on, ..hang_up("wxcc_2", "a") };
    assert_eq!(store.enqueue(withheld).await.unwrap(), Enqueued::Answered);
    for (key, body) in [("wxcc_1", None), ("wxcc_2", Some(StoredJson::new("{}")))] {
        let known = store.find(&center(), &reference(key)).await.unwrap().unwrap();
        assert_eq!(known.create_body, body, "{key}");
    }
    assert_eq!(store.learn(failed("wxcc_1")).await.unwrap().create_body, None, "it never comes back");
}

async fn an_answer_that_is_noted_after_the_look_and_before_the_commit_counts(engine: Engine) {
    let store = engine.open().await;
    let answered = |key: &str| Note { answered_at: Some(at(0)), ..Note::of(call(key), at(0)) };
    for key in ["wxcc_1", "wxcc_2"] {
        // Somebody looks, and sees no answer.
        assert_eq!(store.find(&center(), &reference(key)).await.unwrap(), None);
    }
    store.note(answered("wxcc_1")).await.unwrap();
    assert_eq!(store.enqueue(hang_up("wxcc_1", "a")).await.unwrap(), Enqueued::Answered);
    // Both wait for the writer when it wakes, and so share a commit.
    let (enqueued, noted) =
        tokio::join!(store.enqueue(hang_up("wxcc_2", "a")), store.note(answered("wxcc_2")));
    assert_eq!((enqueued.unwrap(), noted), (Enqueued::Answered, Ok(())));
    let forced = Enqueue { unless_answered: false, ..hang_up("wxcc_2", "a") };
    assert_eq!(ids(&store.enqueue(forced).await.unwrap()).len(), 2, "for who asks without the guard");
}

async fn new_entries_wait_behind_those_of_their_call(engine: Engine) {
    let store = engine.open().await;
    let create = Enqueue {
        subject: Subject::Known(Arc::new(Note {
            deferred_at: Some(at(0)),
            ..Note::of(call("wxcc_1"), at(0))
        })),
        entries: vec![entry(EntryKind::Create, false)],
        ..hang_up("wxcc_1", "a")
    };
    let first = ids(&store.enqueue(create).await.unwrap());
    let Enqueued::Accepted { ids, behind, .. } = store.enqueue(hang_up("wxcc_1", "a")).await.unwrap() else {
        panic!("not accepted")
    };
    assert!(behind);
    assert!(ids > first);
    let other = store.enqueue(hang_up("wxcc_2", "a")).await.unwrap();
    assert!(matches!(other, Enqueued::Accepted { behind: false, .. }));
    assert!(store.settle(settle(first[0], "a", later(3))).await.unwrap());
    assert!(store.lease_due(&lease(2, "a")).await.unwrap().is_empty(), "the create is not due yet");
    let due = store.lease_due(&lease(3, "a")).await.unwrap();
    assert_eq!(numbers(&due), first);
    assert_eq!((due[0].attempts, due[0].last_words.as_deref()), (1, Some("Salesforce is down\u{FFFD}")));
    let learned = Note { voice_call_id: voice_call("0LQ5g000000abcD"), ..Note::of(call("wxcc_1"), at(4)) };
    let delivered = Settle {
        note: Some(Box::new(learned)),
        ..settle(first[0], "a", Attempt::Delivered { close: false })
    };
    assert!(store.settle(delivered).await.unwrap());
    let next = store.lease_due(&lease(4, "a")).await.unwrap();
    assert_eq!(numbers(&next), ids[..1]);
    assert_eq!(next[0].call.as_ref().unwrap().reference(), reference("0LQ5g000000abcD"));
}

async fn a_failure_is_written_down_only_by_who_holds_the_lease(engine: Engine) {
    let store = engine.open().await;
    let ids = ids(&store.enqueue(hang_up("wxcc_1", "a")).await.unwrap());
    assert_eq!(store.lease_due(&lease(10, "b")).await.unwrap().len(), 1);
    assert!(!store.settle(settle(ids[0], "a", later(99))).await.unwrap());
    assert!(store.settle(settle(ids[0], "b", later(11))).await.unwrap());
    assert_eq!(store.lease_due(&lease(11, "c")).await.unwrap().len(), 1);
}

async fn leases_are_prolonged_and_given_back(engine: Engine) {
    let store = engine.open().await;
    store.enqueue(hang_up("wxcc_1", "a")).await.unwrap();
    assert_eq!(store.renew("a", at(20)).await.unwrap(), 2);
    assert!(store.lease_due(&lease(15, "b")).await.unwrap().is_empty());
    assert_eq!(store.release("a").await.unwrap(), 2);
    assert_eq!(store.lease_due(&lease(15, "b")).await.unwrap().len(), 1);
    assert_eq!(store.renew("a", at(30)).await.unwrap(), 0);
}

async fn a_contact_center_whose_salesforce_is_down_is_left_alone(engine: Engine) {
    let store = engine.open().await;
    let update = Enqueue {
        subject: Subject::Unknown(CallCenterName::parse("Other").unwrap(), reference("0LQ5g000000abcD")),
        entries: vec![entry(EntryKind::Update, false)],
        ..hang_up("unused", "a")
    };
    let other = ids(&store.enqueue(update).await.unwrap());
    store.enqueue(hang_up("wxcc_1", "a")).await.unwrap();
    let due =
        store.lease_due(&Lease { of: LeaseOf::AllBut(vec![center()]), ..lease(10, "b") }).await.unwrap();
    assert_eq!(numbers(&due), other);
    assert!(due[0].call.is_none());
    let due = store.lease_due(&Lease { limit: 0, ..lease(10, "b") }).await.unwrap();
    assert!(due.is_empty());
}

async fn a_call_that_the_journal_does_not_know_gets_one_final_update_too(engine: Engine) {
    let store = engine.open().await;
    let of =
        |text| Enqueue { subject: Subject::Unknown(center(), reference(text)), ..hang_up("unused", "a") };
    assert_eq!(ids(&store.enqueue(of("0LQ5g000000abcDGAQ")).await.unwrap()).len(), 2);
    assert_eq!(store.enqueue(of("0LQ5g000000abcD")).await.unwrap(), Enqueued::Duplicate);
    assert_eq!(ids(&store.enqueue(of("0LQ5g000000abcE")).await.unwrap()).len(), 2);
}

on_both_engines! {
    what_is_due_next_of_a_center_is_the_first_entry_that_nobody_has
    entries_are_born_leased_and_come_up_again_in_order_when_the_lease_ends
    a_call_gets_one_final_update_even_after_it_was_delivered_or_buried
    a_call_has_one_create_waiting_and_none_once_it_needs_none
    a_create_whose_lease_has_ended_may_have_been_done
    a_call_that_an_agent_had_takes_no_abandonment
    what_the_create_of_an_answered_call_said_goes_with_the_end_of_the_call
    an_answer_that_is_noted_after_the_look_and_before_the_commit_counts
    new_entries_wait_behind_those_of_their_call
    a_failure_is_written_down_only_by_who_holds_the_lease
    leases_are_prolonged_and_given_back
    a_contact_center_whose_salesforce_is_down_is_left_alone
    a_call_that_the_journal_does_not_know_gets_one_final_update_too
}
