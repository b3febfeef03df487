use super::*;
use crate::domain::RouteResult;
use crate::store::{
    Attempt, Count, EntryState, Filter, Lease, LeaseOf, NotCleared, OpenCall, Opened, PurgeBefore, Purged,
    Run, Settle,
};

/// Two calls: the entries of the first are buried, those of the second wait.
async fn half_buried(store: &Store) -> Vec<EntryId> {
    let mut all = ids(&store.enqueue(hang_up("wxcc_1", "a")).await.unwrap());
    for id in &all {
        let buried =
            Attempt::Buried { reason: "Refused for good".to_owned(), words: "No such FIELD".to_owned() };
        let settle = Settle { id: *id, owner: "a".to_owned(), attempt: buried, note: None, now: at(5) };
        assert!(store.settle(settle).await.unwrap());
    }
    let waiting = Enqueue { now: at(3), ..hang_up("wxcc_2", "a") };
    all.extend(ids(&store.enqueue(waiting).await.unwrap()));
    all
}

async fn a_filter_narrows_by_each_of_its_parts(engine: Engine) {
    let store = engine.open().await;
    let all = half_buried(&store).await;
    let none = Filter::default();
    let cases = [
        (none.clone(), vec![0, 1, 2, 3]),
        (Filter { state: Some(EntryState::Buried), ..none.clone() }, vec![0, 1]),
        (Filter { kind: Some(EntryKind::Clear), ..none.clone() }, vec![0, 2]),
        (Filter { older_than: Some(at(3)), ..none.clone() }, vec![0, 1]),
        (Filter { words: Some("no such field".to_owned()), ..none.clone() }, vec![0, 1]),
        (Filter { words: Some("FOR GOOD".to_owned()), ..none.clone() }, vec![0, 1]),
        (Filter { limit: Some(3), ..none.clone() }, vec![0, 1, 2]),
        (Filter { call_center: Some(center()), limit: Some(1), ..none.clone() }, vec![0]),
        (Filter { call_center: Some(CallCenterName::parse("Other").unwrap()), ..none.clone() }, vec![]),
        (Filter { id: Some(all[3]), ..none }, vec![3]),
    ];
    for (filter, expected) in cases {
        let listed: Vec<EntryId> = store.list(&filter).await.unwrap().iter().map(|entry| entry.id).collect();
        let expected: Vec<EntryId> = expected.into_iter().map(|at: usize| all[at]).collect();
        assert_eq!(listed, expected, "{filter:?}");
    }
    let shown = store.show(all[1]).await.unwrap().unwrap();
    assert_eq!((shown.is_final, shown.attempts, shown.buried_at), (true, 1, Some(at(5))));
    assert_eq!(
        (shown.reason.as_deref(), shown.last_words.as_deref()),
        (Some("Refused for good"), Some("No such FIELD"))
    );
    assert!(store.show(EntryId(i64::MAX)).await.unwrap().is_none());
    let count =
        |kind, state, second| Count { call_center: center(), kind, state, entries: 1, oldest: at(second) };
    let counts = [EntryKind::Clear, EntryKind::Update]
        .map(|kind| [count(kind, EntryState::Buried, 0), count(kind, EntryState::Pending, 3)]);
    assert_eq!(store.count().await.unwrap(), counts.concat());
}

/// A flow's own final update, and what is known of its call.
async fn flow_ends(store: &Store, key: &str, note: Note) -> EntryId {
    let note = Note { ended_at: Some(at(0)), ..note };
    let entries = vec![entry(EntryKind::Update, true)];
    let enqueue = Enqueue {
        subject: Subject::Known(note.into()),
        entries,
        unless_answered: false,
        ..hang_up(key, "a")
    };
    ids(&store.enqueue(enqueue).await.unwrap())[0]
}

async fn callers_are_counted_until_what_clears_their_routing_is_delivered(engine: Engine) {
    let store = engine.open().await;
    let count = |state, callers| NotCleared { call_center: center(), state, callers, oldest: at(0) };
    assert_eq!(store.count_not_cleared().await.unwrap(), []);
    let routed = |key| Note { routed_at: Some(at(0)), ..Note::of(call(key), at(0)) };
    let result = |key, result| Note { route_result: Some(result), ..routed(key) };
    store.note(result("wxcc_1", RouteResult::Unknown)).await.unwrap();
    let [clear, update] = ids(&store.enqueue(hang_up("wxcc_1", "a")).await.unwrap())[..] else { panic!() };
    let alone = flow_ends(&store, "wxcc_2", routed("wxcc_2")).await;
    // These were never routed, or have an agent.
    store.enqueue(hang_up("wxcc_5", "a")).await.unwrap();
    store.note(result("wxcc_6", RouteResult::NotRouted)).await.unwrap();
    store.enqueue(hang_up("wxcc_6", "a")).await.unwrap();
    flow_ends(&store, "wxcc_7", result("wxcc_7", RouteResult::NotRouted)).await;
    flow_ends(&store, "wxcc_3", Note::of(call("wxcc_3"), at(0))).await;
    flow_ends(&store, "wxcc_4", Note { answered_at: Some(at(0)), ..routed("wxcc_4") }).await;
    assert_eq!(store.count_not_cleared().await.unwrap(), [count(EntryState::Pending, 2)]);
    let listed = async |state| {
        let filter = Filter { state: Some(state), not_cleared: true, ..Filter::default() };
        store.list(&filter).await.unwrap().iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(EntryState::Pending).await, [clear, update, alone]);
    let buried = || Attempt::Buried { reason: "Refused".to_owned(), words: "No".to_owned() };
    let settle = |id, attempt, note: Option<Note>| {
        store.settle(Settle { id, owner: "a".to_owned(), attempt, note: note.map(Box::new), now: at(5) })
    };
    settle(alone, buried(), None).await.unwrap();
    let one_of_each = [count(EntryState::Buried, 1), count(EntryState::Pending, 1)];
    assert_eq!(store.count_not_cleared().await.unwrap(), one_of_each);
    assert_eq!(listed(EntryState::Buried).await, [alone]);
    // A caller who is routed again after a clear waits again.
    let again = |at_second, cleared| Note {
        route_at: Some(at(at_second)),
        cleared_at: Some(at(cleared)),
        ..routed("wxcc_2")
    };
    store.learn(again(1, 2)).await.unwrap();
    assert_eq!(listed(EntryState::Buried).await, []);
    store.learn(again(3, 2)).await.unwrap();
    assert_eq!(store.count_not_cleared().await.unwrap(), one_of_each);
    // Once its routing is cleared, a final update that is owed or buried keeps no caller waiting.
    let cleared = |key| Some(Note { cleared_at: Some(at(5)), ..Note::of(call(key), at(5)) });
    settle(clear, Attempt::Delivered { close: false }, cleared("wxcc_1")).await.unwrap();
    settle(update, buried(), None).await.unwrap();
    assert_eq!(store.count_not_cleared().await.unwrap(), [count(EntryState::Buried, 1)]);
    let nothing = Note { nothing_to_clear_at: Some(at(5)), ..Note::of(call("wxcc_2"), at(5)) };
    store.learn(nothing).await.unwrap();
    assert_eq!(store.count_not_cleared().await.unwrap(), []);
}

async fn buried_entries_are_tried_again_as_if_never_tried(engine: Engine) {
    let store = engine.open().await;
    let all = half_buried(&store).await;
    let none = Filter::default();
    assert_eq!(store.retry(&none, at(7), Run::Dry).await.unwrap().len(), 2);
    assert_eq!(store.show(all[0]).await.unwrap().unwrap().state, EntryState::Buried);
    let pending = Filter { state: Some(EntryState::Pending), ..none.clone() };
    assert_eq!(store.retry(&pending, at(7), Run::Real).await.unwrap().len(), 0);
    assert_eq!(store.retry(&none, at(7), Run::Real).await.unwrap().len(), 2);
    let lease = Lease { now: at(7), owner: "b".into(), until: at(9), limit: 9, of: LeaseOf::AllBut(vec![]) };
    let due = store.lease_due(&lease).await.unwrap();
    assert_eq!(due.iter().map(|entry| entry.id).collect::<Vec<_>>(), all[..1]);
    assert_eq!((due[0].attempts, due[0].reason.as_deref(), due[0].buried_at), (0, None, None));
    assert_eq!(due[0].created_at, at(7), "it has all its time again");
    assert_eq!(due[0].last_words.as_deref(), Some("No such FIELD"), "what was said stays");
}

async fn entries_are_discarded_by_filter(engine: Engine) {
    let store = engine.open().await;
    half_buried(&store).await;
    let buried = Filter { state: Some(EntryState::Buried), ..Filter::default() };
    assert_eq!(store.discard(&buried, Run::Dry).await.unwrap().len(), 2);
    assert_eq!(store.list(&Filter::default()).await.unwrap().len(), 4);
    assert_eq!(store.discard(&buried, Run::Real).await.unwrap().len(), 2);
    assert_eq!(store.list(&Filter::default()).await.unwrap().len(), 2);
}

async fn what_is_old_is_removed_and_what_waits_is_not(engine: Engine) {
    let store = engine.open().await;
    half_buried(&store).await;
    for key in 0..1500 {
        store.note(Note::of(call(&format!("wxcc_old_{key}")), at(0))).await.unwrap();
    }
    store.note(Note::of(call("wxcc_new"), at(9))).await.unwrap();
    let before = PurgeBefore { calls: at(0), buried: at(5), private: at(0) };
    assert_eq!(store.purge(before).await.unwrap(), Purged::default());
    let buried_later = PurgeBefore { calls: at(9), buried: at(5), private: at(9) };
    let purged = store.purge(buried_later).await.unwrap();
    assert_eq!(purged, Purged { calls: 1500, ..Purged::default() }, "what is buried may be sent again");
    let before = PurgeBefore { calls: at(9), buried: at(6), private: at(9) };
    assert_eq!(store.purge(before).await.unwrap(), Purged { calls: 1, buried: 2, ..Purged::default() });
    for (key, kept) in [("wxcc_old_7", false), ("wxcc_1", false), ("wxcc_2", true), ("wxcc_new", true)] {
        let found = store.find(&center(), &reference(key)).await.unwrap();
        assert_eq!(found.is_some(), kept, "{key}");
    }
}

/// An entry is sent by what the journal knows of its call's relatives.
async fn a_call_stays_as_long_as_an_entry_needs_it_or_a_relative(engine: Engine) {
    let store = engine.open().await;
    let name = |key: &str, parent: Option<&str>| {
        let parent = parent.map(reference);
        CallName::new(center(), VendorCallKey::parse(key).unwrap(), parent.as_ref())
    };
    let known = |name, id: &str| Note { voice_call_id: voice_call(id), ..Note::of(name, at(0)) };
    store.note(known(name("wxcc_first", None), "0LQ5g000000abcA")).await.unwrap();
    store.note(known(name("wxcc_parent", None), "0LQ5g000000abcBAAQ")).await.unwrap();
    store.note(known(name("wxcc_by_id", None), "0LQ5g000000abcCAAQ")).await.unwrap();
    store.note(known(name("wxcc_stranger", None), "0LQ5g000000abcD")).await.unwrap();
    for (key, parent) in [("wxcc_first", "wxcc_parent"), ("wxcc_other", "0LQ5g000000abcC")] {
        let note = Note::of(name(key, Some(parent)), at(0));
        store.enqueue(Enqueue { subject: Subject::Known(note.into()), ..hang_up(key, "a") }).await.unwrap();
    }
    let before = PurgeBefore { calls: at(9), buried: at(9), private: at(9) };
    assert_eq!(store.purge(before).await.unwrap(), Purged { calls: 1, ..Purged::default() });
    assert!(store.find(&center(), &reference("wxcc_stranger")).await.unwrap().is_none());
    store.discard(&Filter::default(), Run::Real).await.unwrap();
    assert_eq!(store.purge(before).await.unwrap(), Purged { calls: 5, ..Purged::default() });
}

async fn a_call_for_which_entries_wait_is_not_forgotten_by_a_create(engine: Engine) {
    let store = engine.open().await;
    let created = Note {
        voice_call_id: voice_call("0LQ5g000000abcD"),
        created_at: Some(at(0)),
        ..Note::of(call("wxcc_1"), at(0))
    };
    store.note(created).await.unwrap();
    store.enqueue(hang_up("wxcc_1", "a")).await.unwrap();
    let again = OpenCall {
        call: call("wxcc_1"),
        owner: "a".to_owned(),
        lease_until: at(2010),
        window: at(1000),
        now: at(2000),
    };
    assert!(matches!(store.open_call(again.clone()).await.unwrap(), Opened::Known(_)));
    let lease =
        Lease { now: at(2000), owner: "b".into(), until: at(2010), limit: 9, of: LeaseOf::AllBut(vec![]) };
    let due = store.lease_due(&lease).await.unwrap();
    assert_eq!(due[0].call.as_ref().unwrap().voice_call_id, voice_call("0LQ5g000000abcD"));
    store.discard(&Filter::default(), Run::Real).await.unwrap();
    assert!(matches!(store.open_call(again).await.unwrap(), Opened::New(_)));
}

on_both_engines! {
    a_call_stays_as_long_as_an_entry_needs_it_or_a_relative
    a_call_for_which_entries_wait_is_not_forgotten_by_a_create
    a_filter_narrows_by_each_of_its_parts
    callers_are_counted_until_what_clears_their_routing_is_delivered
    buried_entries_are_tried_again_as_if_never_tried
    entries_are_discarded_by_filter
    what_is_old_is_removed_and_what_waits_is_not
}
