use super::*;
use crate::domain::{CallProgress, EventKind, TaskEvent, TaskId};
use crate::store::{CreateBody, NewEvent, OpenCall, Opened, PurgeBefore, StoreError};

fn create(key: &str, owner: &str) -> OpenCall {
    OpenCall { call: call(key), owner: owner.to_owned(), lease_until: at(10), window: at(-1000), now: at(0) }
}

impl Opened {
    fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }
}

async fn a_created_call_is_known_by_its_key_and_by_both_forms_of_its_id(engine: Engine) {
    let store = engine.open().await;
    assert!(store.open_call(create("wxcc_1", "a")).await.unwrap().is_new());
    let note = Note {
        voice_call_id: voice_call("0LQ5g000000abcDGAQ"),
        created_at: Some(at(1)),
        fingerprint: Some(store.fingerprint(&["+4930123456", "+4930654321"])),
        start_time: Some(at(-1)),
        ..Note::of(call("wxcc_1"), at(1))
    };
    let noted = store.learn(note).await.unwrap();
    assert_eq!(noted.progress(), CallProgress::Created);
    for text in ["wxcc_1", "0LQ5g000000abcDGAQ", "0LQ5g000000abcD"] {
        let found = store.find(&center(), &reference(text)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&noted), "{text}");
    }
    for text in ["wxcc_2", "0LQ5g000000abcd"] {
        assert_eq!(store.find(&center(), &reference(text)).await.unwrap(), None, "{text}");
    }
    assert_eq!(
        store.find(&CallCenterName::parse("Other").unwrap(), &reference("wxcc_1")).await.unwrap(),
        None
    );
    assert_eq!(store.open_call(create("wxcc_1", "b")).await.unwrap(), Opened::Known(Box::new(noted)));
}

async fn a_transfer_with_another_parent_is_another_call_and_the_newest_is_found(engine: Engine) {
    let store = engine.open().await;
    let first = store.learn(Note::of(call("wxcc_1"), at(0))).await.unwrap();
    let parent = reference("0LQ5g000000abcD");
    let transfer = CallName::new(center(), VendorCallKey::parse("wxcc_1").unwrap(), Some(&parent));
    let second = store.learn(Note::of(transfer, at(1))).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(store.find(&center(), &reference("wxcc_1")).await.unwrap(), Some(second));
}

async fn an_interaction_is_all_that_is_known_of_a_key_and_of_no_other(engine: Engine) {
    let store = engine.open().await;
    let id = "0LQ5g000000abcD";
    for (key, id) in [("wxcc_1", Some(id)), ("WXCC_1", None), ("wxcc_.", None), ("1", None)] {
        let voice_call_id = id.and_then(voice_call);
        store
            .note(Note { voice_call_id, answered_at: Some(at(5)), ..Note::of(call(key), at(5)) })
            .await
            .unwrap();
    }
    let (task, kind) = (TaskId::parse("1").unwrap(), EventKind::Connected);
    let event =
        TaskEvent { at: Some(at(3)), kind, id: "e1".into(), queue: None, agent: None, direction: None };
    let event = NewEvent { task, event, numbers: None, now: at(3), due_at: at(3) };
    store.keep_event(event).await.unwrap();
    for (named, events) in
        [("wxcc_1", 1), (id, 1), ("0LQ5g000000abcDGAQ", 1), ("WXCC_1", 0), ("wxcc_.", 0), ("1", 0)]
    {
        let interaction = store.interaction(&center(), &reference(named)).await.unwrap();
        assert_eq!((interaction.calls().len(), interaction.timeline().len()), (1, events), "{named}");
    }
    let elsewhere = CallCenterName::parse("Support").unwrap();
    for (center, named) in [(&elsewhere, id), (&elsewhere, "wxcc_1"), (&center(), "0LQ5g000000abcE")] {
        assert_eq!(store.interaction(center, &reference(named)).await.unwrap().calls(), [], "{named}");
    }
}

async fn all_calls_of_a_key_are_given_in_the_order_of_their_beginning(engine: Engine) {
    let store = engine.open().await;
    let key = VendorCallKey::parse("wxcc_1").unwrap();
    let run = |second| CallName::later_run(center(), key.clone(), at(second));
    let parent = reference("wxcc_0");
    let names = [run(60), CallName::new(center(), key.clone(), Some(&parent)), call("wxcc_1"), run(-5)];
    for name in &names {
        let start_time = name.run_began().or(Some(at(10))).filter(|_| !name.is_plain());
        store
            .note(Note { start_time, answered_at: Some(at(70)), ..Note::of(name.clone(), at(80)) })
            .await
            .unwrap();
    }
    store.note(Note::of(call("wxcc_2"), at(0))).await.unwrap();
    let found = store.calls_of(&center(), &key).await.unwrap();
    let found: Vec<&CallName> = found.iter().map(|call| &call.name).collect();
    assert_eq!(found, [&names[2], &names[3], &names[1], &names[0]], "one without a beginning comes first");
}

async fn a_lease_that_came_to_nothing_leaves_no_call_behind(engine: Engine) {
    let store = engine.open().await;
    let key = VendorCallKey::parse("wxcc_1").unwrap();
    let run = CallName::later_run(center(), key.clone(), at(60));
    let first =
        store.learn(Note { start_time: Some(at(0)), ..Note::of(call("wxcc_1"), at(0)) }).await.unwrap();
    let open = |name: &CallName| OpenCall { call: name.clone(), ..create("wxcc_1", "a") };
    for name in [&run, &first.name] {
        assert!(store.open_call(open(name)).await.unwrap().is_new());
        store.release_create(name, "b").await.unwrap();
        store.release_create(name, "a").await.unwrap();
    }
    assert_eq!(store.find(&center(), &reference("wxcc_1")).await.unwrap().as_ref(), Some(&first));
    assert_eq!(store.calls_of(&center(), &key).await.unwrap(), [first]);
    assert!(store.open_call(open(&run)).await.unwrap().is_new());
}

async fn of_two_voice_calls_of_a_call_the_one_that_was_made_last_counts(engine: Engine) {
    let store = engine.open().await;
    // Salesforce's ids do not tell which is newer.
    let [first, last] = ["0LQ5g000000zzzzGAQ", "0LQ5g000000aaaaGAQ"].map(voice_call);
    let made = |id: &Option<VoiceCallId>, second| Note {
        voice_call_id: id.clone(),
        created_at: Some(at(second)),
        ..Note::of(call("wxcc_1"), at(second))
    };
    let (earlier, later) = (made(&first, 1), made(&last, 2));
    for (key, order) in [("wxcc_1", [&earlier, &later]), ("wxcc_2", [&later, &earlier])] {
        let mut merged = Note::of(call("wxcc_3"), at(0));
        for note in order {
            merged.merge(note);
            store.note(Note { call: call(key), ..note.clone() }).await.unwrap();
        }
        let known = store.find(&center(), &reference(key)).await.unwrap().unwrap();
        for id in [&known.voice_call_id, &merged.voice_call_id] {
            assert_eq!(*id, last, "{key}");
        }
        assert_eq!([known.created_at, merged.created_at], [Some(at(2)); 2], "{key}");
    }
    let long = Note { voice_call_id: voice_call("0LQ5g000000aaaaGAQ"), ..made(&None, 2) };
    let short = Note { voice_call_id: voice_call("0LQ5g000000aaaa"), ..long.clone() };
    for note in [&short, &long, &short] {
        store.note(Note { call: call("wxcc_4"), ..note.clone() }).await.unwrap();
    }
    let known = store.find(&center(), &reference("wxcc_4")).await.unwrap().unwrap();
    assert_eq!(known.voice_call_id, long.voice_call_id);
}

async fn a_create_that_was_leased_by_a_process_that_is_gone_is_of_unknown_end(engine: Engine) {
    let gone = open_alone(&engine).await;
    for key in ["wxcc_1", "wxcc_2"] {
        assert!(gone.open_call(create(key, "a")).await.unwrap().is_new());
    }
    gone.note(Note { created_at: Some(at(1)), ..Note::of(call("wxcc_2"), at(1)) }).await.unwrap();
    gone.close().await.unwrap();
    let store = open_alone(&engine).await;
    let later = |key| OpenCall { now: at(20), lease_until: at(30), ..create(key, "b") };
    for (key, is_unknown) in [("wxcc_1", true), ("wxcc_2", false), ("wxcc_3", false)] {
        let Opened::New(known) = store.open_call(later(key)).await.unwrap() else { panic!("{key}") };
        assert_eq!(known.is_some_and(|call| call.is_create_unknown()), is_unknown, "{key}");
    }
    // What is given back when the process stops was not answered either.
    store.release("b").await.unwrap();
    let known = store.find(&center(), &reference("wxcc_3")).await.unwrap().unwrap();
    assert!(known.is_create_unknown());
}

async fn open_alone(engine: &Engine) -> Store {
    Store::open_for_service(&engine.url(), at(0)).await.unwrap()
}

async fn an_agent_is_kept_hashed_and_one_of_two(engine: Engine) {
    let store = engine.open().await;
    let by = |agent: &str| Note {
        answered_by: Some(store.fingerprint(&[agent])),
        ..Note::of(call("wxcc_1"), at(0))
    };
    for agent in ["7d6a", "9e1b", "7d6a"] {
        store.note(by(agent)).await.unwrap();
    }
    let kept = store.learn(Note::of(call("wxcc_1"), at(1))).await.unwrap().answered_by;
    assert_eq!(kept, [by("7d6a"), by("9e1b")].into_iter().filter_map(|note| note.answered_by).max());
}

async fn a_call_that_was_created_before_the_window_is_forgotten(engine: Engine) {
    let store = engine.open().await;
    let note = Note {
        voice_call_id: voice_call("0LQ5g000000abcD"),
        created_at: Some(at(0)),
        ended_at: Some(at(5)),
        ..Note::of(call("wxcc_1"), at(5))
    };
    store.note(note).await.unwrap();
    let later = OpenCall { window: at(1), now: at(2000), lease_until: at(2010), ..create("wxcc_1", "a") };
    assert!(store.open_call(later).await.unwrap().is_new());
    let again = Note { created_at: Some(at(2001)), ..Note::of(call("wxcc_1"), at(2001)) };
    let again = store.learn(again).await.unwrap();
    assert_eq!((again.ended_at, again.voice_call_id), (None, None));
}

async fn a_deferred_call_counts_as_created_and_a_failed_one_does_not(engine: Engine) {
    let store = engine.open().await;
    let body = CreateBody::Set(StoredJson::new("{}"));
    let failed = Note { create_body: body.clone(), ..Note::of(call("wxcc_1"), at(0)) };
    store.note(failed).await.unwrap();
    let Opened::New(Some(known)) = store.open_call(create("wxcc_1", "a")).await.unwrap() else {
        panic!("a create that failed may be tried again")
    };
    assert_eq!(known.create_body, Some(StoredJson::new("{}")));
    let deferred = Note { create_body: body, deferred_at: Some(at(0)), ..Note::of(call("wxcc_2"), at(0)) };
    store.note(deferred).await.unwrap();
    assert!(matches!(store.open_call(create("wxcc_2", "a")).await.unwrap(), Opened::Known(_)));
}

async fn what_is_needed_no_more_never_comes_back(engine: Engine) {
    let store = engine.open().await;
    let note = |body| Note { create_body: body, ..Note::of(call("wxcc_1"), at(0)) };
    store.note(note(CreateBody::Done)).await.unwrap();
    let noted = store.learn(note(CreateBody::Set(StoredJson::new("{}")))).await.unwrap();
    assert_eq!(noted.create_body, None);
    let closed = Note { closed_at: Some(at(0)), ..Note::of(call("wxcc_2"), at(0)) };
    store.note(closed).await.unwrap();
    let late =
        Note { create_body: CreateBody::Set(StoredJson::new("{}")), ..Note::of(call("wxcc_2"), at(1)) };
    assert_eq!(store.learn(late).await.unwrap().create_body, None);
}

async fn a_call_is_found_by_its_start_and_two_are_ambiguous(engine: Engine) {
    let store = engine.open().await;
    for (key, start) in [("wxcc_1", 1), ("wxcc_2", 2), ("wxcc_3", 2), ("wxcc_4", 2)] {
        let note = Note { start_time: Some(at(start)), ..Note::of(call(key), at(3)) };
        store.note(note).await.unwrap();
    }
    let one = store.find_by_start(&center(), at(1)).await.unwrap();
    assert_eq!(one.iter().map(|call| &call.name).collect::<Vec<_>>(), [&call("wxcc_1")]);
    assert_eq!(store.find_by_start(&center(), at(2)).await.unwrap().len(), 2);
    assert!(store.find_by_start(&center(), at(3)).await.unwrap().is_empty());
}

async fn a_fingerprint_is_the_same_for_all_who_share_a_database_and_for_no_others(engine: Engine) {
    let (one, two) = (engine.open().await, engine.open().await);
    let print = one.fingerprint(&["+4930123456", "1"]);
    assert_eq!(print, two.fingerprint(&["+4930123456", "1"]));
    assert_ne!(print, one.fingerprint(&["+493012345", "61"]));
    let other = Store::open("sqlite::memory:").await.unwrap();
    assert_ne!(print, other.fingerprint(&["+4930123456", "1"]));
}

async fn a_closed_store_says_so(engine: Engine) {
    let store = engine.open().await;
    store.note(Note::of(call("wxcc_1"), at(0))).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.note(Note::of(call("wxcc_1"), at(0))).await, Err(StoreError::Closed));
    assert_eq!(store.ready(), Err(StoreError::Closed));
    let again = engine.open().await;
    assert!(again.find(&center(), &reference("wxcc_1")).await.unwrap().is_some());
}

async fn notes_at_once_of_any_number_all_arrive(engine: Engine) {
    let store = engine.open().await;
    for round in 1..20 {
        let mut notes = tokio::task::JoinSet::new();
        for number in 0..round {
            let (store, key) = (store.clone(), format!("wxcc_{round}_{number}"));
            let note = Note { answered_at: Some(at(number)), ..Note::of(call(&key), at(round)) };
            notes.spawn(async move {
                match number % 3 {
                    0 => assert_eq!(store.learn(note).await.unwrap().answered_at, Some(at(number))),
                    _ => store.note(note).await.unwrap(),
                }
            });
        }
        notes.join_all().await;
        for number in 0..round {
            let found = store.find(&center(), &reference(&format!("wxcc_{round}_{number}"))).await.unwrap();
            assert_eq!(found.unwrap().answered_at, Some(at(number)));
        }
    }
    let nothing = PurgeBefore { calls: at(-1), buried: at(-1), private: at(-1) };
    assert_eq!(store.purge(nothing).await.unwrap().calls, 0, "no row was made up");
    let all = PurgeBefore { calls: at(1000), buried: at(-1), private: at(1000) };
    assert_eq!(store.purge(all).await.unwrap().calls, (1..20).sum::<usize>());
}

async fn what_a_call_is_known_by_outlives_a_restart_a_purge_and_an_entry(engine: Engine) {
    let store = engine.open().await;
    let created = |key: &str, second| Note {
        created_at: Some(at(second)),
        voice_call_id: voice_call("0LQ5g000000abcD"),
        ..Note::of(call(key), at(second))
    };
    for number in 0..9 {
        store.note(created(&format!("wxcc_old_{number}"), 0)).await.unwrap();
    }
    store.note(created("wxcc_new", 5)).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.open_call(create("wxcc_other", "a")).await, Err(StoreError::Closed));
    let store = engine.open().await;
    store.enqueue(deferred("wxcc_deferred")).await.unwrap();
    for key in ["wxcc_new", "wxcc_old_1", "wxcc_deferred"] {
        assert!(!store.open_call(create(key, "a")).await.unwrap().is_new(), "{key}");
    }
    for _ in 0..2 {
        store.purge(PurgeBefore { calls: at(4), buried: at(4), private: at(4) }).await.unwrap();
        assert!(store.open_call(create("wxcc_old_1", "a")).await.unwrap().is_new());
        store.release_create(&call("wxcc_old_1"), "a").await.unwrap();
        for key in ["wxcc_new", "wxcc_deferred"] {
            assert!(!store.open_call(create(key, "a")).await.unwrap().is_new(), "{key}");
        }
    }
}

fn deferred(key: &str) -> Enqueue {
    let note = Note { deferred_at: Some(at(5)), ..Note::of(call(key), at(5)) };
    Enqueue {
        subject: Subject::Known(note.into()),
        entries: vec![entry(EntryKind::Create, false)],
        ..hang_up(key, "a")
    }
}

on_both_engines! {
    a_created_call_is_known_by_its_key_and_by_both_forms_of_its_id
    a_transfer_with_another_parent_is_another_call_and_the_newest_is_found
    all_calls_of_a_key_are_given_in_the_order_of_their_beginning
    an_interaction_is_all_that_is_known_of_a_key_and_of_no_other
    a_lease_that_came_to_nothing_leaves_no_call_behind
    of_two_voice_calls_of_a_call_the_one_that_was_made_last_counts
    a_create_that_was_leased_by_a_process_that_is_gone_is_of_unknown_end
    an_agent_is_kept_hashed_and_one_of_two
    a_call_that_was_created_before_the_window_is_forgotten
    a_deferred_call_counts_as_created_and_a_failed_one_does_not
    what_is_needed_no_more_never_comes_back
    a_call_is_found_by_its_start_and_two_are_ambiguous
    a_fingerprint_is_the_same_for_all_who_share_a_database_and_for_no_others
    a_closed_store_says_so
    notes_at_once_of_any_number_all_arrive
    what_a_call_is_known_by_outlives_a_restart_a_purge_and_an_entry
}
