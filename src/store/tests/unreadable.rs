//! Rows that a hand has broken, and rows that a newer version has written.

use std::sync::Arc;

use super::tasks::{lease_tasks, new_event};
use super::*;
use crate::domain::{EventKind, TaskEnding, TaskId, TaskNumbers};
use crate::store::{EntryState, Filter, NewEvent, SettleTask};

fn update(key: &str) -> Enqueue {
    Enqueue {
        entries: vec![entry(EntryKind::Update, false)],
        subject: Subject::Known(Arc::new(Note::of(call(key), at(0)))),
        ..hang_up(key, "a")
    }
}

async fn leased(store: &Store, second: i64) -> Vec<i64> {
    store.lease_due(&lease(second, "w")).await.unwrap().iter().map(|entry| entry.id.0).collect()
}

async fn an_entry_that_cannot_be_read_is_buried_and_holds_up_no_other(engine: Engine) {
    let store = engine.open().await;
    for number in 1..=6 {
        store.enqueue(update(&format!("wxcc_{number}"))).await.unwrap();
    }
    engine.tamper("UPDATE outbox SET call_center = '..' WHERE id = 1").await;
    engine.tamper("UPDATE calls SET voice_call_id = 'no id' WHERE vendor_call_key = 'wxcc_2'").await;
    engine.tamper("UPDATE calls SET vendor_call_key = '' WHERE vendor_call_key = 'wxcc_3'").await;
    engine.tamper("UPDATE outbox SET attempts = -5 WHERE id = 4").await;
    assert_eq!(leased(&store, 10).await, [5, 6]);
    assert_eq!(leased(&store, 20).await, [5, 6], "the others are not tried again");
    let buried = Filter { state: Some(EntryState::Buried), ..Filter::default() };
    let listed = store.list_all(&buried).await.unwrap();
    let problems: Vec<&str> = listed.iter().map(|entry| entry.as_ref().unwrap_err().problem).collect();
    let of_call = "what the journal holds of its call cannot be read";
    let misfit = "its row holds what does not belong there";
    assert_eq!(problems, ["its contact center is no name", of_call, of_call, misfit]);
    let first = listed[0].as_ref().unwrap_err();
    assert_eq!((first.reason.as_deref(), first.id), (Some("it cannot be read"), EntryId(1)));
    assert_eq!(first.last_words.as_deref(), Some(problems[0]));
    assert!(store.count().await.unwrap().iter().any(|count| count.state == EntryState::Pending));
}

async fn an_entry_of_a_newer_version_is_left_alone_with_those_behind_it(engine: Engine) {
    let store = engine.open().await;
    store.enqueue(update("wxcc_1")).await.unwrap();
    store.enqueue(update("wxcc_1")).await.unwrap();
    engine.tamper("UPDATE outbox SET kind = 'survey' WHERE id = 1").await;
    assert_eq!(store.next_due(&[center()], at(99)).await.unwrap(), [], "nobody is kept awake by it");
    store.enqueue(update("wxcc_2")).await.unwrap();
    assert_eq!(leased(&store, 20).await, [3]);
    let listed = store.list_all(&Filter::default()).await.unwrap();
    let newer = listed[0].as_ref().unwrap_err();
    assert!(newer.is_newer());
    assert_eq!((newer.kind.as_deref(), newer.state.as_deref()), (Some("survey"), Some("pending")));
    assert_eq!(newer.created_at, Some(at(0)));
    assert_eq!(store.list(&Filter::default()).await.unwrap().len(), 2);
    // The newer version is back, and has sent it.
    engine.tamper("DELETE FROM outbox WHERE id = 1").await;
    assert_eq!(leased(&store, 30).await, [2, 3]);
}

async fn a_call_that_cannot_be_read_concerns_nobody_else(engine: Engine) {
    let store = engine.open().await;
    for key in ["wxcc_1", "wxcc_2"] {
        store.note(Note { start_time: Some(at(0)), ..Note::of(call(key), at(0)) }).await.unwrap();
    }
    engine.tamper("UPDATE calls SET voice_call_id = 'no id' WHERE vendor_call_key = 'wxcc_1'").await;
    let (one, two) = (reference("wxcc_1"), reference("wxcc_2"));
    let center = center();
    let (one, two) = tokio::join!(store.find(&center, &one), store.find(&center, &two));
    assert!(one.is_err() && two.unwrap().is_some());
    let (one, two) =
        tokio::join!(store.enqueue(hang_up("wxcc_1", "a")), store.enqueue(hang_up("wxcc_2", "a")));
    assert!(one.is_err() && matches!(two, Ok(Enqueued::Accepted { .. })));
}

async fn an_event_that_only_a_newer_version_can_read_stays_without_its_numbers(engine: Engine) {
    let store = engine.open().await;
    let numbers = Some(TaskNumbers { origin: Some("+14693150217".into()), destination: None });
    store.keep_event(NewEvent { numbers, ..new_event("t", "1", EventKind::New, 0) }).await.unwrap();
    store.keep_event(new_event("t", "2", EventKind::Ended(TaskEnding::default()), 1)).await.unwrap();
    engine.tamper(r#"UPDATE events SET event = '{"what":{"survey":5}}' WHERE event_id = '1'"#).await;
    for second in [20, 30] {
        let task = store.lease_tasks(&lease_tasks("a", second)).await.unwrap().remove(0);
        assert_eq!((task.timeline.len(), task.numbers.body().is_none()), (1, second > 20));
        let due_at = (second == 20).then_some(at(30));
        let settle = SettleTask { task, owner: "a".to_owned(), due_at, folds: true, now: at(second) };
        assert!(store.settle_task(settle).await.unwrap());
        assert_eq!(store.next_task().await.unwrap(), due_at, "it is not due at once again");
    }
    // The newer version is back.
    let event = r#"UPDATE events SET event = '{"at":1795000000000,"what":"connected","id":"1"}' WHERE event_id = '1'"#;
    engine.tamper(event).await;
    let task = store.find_task(&TaskId::parse("t").unwrap()).await.unwrap().unwrap();
    assert_eq!(task.timeline.len(), 2);
    assert!(task.timeline.is_answered());
}

async fn a_timeline_that_only_a_newer_version_can_read_is_kept_and_holds_up_no_other(engine: Engine) {
    let store = engine.open().await;
    for task in ["broken", "newer", "well"] {
        store.keep_event(new_event(task, "1", EventKind::Ended(TaskEnding::default()), 0)).await.unwrap();
    }
    engine.tamper("UPDATE tasks SET timeline = 'none' WHERE task_id = 'broken'").await;
    engine
        .tamper(r#"UPDATE tasks SET timeline = '[{"what":"survey","id":"9"}]' WHERE task_id = 'newer'"#)
        .await;
    let leased = store.lease_tasks(&lease_tasks("a", 10)).await.unwrap();
    let mut names: Vec<&str> = leased.iter().map(|task| task.id.as_ref()).collect();
    names.sort_unstable();
    assert_eq!(names, ["newer", "well"]);
    for task in leased {
        let settle = SettleTask { task, owner: "a".to_owned(), due_at: None, folds: true, now: at(10) };
        assert!(store.settle_task(settle).await.unwrap());
    }
    assert_eq!(store.next_task().await.unwrap(), Some(at(3610)), "the broken one waits, unleased");
    // The newer version is back.
    engine
        .tamper(
            r#"UPDATE tasks SET timeline = replace(timeline, 'survey', 'connected') WHERE task_id = 'newer'"#,
        )
        .await;
    let newer = store.find_task(&TaskId::parse("newer").unwrap()).await.unwrap().unwrap();
    assert_eq!(newer.timeline.len(), 2);
}

on_both_engines! {
    an_entry_that_cannot_be_read_is_buried_and_holds_up_no_other
    an_entry_of_a_newer_version_is_left_alone_with_those_behind_it
    a_call_that_cannot_be_read_concerns_nobody_else
    an_event_that_only_a_newer_version_can_read_stays_without_its_numbers
    a_timeline_that_only_a_newer_version_can_read_is_kept_and_holds_up_no_other
}

#[tokio::test]
async fn what_is_no_text_at_all_is_buried_too() {
    let engine = Engine::sqlite();
    let store = engine.open().await;
    store.enqueue(update("wxcc_1")).await.unwrap();
    store.enqueue(update("wxcc_2")).await.unwrap();
    engine.tamper("UPDATE outbox SET body = x'ff00' WHERE id = 1").await;
    assert_eq!(leased(&store, 10).await, [2]);
    let buried = Filter { state: Some(EntryState::Buried), ..Filter::default() };
    let listed = store.list_all(&buried).await.unwrap();
    assert_eq!(listed[0].as_ref().unwrap_err().problem, "its row cannot be read at all");
}

#[test]
fn every_kind_that_this_version_writes_is_one_that_it_leases() {
    let known = crate::store::outbox::known_kinds!();
    for kind in [EntryKind::Create, EntryKind::Clear, EntryKind::Update, EntryKind::LateClear] {
        let text = match kind {
            EntryKind::Create | EntryKind::Clear | EntryKind::Update | EntryKind::LateClear => {
                serde_json::to_string(&kind).unwrap()
            }
        };
        assert!(known.contains(&text.replace('"', "'")), "{text} is not in {known}");
    }
}
