use super::*;
use crate::domain::{
    CallState, CallTimeline, EventKind, FinalUpdateState, TaskEnding, TaskEvent, TaskId, TaskNumbers,
    UpdateContent,
};
use crate::store::{Enqueue, Enqueued, LeaseTasks, NewEvent, PurgeBefore, SettleTask, Task};

pub(super) fn new_event(task: &str, id: &str, kind: EventKind, second: i64) -> NewEvent {
    let (id, at) = (id.to_owned(), at(second));
    NewEvent {
        task: TaskId::parse(task).unwrap(),
        event: TaskEvent { at: Some(at), kind, id, queue: None, agent: None, direction: None },
        numbers: None,
        now: at,
        due_at: at + Duration::from_secs(10),
    }
}

pub(super) fn lease_tasks(owner: &str, second: i64) -> LeaseTasks {
    LeaseTasks {
        now: at(second),
        owner: owner.to_owned(),
        until: at(second + 30),
        limit: 100,
        without: Vec::new(),
    }
}

fn ended() -> EventKind {
    EventKind::Ended(TaskEnding::default())
}

fn settle(task: Task, owner: &str, second: i64) -> SettleTask {
    SettleTask { task, owner: owner.to_owned(), due_at: None, folds: true, now: at(second) }
}

async fn a_task_is_due_once_it_has_ended_and_only_one_gets_it(engine: Engine) {
    let (one, two) = (engine.open().await, engine.open().await);
    one.keep_event(new_event("t", "1", EventKind::New, 0)).await.unwrap();
    assert_eq!(one.next_task().await.unwrap(), None);
    two.keep_event(new_event("t", "2", ended(), 1)).await.unwrap();
    assert_eq!(one.next_task().await.unwrap(), Some(at(11)));
    assert!(one.lease_tasks(&lease_tasks("a", 10)).await.unwrap().is_empty());
    let leaseed = one.lease_tasks(&lease_tasks("a", 11)).await.unwrap();
    assert_eq!((leaseed.len(), leaseed[0].timeline.len()), (1, 2));
    assert!(two.lease_tasks(&lease_tasks("b", 12)).await.unwrap().is_empty());
    let taken_over = two.lease_tasks(&lease_tasks("b", 41)).await.unwrap();
    assert!(!one.settle_task(settle(leaseed[0].clone(), "a", 42)).await.unwrap(), "its lease has ended");
    assert!(two.settle_task(settle(taken_over[0].clone(), "b", 43)).await.unwrap());
    assert_eq!(one.next_task().await.unwrap(), None);
}

async fn an_event_counts_once_before_and_after_the_fold(engine: Engine) {
    let store = engine.open().await;
    for _ in 0..2 {
        for (id, kind, second) in
            [("1", EventKind::New, 0), ("2", EventKind::Connected, 1), ("3", ended(), 2)]
        {
            let doubled = [new_event("t", id, kind.clone(), second), new_event("t", id, kind, second)];
            let [first, second] = doubled.map(|event| store.keep_event(event));
            let (first, second) = tokio::join!(first, second);
            first.and(second).unwrap();
        }
        let task = store.lease_tasks(&lease_tasks("a", 20)).await.unwrap().remove(0);
        assert_eq!((task.timeline.len(), task.timeline.history().state), (3, CallState::Ended));
        assert!(store.settle_task(settle(task, "a", 20)).await.unwrap());
    }
    let kept = store.find_task(&TaskId::parse("t").unwrap()).await.unwrap().unwrap();
    assert_eq!(kept.timeline.len(), 3);
    assert!(store.find_task(&TaskId::parse("other").unwrap()).await.unwrap().is_none());
}

async fn what_comes_late_or_during_the_look_makes_the_task_due_again(engine: Engine) {
    let store = engine.open().await;
    store.keep_event(new_event("t", "1", ended(), 0)).await.unwrap();
    let task = store.lease_tasks(&lease_tasks("a", 10)).await.unwrap().remove(0);
    store.keep_event(new_event("t", "2", EventKind::Connected, 11)).await.unwrap();
    assert!(store.settle_task(settle(task, "a", 12)).await.unwrap());
    let task = store.lease_tasks(&lease_tasks("a", 12)).await.unwrap().remove(0);
    assert_eq!(task.timeline.len(), 2);
    assert!(store.settle_task(settle(task, "a", 13)).await.unwrap());
    store.keep_event(new_event("t", "3", EventKind::CaptureAvailable, 100)).await.unwrap();
    assert_eq!(store.next_task().await.unwrap(), Some(at(110)));
    let leaseed = store.lease_tasks(&lease_tasks("a", 110)).await.unwrap().remove(0);
    let again = SettleTask { due_at: Some(at(500)), ..settle(leaseed, "a", 110) };
    assert!(store.settle_task(again).await.unwrap());
    assert_eq!(store.next_task().await.unwrap(), Some(at(500)));
}

async fn what_comes_while_a_task_waits_makes_it_due_sooner(engine: Engine) {
    let store = engine.open().await;
    store.keep_event(new_event("t", "1", ended(), 0)).await.unwrap();
    let task = store.lease_tasks(&lease_tasks("a", 10)).await.unwrap().remove(0);
    let later = SettleTask { due_at: Some(at(600)), ..settle(task, "a", 10) };
    assert!(store.settle_task(later).await.unwrap());
    store.keep_event(new_event("t", "2", EventKind::CaptureAvailable, 20)).await.unwrap();
    assert_eq!(store.next_task().await.unwrap(), Some(at(30)));
    store.keep_event(new_event("t", "3", ended(), 15)).await.unwrap();
    assert_eq!(store.next_task().await.unwrap(), Some(at(25)));
}

async fn a_task_that_is_not_folded_keeps_its_numbers(engine: Engine) {
    let store = engine.open().await;
    let numbers = TaskNumbers { origin: Some("+14693150217".into()), destination: None };
    let event = NewEvent { numbers: Some(numbers.clone()), ..new_event("t", "1", ended(), 0) };
    store.keep_event(event).await.unwrap();
    for (second, folds) in [(10, false), (20, true)] {
        let task = store.lease_tasks(&lease_tasks("a", second)).await.unwrap().remove(0);
        assert_eq!((&task.numbers, task.timeline.len()), (&numbers, 1));
        let due_at = Some(at(second + 10));
        assert!(store.settle_task(SettleTask { due_at, folds, ..settle(task, "a", second) }).await.unwrap());
        assert_eq!(store.next_task().await.unwrap(), Some(at(second + 10)), "not at once again");
    }
    let task = store.lease_tasks(&lease_tasks("a", 30)).await.unwrap().remove(0);
    assert_eq!((task.numbers, task.timeline.len()), (TaskNumbers::default(), 1));
}

async fn a_mark_is_kept_with_the_entries_it_tells_of_and_makes_nothing_due(engine: Engine) {
    let store = engine.open().await;
    store.keep_event(new_event("t", "1", ended(), 0)).await.unwrap();
    let task = store.lease_tasks(&lease_tasks("a", 10)).await.unwrap().remove(0);
    assert!(store.settle_task(settle(task, "a", 10)).await.unwrap());
    let name = call("wxcc_t");
    let marked = |timeline: &CallTimeline| {
        let said = UpdateContent {
            start: None,
            end: None,
            digest: String::new(),
            fields: None,
            is_abandonment: true,
            is_callback: false,
            is_plain: false,
        };
        let mark = timeline.sent_update(&name, Some(said));
        let new = NewEvent { event: mark, ..new_event("t", "", EventKind::New, 20) };
        Enqueue { mark: Some(Box::new(new)), ..hang_up("wxcc_t", "a") }
    };
    let found = async || store.find_task(&TaskId::parse("t").unwrap()).await.unwrap().unwrap();
    for (len, is_accepted) in [(2, true), (2, false)] {
        let enqueued = store.enqueue(marked(&found().await.timeline)).await.unwrap();
        assert_eq!(matches!(enqueued, Enqueued::Accepted { .. }), is_accepted);
        assert_eq!(found().await.timeline.len(), len);
    }
    assert!(matches!(found().await.timeline.final_update(&name), FinalUpdateState::Ours(_)));
    assert_eq!(store.next_task().await.unwrap(), None);
}

async fn a_task_with_a_call_of_a_contact_center_that_is_left_out_is_not_leaseed(engine: Engine) {
    let store = engine.open().await;
    for task in ["a", "b", "unknown"] {
        store.keep_event(new_event(task, "1", ended(), 0)).await.unwrap();
    }
    for (task, center) in [("a", "Main"), ("b", "Other")] {
        let key = VendorCallKey::of_interaction(task).unwrap();
        let name = CallName::new(CallCenterName::parse(center).unwrap(), key, None);
        store.note(Note::of(name, at(0))).await.unwrap();
    }
    let without = |names: &[&str]| names.iter().map(|name| CallCenterName::parse(*name).unwrap()).collect();
    let leaseed = async |names| {
        let lease = LeaseTasks { without: without(names), ..lease_tasks("w", 20) };
        let mut ids: Vec<String> =
            store.lease_tasks(&lease).await.unwrap().iter().map(|task| task.id.to_string()).collect();
        ids.sort();
        ids
    };
    assert_eq!(leaseed(&["Main", "Third"]).await, ["b", "unknown"]);
    assert_eq!(leaseed(&[]).await, ["a"]);
}

async fn a_lease_is_given_back_at_the_stop(engine: Engine) {
    let store = engine.open().await;
    store.keep_event(new_event("t", "1", ended(), 0)).await.unwrap();
    assert_eq!(store.lease_tasks(&lease_tasks("a", 10)).await.unwrap().len(), 1);
    store.release("a").await.unwrap();
    assert_eq!(store.lease_tasks(&lease_tasks("b", 10)).await.unwrap().len(), 1);
}

async fn what_is_old_is_removed_unless_something_is_still_to_be_done(engine: Engine) {
    let store = engine.open().await;
    for (task, kind) in [("open", EventKind::New), ("due", ended()), ("done", ended())] {
        store.keep_event(new_event(task, "1", kind, 0)).await.unwrap();
    }
    for task in store.lease_tasks(&lease_tasks("a", 10)).await.unwrap() {
        let due_at = (task.id.as_ref() == "due").then_some(at(1000));
        assert!(store.settle_task(SettleTask { due_at, ..settle(task, "a", 10) }).await.unwrap());
    }
    let purged = store.purge(PurgeBefore { calls: at(20), buried: at(20), private: at(20) }).await.unwrap();
    assert_eq!((purged.tasks, purged.events), (1, 1));
    store.keep_event(new_event("due", "2", EventKind::Connected, 15)).await.unwrap();
    let later = PurgeBefore { calls: at(100), buried: at(100), private: at(100) };
    let purged = store.purge(later).await.unwrap();
    assert_eq!((purged.tasks, purged.events), (0, 0), "nothing is concluded without it");
    let due = store.lease_tasks(&lease_tasks("a", 1000)).await.unwrap().remove(0);
    assert_eq!(due.timeline.len(), 2);
}

async fn many_events_at_once_all_arrive(engine: Engine) {
    let store = engine.open().await;
    let mut events = tokio::task::JoinSet::new();
    for number in 0..600 {
        let store = store.clone();
        events.spawn(async move {
            let task = format!("t{}", number % 50);
            let kind = if number % 12 == 0 { ended() } else { EventKind::Other(format!("x{number}")) };
            store.keep_event(new_event(&task, &number.to_string(), kind, number)).await.unwrap();
        });
    }
    events.join_all().await;
    let mut held = 0;
    for number in 0..50 {
        let task = TaskId::parse(format!("t{number}")).unwrap();
        held += store.find_task(&task).await.unwrap().unwrap().timeline.len();
    }
    assert_eq!(held, 600);
}

on_both_engines! {
    a_task_is_due_once_it_has_ended_and_only_one_gets_it
    an_event_counts_once_before_and_after_the_fold
    what_comes_late_or_during_the_look_makes_the_task_due_again
    what_comes_while_a_task_waits_makes_it_due_sooner
    a_task_that_is_not_folded_keeps_its_numbers
    a_mark_is_kept_with_the_entries_it_tells_of_and_makes_nothing_due
    a_task_with_a_call_of_a_contact_center_that_is_left_out_is_not_leaseed
    a_lease_is_given_back_at_the_stop
    what_is_old_is_removed_unless_something_is_still_to_be_done
    many_events_at_once_all_arrive
}
