//! What is wrong on the machine itself.

use scv_bridge::store::Store;
use tokio::time::timeout;

use super::*;
use crate::postgres::Postgres;
use crate::stage::{BOUND, Plan, Stage, ended};

#[actix_web::test]
async fn a_configuration_that_cannot_be_used_is_told_as_check_tells_it_and_nothing_else_is_asked() {
    let mut setup = Setup::telephony(|_| {}).await;
    setup.change("org_id", "orgid");
    let report = setup.examine().await;
    let told: Vec<_> = report.rows.iter().map(|row| (row.id.code, row.id.subject.clone())).collect();
    let key = |key: &str| format!("call_centers.{CENTER}.{key}");
    assert_eq!(told, [(Code::Configuration, key("org_id")), (Code::Configuration, key("orgid"))]);
    assert!(report.text(false).ends_with("nothing else was asked: the configuration comes first\n"));
    assert_eq!(setup.org.requests().len(), 0);
}

#[actix_web::test]
async fn a_key_of_another_pair_has_a_code_of_its_own() {
    let setup = Setup::telephony(|_| {}).await;
    let key = setup.folder.path().join(format!("{CERTIFICATE}.key"));
    std::fs::write(key, &issued(OTHER_CERTIFICATE).key_pem).unwrap();
    let found = setup.fault().await;
    assert_eq!((found.row.id.code, found.row.finding.fault), (Code::Pair, Some("other-key")));
    assert_eq!(found.row.finding.steps[0].full(), "name the key and the certificate of the same pair");
}

#[actix_web::test]
async fn a_certificate_that_ends_is_told_with_its_days() {
    let setup = Setup::telephony(|_| {}).await;
    setup.clock.advance(Duration::from_secs(31 * 86_400));
    let report = setup.examine().await;
    assert!(report.rows.iter().all(|row| row.id.code == Code::CertificateEnd), "{}", report.text(true));
    let mut setup = Setup::telephony(|_| {}).await;
    setup.change("\"1d\"", "\"40d\"");
    let report = setup.examine().await;
    let problems = report.problems();
    assert_eq!(problems.len(), 2, "{}", report.text(true));
    for row in problems {
        assert_eq!((row.id.code, row.finding.status), (Code::CertificateEnd, Status::Warn));
        assert!(row.finding.what.full().contains("ends in 30 days"), "{}", row.finding.what.full());
    }
    assert!(report.is_in_order(false) && !report.is_in_order(true));
}

#[actix_web::test]
async fn what_is_probably_not_meant_is_a_warning() {
    let mut setup = Setup::telephony(|_| {}).await;
    setup.change("[operations]", "public_url = \"https://bridge.example.com\"\n[operations]");
    let found = setup.fault().await;
    assert_eq!((found.row.id.code, found.row.id.subject.as_str()), (Code::Remarks, "server.public_url"));
}

#[actix_web::test]
async fn an_example_that_the_rules_do_not_meet_is_compared_and_masked_for_others() {
    let mut setup = Setup::telephony(|_| {}).await;
    setup.add(&format!(
        r#"
[call_centers.{CENTER}.translations]
from = '{{"digits":"[1,17]->[^\\d]+"}}'
[[call_centers.{CENTER}.translations.examples]]
field = "from"
input = "+14693150217"
output = "+14693150217"
[[call_centers.{CENTER}.translations.examples]]
field = "to"
input = "+1 (469) 315-0217"
output = "+14693150217"
"#
    ));
    let found = setup.fault().await;
    found
        .is(Code::Examples, "example", "a rule was changed", "--field from NUMBER")
        .seen("from: +14693150217 became 14693150217, wanted +14693150217");
    assert_eq!(found.row.finding.what.full(), "1 of 2 examples come out otherwise");
    let outside = found.report.json().to_string() + &found.report.ticket(Some(&setup.configuration), &[]);
    assert!(!outside.contains("469") || !outside.contains("3150217"), "{outside}");
    assert!(!outside.contains("14693150217"));
}

#[actix_web::test]
async fn a_port_that_somebody_else_has_is_told() {
    let mut setup = Setup::telephony(|_| {}).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    setup.change("[server]\nlisten = \"127.0.0.1:0\"", &format!("[server]\nlisten = \"{address}\""));
    // Whoever listens there takes no connection: it says nothing.
    let found = setup.fault().await;
    assert_eq!((found.row.id.code, found.row.id.subject.as_str()), (Code::Listener, "server.listen"));
    assert!(found.row.finding.steps[0].full().contains("another program has it"));
}

#[actix_web::test]
async fn a_database_that_cannot_be_made_is_told() {
    let mut setup = Setup::telephony(|_| {}).await;
    let file = setup.folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let database = setup.folder.path().join("bridge.db").display().to_string();
    setup.change(&database, &file.join("bridge.db").display().to_string());
    let found = setup.fault().await;
    assert_eq!((found.row.id.code, found.row.finding.fault), (Code::Database, Some("database")));
}

#[actix_web::test]
async fn what_is_no_database_and_one_of_a_newer_version_are_told() {
    let setup = Setup::telephony(|_| {}).await;
    let database = setup.folder.path().join("bridge.db");
    std::fs::write(&database, "this is no database, and long enough to be looked at".repeat(100)).unwrap();
    let found = setup.fault().await;
    assert!(found.row.finding.what.full().contains("damaged or no database"), "{}", found.report.text(true));
    std::fs::remove_file(&database).unwrap();
    let url = format!("sqlite:{}", database.display());
    Store::open(&url).await.unwrap().close().await.unwrap();
    let report = setup.nothing_wrong().await;
    assert!(report.text(true).contains("it can be written; a commit took "), "{}", report.text(true));
    let newer = sqlx::sqlite::SqliteConnectOptions::new().filename(&database);
    let mut newer = sqlx::ConnectOptions::connect(&newer).await.unwrap();
    sqlx::query("PRAGMA user_version = 99").execute(&mut newer).await.unwrap();
    sqlx::Connection::close(newer).await.unwrap();
    let found = setup.fault().await;
    assert!(found.row.finding.what.full().contains("newer version"), "{}", found.report.text(true));
    std::fs::remove_file(&database).unwrap();
    let foreign = sqlx::sqlite::SqliteConnectOptions::new().filename(&database).create_if_missing(true);
    let mut foreign = sqlx::ConnectOptions::connect(&foreign).await.unwrap();
    sqlx::query("CREATE TABLE notes (text TEXT)").execute(&mut foreign).await.unwrap();
    sqlx::Connection::close(foreign).await.unwrap();
    let found = setup.fault().await;
    assert!(found.row.finding.what.full().contains("another program's"), "{}", found.report.text(true));
}

#[actix_web::test]
async fn a_service_that_runs_keeps_its_database_and_is_named() {
    let stage = Plan::telephony().sections("[rotation]\nwarn_before = \"1d\"").start().await;
    stage.call("wxcc_1").await;
    let source = Source { file: Some(stage.configuration_file()), environment: Vec::new() };
    let clock: Arc<dyn Clock> = stage.clock.clone();
    let report = examine(&source, &Questions::default(), &clock, &Arc::new(Ids::new(7))).await;
    stage.refusals();
    let database = report.rows.iter().find(|row| row.id.code == Code::Database).unwrap();
    let what = database.finding.what.full();
    assert!(
        what.starts_with("the service that runs has it (process ") && what.contains("nothing was written"),
        "{what}"
    );
    let buried = report.rows.iter().find(|row| row.id.code == Code::Buried).unwrap();
    assert_eq!(buried.finding.what.full(), "no entry is buried", "it was read beside the service");
    stage.call("wxcc_2").await;
}

/// What the doctor finds of entries that wait, and how it ends.
async fn waiting(stage: &Stage) -> (Status, String) {
    let source = Source { file: Some(stage.configuration_file()), environment: Vec::new() };
    let clock: Arc<dyn Clock> = stage.clock.clone();
    let report = examine(&source, &Questions::default(), &clock, &Arc::new(Ids::new(7))).await;
    stage.refusals();
    let row = report.rows.iter().find(|row| row.id.code == Code::Unsent).unwrap();
    (row.finding.status, row.finding.what.full().to_owned())
}

#[actix_web::test]
async fn entries_that_wait_while_no_service_runs_are_a_failure() {
    for store in [None, Some(Postgres::shared().database())] {
        let plan = Plan::telephony().sections("[breaker]\nfailures = 1000\nslow_calls = 1000");
        let is_shared = store.is_some();
        let stage = match store {
            Some(url) => plan.store(url),
            None => plan,
        };
        let mut stage = stage.start().await;
        assert_eq!(waiting(&stage).await, (Status::Ok, "no entry waits".to_owned()));
        stage.call("wxcc_1").await;
        for operation in [Operation::ClearRouting, Operation::Update] {
            stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
        }
        stage.post("phoneContactEnded", ended("wxcc_1")).await;
        let runs = "2 entries wait, and the service that runs sends them when they are due";
        if !is_shared {
            assert_eq!(waiting(&stage).await, (Status::Ok, runs.to_owned()));
        }
        stage.handle.stop().await;
        timeout(BOUND, &mut stage.running).await.unwrap().unwrap().unwrap();
        let expected = match is_shared {
            true => (Status::Warn, "2 entries wait, and no service runs on this machine"),
            false => (Status::Fail, "2 entries wait, and no service runs that would send them"),
        };
        assert_eq!(waiting(&stage).await, (expected.0, expected.1.to_owned()));
        stage.org.forget_scripts();
    }
}

#[actix_web::test]
async fn what_the_outbox_gave_up_is_a_warning_and_in_the_ticket() {
    let stage = Plan::telephony().sections("[rotation]\nwarn_before = \"1d\"").start().await;
    let id = stage.call("wxcc_1").await;
    stage.script_answer(400, json!({ "errors": ["endTime of 4693150217: bad"] }), Operation::Update);
    let update = json!({ "voiceCallId": id, "callCenterDevName": CENTER, "certDevName": CERTIFICATE, "isActiveCall": true, "fromNumber": "+14693150217" });
    stage.post("updateVoiceCall", update).await;
    let source = Source { file: Some(stage.configuration_file()), environment: Vec::new() };
    let clock: Arc<dyn Clock> = stage.clock.clone();
    let report = examine(&source, &Questions::default(), &clock, &Arc::new(Ids::new(7))).await;
    stage.refusals();
    let mut problems = report.problems();
    // Keys of a stage can be read by everybody, which is another finding.
    problems.retain(|row| row.id.code != Code::Remarks);
    assert_eq!(problems.len(), 1, "{}", report.text(true));
    assert_eq!((problems[0].id.code, problems[0].finding.fault), (Code::Buried, Some("buried")));
    let ticket = report.ticket(None, &["SCV_BRIDGE__STORE__URL"]);
    assert!(ticket.contains("update: ") && !ticket.contains("4693150217"), "{ticket}");
}

#[actix_web::test]
async fn a_database_that_every_user_can_read_is_told_and_one_that_is_closed_is_not() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let setup = Setup::telephony(|_| {}).await;
    let database = setup.folder.path().join("bridge.db");
    Store::open(&format!("sqlite:{}", database.display())).await.unwrap().close().await.unwrap();
    setup.nothing_wrong().await;
    set_permissions(setup.folder.path(), Permissions::from_mode(0o755)).unwrap();
    set_permissions(&database, Permissions::from_mode(0o644)).unwrap();
    setup.fault().await.is(Code::Database, "readable", "it was copied or restored", "`chmod 600` it");
    set_permissions(&database, Permissions::from_mode(0o640)).unwrap();
    setup.nothing_wrong().await;
}

#[actix_web::test]
async fn a_database_of_another_user_is_only_read() {
    let setup = Setup::telephony(|_| {}).await;
    let database = setup.folder.path().join("bridge.db");
    Store::open(&format!("sqlite:{}", database.display())).await.unwrap().close().await.unwrap();
    let given = std::os::unix::fs::chown(&database, Some(12_345), None);
    // Only the system's administrator can give a file away.
    if given.is_err() {
        return;
    }
    let before = std::fs::read(&database).unwrap();
    let found = setup.fault().await;
    found
        .is(Code::Database, "other-user", "started by another user", "sudo -u '#12345' scv-bridge doctor")
        .seen("the file belongs to uid 12345");
    assert!(std::fs::read(&database).unwrap() == before, "nothing was written");
}

#[actix_web::test]
async fn a_server_is_looked_at_as_a_file_is() {
    let mut setup = Setup::telephony(|_| {}).await;
    let file = format!("sqlite:{}", setup.folder.path().join("bridge.db").display());
    let url = Postgres::shared().database();
    setup.change(&file, &url);
    let report = setup.nothing_wrong().await;
    assert!(report.text(true).contains("there is none yet"), "{}", report.text(true));
    Store::open(&url).await.unwrap().close().await.unwrap();
    let text = setup.nothing_wrong().await.text(true);
    assert!(text.contains("it can be written, and several services may share it; a commit took "), "{text}");
    setup.change(&url, "postgres://bridge@127.0.0.1:1/calls");
    let found = setup.fault().await;
    assert_eq!((found.row.id.code, found.row.finding.fault), (Code::Database, Some("database")));
    assert!(found.row.finding.what.full().contains("is it running there"), "{}", found.report.text(true));
}

#[actix_web::test]
async fn offline_nobody_else_is_asked_and_only_what_is_wanted_is() {
    let mut setup = Setup::telephony(|org| org.org_id = "00D000000000002EAA".into()).await;
    setup.questions.offline = true;
    let report = setup.nothing_wrong().await;
    assert!(report.counts().skipped > 5, "{}", report.text(true));
    assert_eq!(setup.org.requests().len(), 0);
    setup.questions = Questions { only: vec![Code::ClearRouting], ..Questions::default() };
    let report = setup.examine().await;
    let codes: Vec<Code> = report.rows.iter().map(|row| row.id.code).collect();
    assert_eq!(codes, [Code::TelephonyToken, Code::ClearRouting], "what stands in its way is told too");
    setup.questions.only = vec![Code::Clock];
    let report = setup.examine().await;
    assert_eq!(report.rows.iter().map(|row| row.id.code).collect::<Vec<_>>(), [Code::Clock]);
}
