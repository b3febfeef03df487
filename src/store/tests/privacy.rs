use std::path::Path;

use super::*;
use crate::domain::{EventKind, TaskEnding, TaskNumbers};
use crate::store::{Attempt, CreateBody, DetailKind, Owner, PurgeBefore, Settle, SettleTask, StoreError};

/// No number looks like it, so that finding it anywhere is a find.
const NUMBER: &str = "+4930555012345678";

fn holds_the_number(folder: &Path) -> bool {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .any(|bytes| bytes.windows(NUMBER.len()).any(|window| window == NUMBER.as_bytes()))
}

#[tokio::test]
async fn no_number_is_left_in_any_file_after_a_closed_call() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&format!("sqlite:{}/bridge.db", folder.path().display())).await.unwrap();
    let body = || StoredJson::new(format!("{{\"from\":\"{NUMBER}\",\"filler\":\"{}\"}}", "x".repeat(700)));
    for number in 0..60 {
        let key = format!("wxcc_{number}");
        let failed = Note { create_body: CreateBody::Set(body()), ..Note::of(call(&key), at(0)) };
        store.note(failed).await.unwrap();
        let mut end = hang_up(&key, "a");
        end.entries.iter_mut().for_each(|entry| entry.body = body());
        let taken = ids(&store.enqueue(end).await.unwrap());
        assert!(holds_the_number(folder.path()));
        for (id, close) in [(taken[0], false), (taken[1], true)] {
            let attempt = Attempt::Delivered { close };
            let settle = Settle { id, owner: "a".to_owned(), attempt, note: None, now: at(1) };
            assert!(store.settle(settle).await.unwrap());
        }
        if number == 30 {
            assert!(store.checkpoint().await.unwrap());
        }
    }
    assert!(store.checkpoint().await.unwrap());
    assert!(!holds_the_number(folder.path()));
    let known = store.find(&center(), &reference("wxcc_1")).await.unwrap().unwrap();
    assert_eq!((known.create_body, known.closed_at), (None, Some(at(1))));
}

#[tokio::test]
async fn no_number_of_an_event_is_left_in_any_file_once_its_task_is_folded_or_forgotten() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&format!("sqlite:{}/bridge.db", folder.path().display())).await.unwrap();
    for number in 0..60 {
        let ends = number % 2 == 0;
        let what = if ends { EventKind::Ended(TaskEnding::default()) } else { EventKind::New };
        let mut event = tasks::new_event(&format!("task-{number}"), "1", what, 0);
        event.numbers = Some(TaskNumbers { origin: Some(NUMBER.into()), destination: None });
        store.keep_event(event).await.unwrap();
    }
    assert!(holds_the_number(folder.path()));
    for task in store.lease_tasks(&tasks::lease_tasks("a", 10)).await.unwrap() {
        assert!(task.numbers.origin.as_ref().is_some_and(|number| number.expose() == NUMBER));
        let settle = SettleTask { task, owner: "a".to_owned(), due_at: None, folds: true, now: at(10) };
        assert!(store.settle_task(settle).await.unwrap());
    }
    store.purge(PurgeBefore { calls: at(1), buried: at(1), private: at(1) }).await.unwrap();
    assert!(!holds_the_number(folder.path()));
}

#[tokio::test]
async fn no_number_of_a_detail_is_left_in_any_file_once_it_was_purged() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&format!("sqlite:{}/bridge.db", folder.path().display())).await.unwrap();
    for number in 0..60 {
        let name = call(&format!("wxcc_{number}"));
        store.note(Note::of(name.clone(), at(0))).await.unwrap();
        for owner in [Owner::Call(name.clone()), Owner::Key(name.vendor_call_key().clone())] {
            let details = [DetailKind::Request, DetailKind::Webhook, DetailKind::Sent]
                .map(|kind| details::detail(kind, "1", number, NUMBER));
            store.keep_details(&owner, &details, at(0)).await.unwrap();
        }
    }
    assert!(holds_the_number(folder.path()));
    let before = PurgeBefore { calls: at(0), buried: at(0), private: at(1) };
    assert_eq!(store.purge(before).await.unwrap().details, 360);
    assert!(!holds_the_number(folder.path()));
}

#[tokio::test]
async fn only_the_service_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let engine = Engine::sqlite();
    let store = engine.open().await;
    store.note(Note::of(call("wxcc_1"), at(0))).await.unwrap();
    let Engine::Sqlite(folder) = &engine else { panic!("not SQLite") };
    for file in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
    }
}

#[tokio::test]
async fn an_empty_file_that_others_may_read_is_closed_to_them_and_one_with_data_stays_as_it_is() {
    use std::fs::{File, Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bridge.db");
    let mode = || metadata(&file).unwrap().permissions().mode() & 0o777;
    File::create(&file).unwrap();
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let url = format!("sqlite:{}", file.display());
    Store::open_for_service(&url, at(0)).await.unwrap().close().await.unwrap();
    assert_eq!(mode(), 0o600);
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    Store::open_for_service(&url, at(0)).await.unwrap().close().await.unwrap();
    assert_eq!(mode(), 0o644, "check tells of it");
}

#[tokio::test]
async fn no_error_repeats_a_password_or_what_was_to_be_written() {
    for url in [
        "postgres://bridge:s3cret@127.0.0.1:1/bridge",
        "postgres://bridge:s3cret@[bad/bridge",
        "mysql://bridge:s3cret@localhost/bridge",
    ] {
        let error = Store::open(url).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    let engine = Engine::postgres();
    let store = engine.open().await;
    let unwritable = CreateBody::Set(StoredJson::new(format!("{NUMBER}\0")));
    let note = Note { create_body: unwritable, ..Note::of(call("wxcc_1"), at(0)) };
    let error = store.note(note).await.unwrap_err();
    assert_eq!(error, StoreError::Refused("22P05".to_owned()));
    assert_eq!(store.ready(), Ok(()));
}
