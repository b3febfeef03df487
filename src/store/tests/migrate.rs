//! A database that an earlier version has made is read by this one. Each schema that was released keeps one of each engine
//! in tests/fixtures/store, with the checksums of its migrations: so no migration is changed after its release.

use super::*;
use crate::domain::{EventKind, TaskEnding, TaskId};
use crate::store::{CreateBody, Detail, DetailKind, Filter, Memo, NewDetail, OpenCall, Owner, SettleTask};

/// What stands in such a database, each as this version reads it.
#[derive(Debug, PartialEq)]
struct Contents {
    calls: Vec<Call>,
    entries: Vec<String>,
    timeline: String,
    details: Vec<Detail>,
    memo: Option<String>,
}

async fn fill(store: &Store) {
    let created = Note {
        voice_call_id: voice_call("0LQ5g000000abcDGAQ"),
        created_at: Some(at(1)),
        start_time: Some(at(0)),
        routed_at: Some(at(2)),
        ..Note::of(call("wxcc_1"), at(2))
    };
    store.note(created).await.unwrap();
    let body = CreateBody::Set(StoredJson::new(r#"{"callCenter":"Sales","body":{"from":"+14693150217"}}"#));
    let deferred = Note { create_body: body, deferred_at: Some(at(1)), ..Note::of(call("wxcc_2"), at(1)) };
    let entries = vec![entry(EntryKind::Create, false)];
    let subject = Subject::Known(deferred.into());
    store.enqueue(Enqueue { subject, entries, ..hang_up("wxcc_2", "gone") }).await.unwrap();
    store.enqueue(hang_up("wxcc_1", "gone")).await.unwrap();
    let owner = String::from("gone");
    let (lease_until, window, now) = (at(10), at(-1000), at(3));
    // SQLite keeps no leases of creates.
    if store.is_shared() {
        store.open_call(OpenCall { call: call("wxcc_3"), owner, lease_until, window, now }).await.unwrap();
    }
    store.keep_event(tasks::new_event("1", "e1", EventKind::Connected, 2)).await.unwrap();
    let ended = || EventKind::Ended(TaskEnding::default());
    store.keep_event(tasks::new_event("1", "e2", ended(), 4)).await.unwrap();
    let task = store.lease_tasks(&tasks::lease_tasks("gone", 20)).await.unwrap().remove(0);
    let settle = SettleTask { task, owner: "gone".into(), due_at: None, folds: true, now: at(20) };
    assert!(store.settle_task(settle).await.unwrap());
    store.keep_event(tasks::new_event("1", "e3", EventKind::New, 21)).await.unwrap();
    let (kind, source, body) = (DetailKind::Request, "createVoiceCall".into(), StoredJson::new("{\"a\":1}"));
    let detail = NewDetail { kind, source, at: at(1), body };
    store.keep_details(&Owner::Call(call("wxcc_1")), &[detail], at(1)).await.unwrap();
    store.keep(Memo::WaterMark, "1795000000000").await.unwrap();
}

async fn contents(store: &Store) -> Contents {
    let mut calls = Vec::new();
    for key in ["wxcc_1", "wxcc_2", "wxcc_3"] {
        calls.extend(store.find(&center(), &reference(key)).await.unwrap());
    }
    let entries = store.list(&Filter::default()).await.unwrap();
    let entries = entries.into_iter().map(|entry| format!("{entry:?} {}", entry.body.expose()));
    let task = store.find_task(&TaskId::parse("1").unwrap()).await.unwrap().unwrap();
    Contents {
        calls,
        entries: entries.collect(),
        timeline: serde_json::to_string(&task.timeline).unwrap(),
        details: store.details(&center(), call("wxcc_1").vendor_call_key()).await.unwrap(),
        memo: store.recall(Memo::WaterMark).await.unwrap(),
    }
}

async fn what_an_earlier_version_has_written_is_read(engine: Engine) {
    let script = match &engine {
        Engine::Sqlite(folder) => {
            std::fs::create_dir_all(folder.path().join("data")).unwrap();
            std::fs::File::create(folder.path().join("data/bridge.db")).unwrap();
            include_str!("../../../tests/fixtures/store/sqlite_1.sql")
        }
        Engine::Postgres(_) => include_str!("../../../tests/fixtures/store/postgres_1.sql"),
    };
    engine.tamper(script).await;
    let fresh = match &engine {
        Engine::Sqlite(_) => Engine::sqlite(),
        Engine::Postgres(_) => Engine::postgres(),
    };
    let fresh = fresh.open().await;
    fill(&fresh).await;
    let expected = contents(&fresh).await;
    let calls = if fresh.is_shared() { 3 } else { 2 };
    assert_eq!((expected.calls.len(), expected.entries.len(), expected.details.len()), (calls, 3, 1));
    assert_eq!(contents(&engine.open().await).await, expected);
}

on_both_engines! {
    what_an_earlier_version_has_written_is_read
}
