use super::*;
use crate::store::lock::ServiceLock;

async fn serve(url: &str) -> Result<Store, StoreError> {
    Store::open_locked(url, at(0), limits()).await
}

#[tokio::test]
async fn a_second_service_on_the_same_file_is_told_who_has_it() {
    let engine = Engine::sqlite();
    let first = serve(&engine.url()).await.unwrap();
    let Engine::Sqlite(folder) = &engine else { panic!("not SQLite") };
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(folder.path().join("data/bridge.db"), &link).unwrap();
    for url in [engine.url(), format!("sqlite:{}", link.display())] {
        let Err(StoreError::Taken(holder)) = serve(&url).await else { panic!("both have it") };
        assert!(holder.starts_with(&format!("process {} on ", std::process::id())), "{holder}");
        assert!(holder.ends_with(&format!("since {}", at(0))), "{holder}");
    }
    first.note(Note::of(call("wxcc_1"), at(0))).await.unwrap();
    first.close().await.unwrap();
    let second = serve(&engine.url()).await.unwrap();
    assert!(second.find(&center(), &reference("wxcc_1")).await.unwrap().is_some());
}

#[tokio::test]
async fn beside_a_file_that_is_no_database_of_ours_no_lock_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.db");
    let names = || {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let url = format!("sqlite:{}", file.display());
    std::fs::write(&file, "no database at all, and longer than a header of one".repeat(40)).unwrap();
    assert_eq!(serve(&url).await.map(drop), Err(StoreError::Corrupt));
    assert_eq!(names(), ["notes.db"]);
    std::fs::remove_file(&file).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    drop(other);
    assert_eq!(serve(&url).await.map(drop), Err(StoreError::Foreign));
    assert_eq!(names(), ["notes.db"]);
    std::fs::write(folder.path().join("notes.db.lock"), "somebody's own").unwrap();
    assert_eq!(serve(&url).await.map(drop), Err(StoreError::Foreign));
    assert_eq!(names(), ["notes.db", "notes.db.lock"], "that was there before");
}

#[tokio::test]
async fn a_service_waits_for_one_that_is_refused_and_locks_the_file_that_stands_there() {
    let engine = Engine::sqlite();
    let Engine::Sqlite(folder) = &engine else { panic!("not SQLite") };
    let database = folder.path().join("data/bridge.db");
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    std::fs::File::create(&database).unwrap();
    let first = ServiceLock::take(&database, at(0), Duration::ZERO).await.unwrap();
    let (url, patient) = (engine.url(), Limits { busy: Duration::from_secs(20), ..limits() });
    let second = tokio::spawn(async move { Store::open_locked(&url, at(0), patient).await });
    tokio::task::yield_now().await;
    first.leave_nothing();
    let _second = second.await.unwrap().unwrap();
    assert!(matches!(serve(&engine.url()).await, Err(StoreError::Taken(_))), "the file there is locked");
}

#[tokio::test]
async fn commands_go_on_beside_the_service() {
    let engine = Engine::sqlite();
    let service = serve(&engine.url()).await.unwrap();
    service.enqueue(hang_up("wxcc_1", "a")).await.unwrap();
    for beside in [Store::open_existing(&engine.url()).await, Store::open(&engine.url()).await] {
        let beside = beside.unwrap();
        let kept: u64 = beside.count().await.unwrap().iter().map(|count| count.entries).sum();
        assert_eq!(kept, 2);
        beside.close().await.unwrap();
    }
    assert!(matches!(serve(&engine.url()).await, Err(StoreError::Taken(_))), "their end unlocks nothing");
}

#[tokio::test]
async fn a_service_waits_for_one_that_is_just_ending() {
    let engine = Engine::sqlite();
    let first = serve(&engine.url()).await.unwrap();
    let (url, patient) = (engine.url(), Limits { busy: Duration::from_secs(20), ..limits() });
    let second = tokio::spawn(async move { Store::open_locked(&url, at(0), patient).await });
    tokio::task::yield_now().await;
    drop(first);
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn services_share_a_postgresql() {
    let engine = Engine::postgres();
    let _both = [serve(&engine.url()).await.unwrap(), serve(&engine.url()).await.unwrap()];
}
