use super::*;
use crate::domain::{Exchange, ExchangeOrigin, ExchangeRecord, SalesforceExchange};
use crate::store::PurgeBefore;

pub(super) fn exchange(call: &str, second: i64) -> Exchange {
    let asked = SalesforceExchange {
        operation: "clearRouting".into(),
        after: 12,
        milliseconds: 7,
        status: Some(503),
        failure: Some("Salesforce cannot do this now: HTTP 503 without a reason".to_owned()),
    };
    let record = ExchangeRecord {
        origin: ExchangeOrigin::Outbox { kind: "clear".into(), entry: 3, attempt: Some(2) },
        outcome: "later".into(),
        milliseconds: 20,
        error: None,
        salesforce: vec![asked],
    };
    Exchange { call_center: center(), call: reference(call), also: None, at: at(second), record }
}

async fn an_exchange_is_found_under_the_other_name_that_the_flow_gave(engine: Engine) {
    let store = engine.open().await;
    let named = Exchange { also: Some(reference("0LQ5g000000abcDGAQ")), ..exchange("wxcc_1", 1) };
    store.keep_exchange(|| Some(named));
    store.write_exchanges().await.unwrap();
    for name in ["wxcc_1", "0LQ5g000000abcD", "0LQ5g000000abcDGAQ"] {
        let (found, unreadable) = store.exchanges(&[reference(name)]).await.unwrap();
        assert_eq!((found.len(), unreadable), (1, 0), "{name}");
        assert_eq!(found[0].also, Some(reference("0LQ5g000000abcD")));
    }
    assert_eq!(store.exchanges(&[reference("0LQ5g000000abcE")]).await.unwrap().0, []);
}

async fn calls_are_found_by_the_call_that_they_continue_and_entries_by_their_name(engine: Engine) {
    let store = engine.open().await;
    let parent = reference("0LQ5g000000abcDGAQ");
    let transfer = CallName::new(center(), VendorCallKey::parse("wxcc_2").unwrap(), Some(&parent));
    store.note(Note::of(transfer, at(1))).await.unwrap();
    let subject = Subject::Unknown(center(), parent.clone());
    let unknown = Enqueue { subject, ..hang_up("wxcc_1", "a") };
    let taken = ids(&store.enqueue(unknown).await.unwrap());
    store.enqueue(hang_up("wxcc_2", "a")).await.unwrap();
    for name in [parent, reference("0LQ5g000000abcD")] {
        assert_eq!(
            store.continuations_of(std::slice::from_ref(&name), 9).await.unwrap(),
            [reference("wxcc_2")]
        );
        let entries = store.list_named(&[name], 9).await.unwrap();
        let found: Vec<EntryId> = entries.iter().map(|entry| entry.as_ref().unwrap().id).collect();
        assert_eq!(found, taken);
    }
    assert_eq!(store.continuations_of(&[reference("wxcc_1")], 9).await.unwrap(), []);
    assert_eq!(
        store.list_named(&[reference("wxcc_2")], 9).await.unwrap().len(),
        2,
        "the entries of a call under its key"
    );
    assert!(store.list_named(&[reference("wxcc_3")], 9).await.unwrap().is_empty());
}

async fn exchanges_are_found_under_every_name_of_the_call_in_their_order(engine: Engine) {
    let store = engine.open().await;
    let all = [exchange("wxcc_1", 2), exchange("0LQ5g000000abcDGAQ", 1), exchange("wxcc_2", 0)];
    for one in &all {
        store.keep_exchange(|| Some(one.clone()));
    }
    let names = [reference("wxcc_1"), reference("0LQ5g000000abcD")];
    assert_eq!(store.exchanges(&names).await.unwrap(), (vec![], 0), "not written yet");
    store.write_exchanges().await.unwrap();
    let (found, unreadable) = store.exchanges(&names).await.unwrap();
    assert_eq!(unreadable, 0);
    assert_eq!(found.iter().map(|one| one.at).collect::<Vec<_>>(), [at(1), at(2)]);
    assert_eq!(found[1], all[0]);
    engine
        .tamper("UPDATE exchanges SET records = replace(records, '\"at\":1795000002000', '\"at\":null')")
        .await;
    let (found, unreadable) = store.exchanges(&names).await.unwrap();
    assert_eq!((found.len(), unreadable), (1, 1), "what this version cannot read is counted");
    let before = PurgeBefore { calls: at(2), buried: at(0), private: at(0) };
    assert_eq!(store.purge(before).await.unwrap().exchanges, 0, "the newest of them is not older");
    let before = PurgeBefore { calls: at(3), ..before };
    assert_eq!(store.purge(before).await.unwrap().exchanges, 1);
    store.keep_exchanges(false);
    store.keep_exchange(|| unreachable!("exchanges are not kept"));
}

async fn the_contact_centers_of_a_call_are_found_by_its_key_and_both_forms_of_its_id(engine: Engine) {
    let store = engine.open().await;
    let made = Note { voice_call_id: voice_call("0LQ5g000000abcDGAQ"), ..Note::of(call("wxcc_1"), at(1)) };
    store.note(made).await.unwrap();
    for name in ["wxcc_1", "0LQ5g000000abcD", "0LQ5g000000abcDGAQ"] {
        assert_eq!(store.call_centers_of(&[reference(name)]).await.unwrap(), [center()], "{name}");
    }
    assert_eq!(store.call_centers_of(&[reference("wxcc_2")]).await.unwrap(), []);
}

#[tokio::test]
async fn a_database_of_the_version_before_keeps_exchanges_after_it_was_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bridge.db");
    let before = rusqlite::Connection::open(&file).unwrap();
    before.execute_batch(include_str!("../migrations/sqlite/0001_schema.sql")).unwrap();
    before.execute_batch(include_str!("../migrations/sqlite/0002_exchanges.sql")).unwrap();
    let row = "INSERT INTO exchanges (call_center, call, at, record) VALUES ('Main', 'wxcc_1', 1, '{}')";
    before.execute_batch(&format!("{row}; PRAGMA user_version = 2")).unwrap();
    drop(before);
    let store = Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
    let kept = exchange("wxcc_1", 2);
    store.keep_exchange(|| Some(kept.clone()));
    store.write_exchanges().await.unwrap();
    assert_eq!(store.exchanges(&[reference("wxcc_1")]).await.unwrap(), (vec![kept], 0));
}

#[tokio::test]
async fn who_works_beside_a_service_leaves_a_database_of_the_version_before_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bridge.db");
    let before = rusqlite::Connection::open(&file).unwrap();
    before.execute_batch(include_str!("../migrations/sqlite/0001_schema.sql")).unwrap();
    before.execute_batch("PRAGMA user_version = 1").unwrap();
    let url = format!("sqlite:{}", file.display());
    for opened in [Store::open_to_read(&url).await, Store::open_existing(&url).await] {
        assert_eq!(opened.unwrap_err(), StoreError::Earlier);
    }
    let version: i64 = before.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
}

on_both_engines! {
    exchanges_are_found_under_every_name_of_the_call_in_their_order
    the_contact_centers_of_a_call_are_found_by_its_key_and_both_forms_of_its_id
    an_exchange_is_found_under_the_other_name_that_the_flow_gave
    calls_are_found_by_the_call_that_they_continue_and_entries_by_their_name
}
