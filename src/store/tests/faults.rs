use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::task::JoinSet;

use super::exchange::exchange;
use super::*;
use crate::store::batch::Job;
use crate::store::in_flight::InFlight;
use crate::store::{CreateBody, OpenCall, StoreError};

/// Long enough for anything that comes at all.
const BOUND: Duration = Duration::from_secs(20);

async fn until_ready(store: &Store) {
    let ready = async {
        while store.ready().is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, ready).await.unwrap();
}

fn note(key: &str) -> Note {
    Note::of(call(key), at(0))
}

async fn beside(engine: &Engine) -> SqliteConnection {
    let Engine::Sqlite(folder) = engine else { panic!("not SQLite") };
    SqliteConnectOptions::new().filename(folder.path().join("data/bridge.db")).connect().await.unwrap()
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let engine = Engine::sqlite();
    let store = engine.open().await;
    let mut notes = JoinSet::new();
    for number in 0..50 {
        let store = store.clone();
        notes.spawn(async move { store.note(note(&format!("wxcc_{number}"))).await.unwrap() });
    }
    notes.join_all().await;
    let Engine::Sqlite(folder) = &engine else { panic!("not SQLite") };
    // What lies on the disk now is what a killed process leaves behind.
    let left = TempDir::new().unwrap();
    for file in ["bridge.db", "bridge.db-wal"] {
        std::fs::copy(folder.path().join("data").join(file), left.path().join(file)).unwrap();
    }
    let again = Store::open(&format!("sqlite:{}/bridge.db", left.path().display())).await.unwrap();
    for number in 0..50 {
        let found = again.find(&center(), &reference(&format!("wxcc_{number}"))).await.unwrap();
        assert!(found.is_some(), "{number}");
    }
}

#[tokio::test]
async fn dropping_the_last_handle_keeps_what_was_answered_and_ends_the_writer() {
    for engine in [Engine::sqlite(), Engine::postgres()] {
        let store = engine.open().await;
        let health = std::sync::Arc::downgrade(&store.health);
        store.note(note("wxcc_1")).await.unwrap();
        drop(store);
        let ended = async {
            while health.strong_count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(BOUND, ended).await.unwrap();
        let again = engine.open().await;
        assert!(again.find(&center(), &reference("wxcc_1")).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_writer_that_panicked_is_seen_by_who_waits_for_its_end() {
    let store = Engine::sqlite().open().await;
    let waits = tokio::time::timeout(Duration::from_millis(50), store.closed()).await;
    assert!(waits.is_err(), "it has not ended");
    store.jobs.send(Job::Fault).await.unwrap();
    tokio::time::timeout(BOUND, store.closed()).await.expect("nobody is told");
    assert_eq!(store.ready(), Err(StoreError::Closed));
}

#[tokio::test]
async fn a_lock_of_another_program_is_named_and_outlived() {
    let engine = Engine::sqlite();
    let store = engine.open().await;
    let mut other = beside(&engine).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(store.note(note("wxcc_1")).await, Err(StoreError::Locked));
    assert_eq!(store.ready(), Err(StoreError::Locked));
    let refused = tokio::time::timeout(Duration::from_millis(100), store.note(note("wxcc_1"))).await;
    assert_eq!(refused.unwrap(), Err(StoreError::Locked), "it is refused at once");
    other.execute("ROLLBACK").await.unwrap();
    until_ready(&store).await;
    store.note(note("wxcc_1")).await.unwrap();
}

#[tokio::test]
async fn exchanges_that_a_locked_database_did_not_take_are_written_once_when_it_is_back() {
    let engine = Engine::sqlite();
    let store = engine.open().await;
    let all = [exchange("wxcc_1", 1), exchange("wxcc_1", 2), exchange("wxcc_1", 3)];
    let mut other = beside(&engine).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    store.keep_exchange(|| Some(all[0].clone()));
    store.keep_exchange(|| Some(all[1].clone()));
    assert_eq!(store.write_exchanges().await, Err(StoreError::Locked));
    store.keep_exchange(|| Some(all[2].clone()));
    assert_eq!(store.write_exchanges().await, Ok(()), "they wait");
    let waiting = store.clone();
    let recovered = tokio::spawn(async move { waiting.recovered().await });
    tokio::task::yield_now().await;
    other.execute("ROLLBACK").await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), recovered).await.unwrap().unwrap();
    store.write_exchanges().await.unwrap();
    let names = [CallReference::parse("wxcc_1").unwrap()];
    assert_eq!(store.exchanges(&names).await.unwrap(), (all.to_vec(), 0));
    // Whether a commit that fails has been done nobody knows: it may be done twice.
    engine.tamper("INSERT INTO exchanges (at, records) SELECT at, records FROM exchanges").await;
    assert_eq!(store.exchanges(&names).await.unwrap(), (all.to_vec(), 0));
}

/// `scv-bridge reconcile` once ended with "locked by another program" because the service was busy.
#[tokio::test]
async fn a_command_waits_for_a_lock_longer_than_a_service_does() {
    let engine = Engine::sqlite();
    let (command, service) = (Store::open(&engine.url()).await.unwrap(), engine.open().await);
    let mut other = beside(&engine).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let mut written = std::pin::pin!(command.note(note("wxcc_1")));
    tokio::select! {
        biased;
        written = &mut written => panic!("{written:?} while the database is locked"),
        refused = service.note(note("wxcc_2")) => assert_eq!(refused, Err(StoreError::Locked)),
    }
    other.execute("ROLLBACK").await.unwrap();
    written.await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_named_and_loses_nothing_that_was_answered() {
    let engine = Engine::sqlite();
    let limits = Limits { pages: Some(40), ..limits() };
    let store = Store::open_within(&engine.url(), limits).await.unwrap();
    let mut kept = 0;
    let full = loop {
        let body = CreateBody::Set(StoredJson::new("x".repeat(3000)));
        match store.note(Note { create_body: body, ..note(&format!("wxcc_{kept}")) }).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 1000);
    };
    assert_eq!(full, StoreError::Full);
    until_ready(&store).await;
    for number in 0..=kept {
        let found = store.find(&center(), &reference(&format!("wxcc_{number}"))).await.unwrap();
        assert_eq!(found.is_some(), number < kept);
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| format!("sqlite:{}/{name}", folder.path().display());
    std::fs::write(folder.path().join("letter"), "Dear database, ".repeat(100)).unwrap();
    assert_eq!(Store::open(&file("letter")).await.unwrap_err(), StoreError::Corrupt);
    assert!(matches!(Store::open(&file("letter/bridge.db")).await, Err(StoreError::File(_))));
    assert_eq!(Store::open("mysql://localhost/x").await.unwrap_err(), StoreError::Url);
    let refused = Store::open("postgres://bridge@127.0.0.1:1/bridge?sslmode=disable").await.unwrap_err();
    assert_eq!(refused, StoreError::Gone("connection refused".to_owned()));
    let missing = Store::open(&Postgres::shared().url("no_such_database")).await.unwrap_err();
    assert_eq!(missing, StoreError::Login("3D000".to_owned()));
    let newer = Engine::sqlite();
    newer.open().await.close().await.unwrap();
    beside(&newer).await.execute("PRAGMA user_version = 99").await.unwrap();
    assert_eq!(Store::open(&newer.url()).await.unwrap_err(), StoreError::Newer);
    let other = Engine::sqlite();
    let Engine::Sqlite(other_folder) = &other else { panic!("not SQLite") };
    std::fs::create_dir_all(other_folder.path().join("data")).unwrap();
    std::fs::File::create(other_folder.path().join("data/bridge.db")).unwrap();
    beside(&other).await.execute("CREATE TABLE notes (text TEXT)").await.unwrap();
    let whole = std::fs::read(other_folder.path().join("data/bridge.db")).unwrap();
    for version in ["PRAGMA user_version = 0", "PRAGMA user_version = 3", "PRAGMA user_version = 99"] {
        beside(&other).await.execute(version).await.unwrap();
        let url = other.url();
        for told in [
            Store::open(&url).await.map(drop),
            Store::open_for_service(&url, at(0)).await.map(drop),
            Store::open_existing(&url).await.map(drop),
            Store::open_to_read(&url).await.map(drop),
            super::super::inspect(&url).await.map(drop),
        ] {
            assert_eq!(told, Err(StoreError::Foreign), "{version}");
        }
    }
    beside(&other).await.execute("PRAGMA user_version = 0").await.unwrap();
    let after = std::fs::read(other_folder.path().join("data/bridge.db")).unwrap();
    // Bytes 18 and 19 tell how it is written, which another program's file keeps.
    assert_eq!(after.get(18..20), whole.get(18..20), "nothing of it was changed");
}

#[tokio::test]
async fn what_is_no_regular_file_is_named_and_nobody_waits_for_it() {
    let folder = TempDir::new().unwrap();
    let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (place, kind) in [
        (pipe.as_path(), "a named pipe"),
        (socket.as_path(), "a socket"),
        (folder.path(), "a directory"),
        (std::path::Path::new("/dev/zero"), "a device"),
    ] {
        let url = format!("sqlite:{}", place.display());
        for told in [
            Store::open(&url).await.map(drop),
            Store::open_for_service(&url, at(0)).await.map(drop),
            Store::open_existing(&url).await.map(drop),
            Store::open_to_read(&url).await.map(drop),
            super::super::inspect(&url).await.map(drop),
        ] {
            assert_eq!(told, Err(StoreError::NoFile(kind)), "{}", place.display());
        }
    }
}

#[tokio::test]
async fn a_file_that_is_taken_away_is_noticed_and_one_that_comes_back_is_used_again() {
    let folder = TempDir::new().unwrap();
    let (file, away) = (folder.path().join("bridge.db"), folder.path().join("away.db"));
    let store = Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
    store.note(note("wxcc_1")).await.unwrap();
    std::fs::rename(&file, &away).unwrap();
    let gone = StoreError::File(std::io::ErrorKind::NotFound);
    assert_eq!(store.note(note("wxcc_2")).await.unwrap_err(), gone);
    assert_eq!(store.ready(), Err(gone));
    std::fs::rename(&away, &file).unwrap();
    until_ready(&store).await;
    store.note(note("wxcc_3")).await.unwrap();
    for (key, is_there) in [("wxcc_1", true), ("wxcc_2", false), ("wxcc_3", true)] {
        assert_eq!(store.find(&center(), &reference(key)).await.unwrap().is_some(), is_there, "{key}");
    }
}

#[tokio::test]
async fn a_server_that_goes_away_and_comes_back_is_outlived() {
    let engine = Engine::postgres();
    let store = engine.open().await;
    store.note(note("wxcc_1")).await.unwrap();
    let database = engine.url().split(['/', '?']).nth(3).unwrap().to_owned();
    let server = Postgres::shared();
    server.ask("postgres", &format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"));
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
    server.ask("postgres", &end);
    let gone = store.note(note("wxcc_2")).await.unwrap_err();
    assert!(matches!(gone, StoreError::Gone(_)), "{gone:?}");
    assert_eq!(store.ready(), Err(gone));
    server.ask("postgres", &format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"));
    until_ready(&store).await;
    for key in ["wxcc_1", "wxcc_2"] {
        store.note(note(key)).await.unwrap();
    }
}

#[tokio::test]
async fn one_bad_command_harms_no_other() {
    let store = Engine::postgres().open().await;
    let mut notes = JoinSet::new();
    for number in 0..20 {
        let store = store.clone();
        let body = if number == 7 { "\0" } else { "{}" };
        let create_body = CreateBody::Set(StoredJson::new(body));
        let note = Note { create_body, ..note(&format!("wxcc_{number}")) };
        notes.spawn(async move { (number, store.note(note).await.is_ok()) });
    }
    for (number, written) in notes.join_all().await {
        assert_eq!(written, number != 7, "{number}");
    }
}

#[test]
fn docs_tell_the_times_after_which_a_database_counts_as_failed() {
    let limits = Limits::default();
    let (hangs, locked) = (limits.batch.as_secs(), limits.busy.as_secs());
    let durability = include_str!("../../../docs/durability.md");
    for page in [durability, include_str!("../../../docs/errors.md")] {
        assert!(page.contains(&format!("counts as failed after {hangs} s, ")), "{hangs} s");
        assert!(page.contains(&format!(" after {locked} s")), "{locked} s");
    }
}

#[tokio::test]
async fn a_create_of_unknown_end_stays_in_flight_until_the_journal_has_taken_that() {
    let engine = Engine::sqlite();
    let store = Store::open_locked(&engine.url(), at(0), limits()).await.unwrap();
    let (owner, call) = ("a".to_owned(), call("wxcc_1"));
    let (lease_until, window, now) = (at(10), at(-1000), at(0));
    store.open_call(OpenCall { call: call.clone(), owner, lease_until, window, now }).await.unwrap();
    let mut other = beside(&engine).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let unknown = Note { create_unknown_at: Some(at(1)), ..note("wxcc_1") };
    assert_eq!(store.note(unknown.clone()).await, Err(StoreError::Locked));
    // The flow is answered, and nobody holds the create any more.
    store.release_create(&call, "a").await.unwrap();
    let Engine::Sqlite(folder) = &engine else { panic!("not SQLite") };
    let left = || InFlight::beside(&folder.path().join("data/bridge.db")).unwrap().all().len();
    assert_eq!(left(), 1);
    other.execute("ROLLBACK").await.unwrap();
    until_ready(&store).await;
    store.note(unknown).await.unwrap();
    assert!(store.in_flight.as_ref().unwrap().all().is_empty());
}
