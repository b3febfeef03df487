use super::*;
use crate::domain::Progress;
use crate::store::{CreateBody, OpenCall, Opened, StoreError};

fn create(key: &str, owner: &str) -> OpenCall {
    OpenCall { call: call(key), owner: owner.to_owned(), claim_until: at(10), window: at(-1000), now: at(0) }
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
    let noted = store.note(note).await.unwrap();
    assert_eq!(noted.progress(), Progress::Created);
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
    let first = store.note(Note::of(call("wxcc_1"), at(0))).await.unwrap();
    let parent = reference("0LQ5g000000abcD");
    let transfer = CallName::new(center(), VendorCallKey::parse("wxcc_1").unwrap(), Some(&parent));
    let second = store.note(Note::of(transfer, at(1))).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(store.find(&center(), &reference("wxcc_1")).await.unwrap(), Some(second));
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
    let later = OpenCall { window: at(1), now: at(2000), claim_until: at(2010), ..create("wxcc_1", "a") };
    assert!(store.open_call(later).await.unwrap().is_new());
    let again = Note { created_at: Some(at(2001)), ..Note::of(call("wxcc_1"), at(2001)) };
    let again = store.note(again).await.unwrap();
    assert_eq!((again.ended_at, again.voice_call_id), (None, None));
}

async fn a_deferred_call_counts_as_created_and_a_failed_one_does_not(engine: Engine) {
    let store = engine.open().await;
    let body = CreateBody::Set(Body::new("{}"));
    let failed = Note { create_body: body.clone(), ..Note::of(call("wxcc_1"), at(0)) };
    store.note(failed).await.unwrap();
    let Opened::New(Some(known)) = store.open_call(create("wxcc_1", "a")).await.unwrap() else {
        panic!("a create that failed may be tried again")
    };
    assert_eq!(known.create_body, Some(Body::new("{}")));
    let deferred = Note { create_body: body, deferred_at: Some(at(0)), ..Note::of(call("wxcc_2"), at(0)) };
    store.note(deferred).await.unwrap();
    assert!(matches!(store.open_call(create("wxcc_2", "a")).await.unwrap(), Opened::Known(_)));
}

async fn what_is_needed_no_more_never_comes_back(engine: Engine) {
    let store = engine.open().await;
    let note = |body| Note { create_body: body, ..Note::of(call("wxcc_1"), at(0)) };
    store.note(note(CreateBody::Done)).await.unwrap();
    let noted = store.note(note(CreateBody::Set(Body::new("{}")))).await.unwrap();
    assert_eq!(noted.create_body, None);
    let closed = Note { closed_at: Some(at(0)), ..Note::of(call("wxcc_2"), at(0)) };
    store.note(closed).await.unwrap();
    let late = Note { create_body: CreateBody::Set(Body::new("{}")), ..Note::of(call("wxcc_2"), at(1)) };
    assert_eq!(store.note(late).await.unwrap().create_body, None);
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

on_both_engines! {
    a_created_call_is_known_by_its_key_and_by_both_forms_of_its_id
    a_transfer_with_another_parent_is_another_call_and_the_newest_is_found
    a_call_that_was_created_before_the_window_is_forgotten
    a_deferred_call_counts_as_created_and_a_failed_one_does_not
    what_is_needed_no_more_never_comes_back
    a_call_is_found_by_its_start_and_two_are_ambiguous
    a_fingerprint_is_the_same_for_all_who_share_a_database_and_for_no_others
    a_closed_store_says_so
}
