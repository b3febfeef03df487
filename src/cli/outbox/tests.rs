//! Against a real SQLite database, and once against PostgreSQL.

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Parser as _;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::domain::{CallCenterName, CallName, CallReference, StoredJson, VendorCallKey, VoiceCallId};
use crate::store::tests::server::Postgres;
use crate::store::{Attempt, Enqueue, Enqueued, EntryKind, Lease, LeaseOf, NewEntry, Note, Settle, Subject};

const NUMBER: &str = "+14693150217";

#[derive(clap::Parser)]
struct CommandLine {
    #[command(flatten)]
    args: OutboxArgs,
}

/// A store, and a time that stands still.
struct Scene {
    url: String,
    // Where SQLite has its file.
    _folder: Option<TempDir>,
    store: Store,
    clock: ManualClock,
}

impl Scene {
    async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::at(url(folder.path()), Some(folder)).await
    }

    async fn at(url: String, folder: Option<TempDir>) -> Self {
        let store = Store::open(&url).await.unwrap();
        let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
        Self { url, _folder: folder, store, clock }
    }

    /// Two calls of Sales, one of them unknown to the journal, and a deferred create of Support.
    async fn filled() -> Self {
        Self::empty().await.fill().await
    }

    async fn fill(self) -> Self {
        let scene = self;
        let mut note = Note::of(name("Sales", "wxcc_7b3c1d52-1234-5678-9012-123456789012"), scene.now());
        note.voice_call_id = Some(VoiceCallId::parse("0LQ000000000123AAA").unwrap());
        let buried = scene.put(Subject::Known(note.into()), &[EntryKind::Clear, EntryKind::Update]).await;
        scene.clock.advance(Duration::from_secs(3 * 86_400));
        for id in buried {
            let words = format!("no VoiceCall for {NUMBER} (NOT_FOUND)");
            scene.settle(id, Attempt::Buried { reason: "refused for good".to_owned(), words }).await;
        }
        scene.clock.advance(Duration::from_secs(7000));
        let unknown = CallReference::parse("wxcc_14693150217").unwrap();
        let ids = scene.put(Subject::Unknown(center("Sales"), unknown), &[EntryKind::Update]).await;
        let next_at = scene.now().checked_add(Duration::from_secs(400)).unwrap();
        scene.settle(ids[0], Attempt::Later { next_at, words: "503 Service Unavailable".to_owned() }).await;
        scene.clock.advance(Duration::from_secs(95));
        let note = Note::of(name("Support", "wxcc_call-9"), scene.now());
        scene.put(Subject::Known(note.into()), &[EntryKind::Create]).await;
        scene
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn put(&self, subject: Subject, kinds: &[EntryKind]) -> Vec<EntryId> {
        let entry = |kind: &EntryKind| NewEntry {
            kind: *kind,
            is_final: *kind == EntryKind::Update,
            body: StoredJson::new(body(*kind)),
            next_at: self.now(),
        };
        let enqueue = Enqueue {
            subject,
            entries: kinds.iter().map(entry).collect(),
            unless_answered: false,
            mark: None,
            owner: "a".to_owned(),
            lease_until: self.now().checked_add(Duration::from_secs(30)).unwrap(),
            now: self.now(),
        };
        match self.store.enqueue(enqueue).await.unwrap() {
            Enqueued::Accepted { ids, .. } => ids,
            other => panic!("not accepted: {other:?}"),
        }
    }

    async fn settle(&self, id: EntryId, attempt: Attempt) {
        let settle = Settle { id, owner: "a".to_owned(), attempt, note: None, now: self.now() };
        assert!(self.store.settle(settle).await.unwrap());
    }

    /// What a command line prints, and whether it found anything.
    async fn run(&self, line: &str) -> (String, bool) {
        let line =
            CommandLine::try_parse_from(["outbox"].into_iter().chain(line.split_whitespace())).unwrap();
        let mut out = Vec::new();
        let found =
            obey(&line.args, (&self.store, &Running::default()), self.now(), &mut out, &mut |_| Ok(true))
                .await
                .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("4693150217"), "{text}");
        (text, found)
    }

    /// The numbers of the entries that a list shows.
    async fn ids(&self, filter: &str) -> Vec<i64> {
        let (text, _) = self.run(&format!("list --json {filter}")).await;
        let list: Value = serde_json::from_str(&text).unwrap();
        list["entries"].as_array().unwrap().iter().map(|entry| entry["id"].as_i64().unwrap()).collect()
    }
}

fn url(folder: &Path) -> String {
    format!("sqlite:{}/bridge.db", folder.display())
}

fn center(name: &str) -> CallCenterName {
    CallCenterName::parse(name).unwrap()
}

fn name(call_center: &str, key: &str) -> CallName {
    CallName::new(center(call_center), VendorCallKey::parse(key).unwrap(), None)
}

/// As the bridge keeps a request.
fn body(kind: EntryKind) -> String {
    let fields = match kind {
        EntryKind::Clear | EntryKind::LateClear => "{}".to_owned(),
        EntryKind::Update => {
            format!(
                r#"{{"endTime":"2026-11-21T10:00:00.123Z","fromNumber":"{NUMBER}","note":"asked for {NUMBER}"}}"#
            )
        }
        EntryKind::Create => format!(
            r#"{{"vendorCallKey":"wxcc_call-9","to":"4711","from":"{NUMBER}",
            "participants":[{{"participantKey":"{NUMBER}","type":"END_USER"}}],
            "callAttributes":"{{\"Callback\":\"{NUMBER}\"}}"}}"#
        ),
    };
    let call = if kind == EntryKind::Create { "" } else { r#""call":"wxcc_14693150217","# };
    format!(r#"{{"callCenter":"Sales",{call}"body":{fields}}}"#)
}

#[tokio::test]
async fn a_list_has_a_line_for_each_entry() {
    let scene = Scene::filled().await;
    insta::assert_snapshot!(scene.run("list").await.0);
    insta::assert_snapshot!(scene.run("list --limit 1 --state pending").await.0);
    insta::assert_snapshot!(scene.run("list --json --limit 1").await.0);
}

#[tokio::test]
async fn an_entry_is_shown_with_its_body_and_masked_numbers() {
    let scene = Scene::filled().await;
    insta::assert_snapshot!(scene.run("show 2").await.0);
    insta::assert_snapshot!(scene.run("show 4").await.0);
    insta::assert_snapshot!(scene.run("show 3 --json").await.0);
}

#[tokio::test]
async fn an_entry_behind_another_of_its_call_or_behind_the_breaker_says_so() {
    let sqlite = Scene::empty().await;
    let postgres = Scene::at(Postgres::shared().database(), None).await;
    for scene in [sqlite, postgres] {
        let note = Note::of(name("Sales", "wxcc_1"), scene.now());
        scene.put(Subject::Known(note.into()), &[EntryKind::Clear, EntryKind::Update]).await;
        let note = Note::of(name("Support", "wxcc_1"), scene.now());
        scene.put(Subject::Known(note.into()), &[EntryKind::Clear]).await;
        scene.clock.advance(Duration::from_secs(60));
        let text = scene.run("list").await.0;
        let next: Vec<bool> = text.lines().skip(1).map(|line| line.contains("after 1")).collect();
        assert_eq!(next, [false, true, false], "{text}");
        let text = scene.run("show 2").await.0;
        let told = "next try        once entry 1 is through, an earlier one of the same call\n";
        assert!(text.contains(told), "{text}");
        let shown: Value = serde_json::from_str(&scene.run("show 2 --json").await.0).unwrap();
        assert_eq!(shown["waits_for"], serde_json::json!({ "what": "earlier_entry", "entry": 1 }));
        let until = scene.now().checked_add(Duration::from_secs(12)).unwrap();
        let held = [("Sales".to_owned(), Some(until))].into();
        let open = Running { answers: Some(true), held, ..Running::default() };
        let line = CommandLine::try_parse_from(["outbox", "list"]).unwrap();
        let mut out = Vec::new();
        obey(&line.args, (&scene.store, &open), scene.now(), &mut out, &mut |_| Ok(true)).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        let cells: Vec<&str> = text.lines().skip(1).collect();
        assert!(cells[0].contains("breaker, 12s") && cells[1].contains("after 1"), "{text}");
        assert!(cells[2].contains("now"), "{text}");
    }
}

#[tokio::test]
async fn filters_narrow_together() {
    let scene = Scene::filled().await;
    for (filter, ids) in [
        ("", &[1, 2, 3, 4][..]),
        ("--state pending", &[3, 4]),
        ("--state buried --kind update", &[2]),
        ("--kind create", &[4]),
        ("--call-center Support", &[4]),
        ("--call-center Nobody", &[]),
        ("--older-than 1m", &[1, 2, 3]),
        ("--older-than 2h", &[1, 2]),
        ("--words not_found --kind clear", &[1]),
        ("--words SERVICE", &[3]),
        ("--limit 2", &[1, 2]),
    ] {
        assert_eq!(scene.ids(filter).await, ids, "{filter}");
    }
}

#[tokio::test]
async fn a_dry_run_prints_what_would_change_and_changes_nothing() {
    let scene = Scene::filled().await;
    let before = scene.run("list --json").await;
    insta::assert_snapshot!(scene.run("retry --all --dry-run").await.0);
    insta::assert_snapshot!(scene.run("discard 1 4 9 --dry-run").await.0);
    assert!(scene.run("discard --all --dry-run --json").await.1);
    assert_eq!(scene.run("list --json").await, before);
}

#[tokio::test]
async fn retry_makes_buried_entries_due_now_and_leaves_pending_ones_alone() {
    let scene = Scene::filled().await;
    let printed = scene.run("retry 2 3 9 --json").await;
    let problems = r#"[{"id":3,"problem":"still pending: it is tried again by itself; --now makes it due"},{"id":9,"problem":"no such entry"}]"#;
    let report = format!("{{\"dry_run\":false,\"entries\":1,\"ids\":[2],\"problems\":{problems}}}\n");
    assert_eq!(printed, (report, false));
    assert_eq!(scene.ids("--state buried").await, [1]);
    assert_eq!(scene.store.show(EntryId(2)).await.unwrap().unwrap().next_at, scene.now());
    assert_eq!(
        scene.run("retry --words refused").await,
        ("1 put back, sent when its turn comes\n".to_owned(), true)
    );
    let hint = "1 pending entry is tried again by itself; --now makes it due\n\
                3 more are due already, and tried when their turn comes: `outbox list` tells what each waits for\n";
    assert_eq!(
        scene.run("retry --all").await,
        (format!("0 put back, sent when its turn comes\n{hint}"), false)
    );
    let dry = scene.run("retry --all --dry-run").await;
    assert_eq!(dry, (format!("0 would be put back (dry run)\n{hint}"), false));
    let dry = scene.run("retry --kind create --dry-run").await.0;
    assert!(dry.contains("\n1 pending entry is due already, and tried when its turn comes: "), "{dry}");
    let buried = scene.run("retry --state buried --dry-run").await;
    assert_eq!(buried, ("0 would be put back (dry run)\n".to_owned(), false));
    assert!(!scene.run("retry --state pending --dry-run").await.1);
}

#[tokio::test]
async fn discard_removes_what_was_chosen_and_no_more() {
    let scene = Scene::filled().await;
    assert_eq!(scene.run("discard --state buried --kind clear").await, ("1 discarded\n".to_owned(), true));
    assert_eq!(scene.run("discard 3").await, ("1 discarded\n".to_owned(), true));
    assert_eq!(scene.ids("").await, [2, 4]);
    assert_eq!(scene.run("discard --all").await, ("2 discarded\n".to_owned(), true));
    assert_eq!(scene.run("list").await, ("no entries\n".to_owned(), true));
}

#[tokio::test]
async fn waiting_entries_are_tried_at_once_with_the_attempts_that_they_have() {
    let sqlite = Scene::filled().await;
    let postgres = Scene::at(Postgres::shared().database(), None).await.fill().await;
    for scene in [sqlite, postgres] {
        assert!(scene.run("retry 3 --now --dry-run --json").await.1);
        assert_eq!(scene.run("retry 3 --now").await, ("1 due now\n".to_owned(), true));
        let entry = scene.store.show(EntryId(3)).await.unwrap().unwrap();
        assert_eq!((entry.next_at, entry.attempts), (scene.now(), 1));
        let again = scene.run("retry 3 --now").await;
        assert!(again.0.starts_with("3: due already") && !again.1, "{}", again.0);
        let more = "2 more are due already, and tried when their turn comes: `outbox list` tells what each waits for";
        let all = scene.run("retry --all --now").await;
        assert_eq!(all, (format!("2 due now\n{more}\n"), true), "the buried ones");
        assert!(!scene.run("retry --state pending --now").await.1);
    }
}

#[tokio::test]
async fn a_dry_run_lists_the_entries_that_would_be_due_and_no_other() {
    let sqlite = Scene::filled().await;
    let postgres = Scene::at(Postgres::shared().database(), None).await.fill().await;
    for scene in [sqlite, postgres] {
        let note = Note::of(name("Support", "wxcc_late"), scene.now());
        let late = scene.put(Subject::Known(note.into()), &[EntryKind::LateClear]).await;
        let next_at = scene.now().checked_add(Duration::from_secs(9)).unwrap();
        let words = String::from("its caller may still be there");
        scene.settle(late[0], Attempt::NotTried { next_at, words }).await;
        let listed = async |line: &str| -> Vec<i64> {
            let report: Value = serde_json::from_str(&scene.run(&format!("{line} --json")).await.0).unwrap();
            let listed = report["listed"].as_array().unwrap().iter();
            let listed: Vec<i64> = listed.map(|entry| entry["id"].as_i64().unwrap()).collect();
            assert_eq!(report["ids"], serde_json::json!(listed), "{report}");
            assert_eq!(report["entries"].as_u64().unwrap(), listed.len() as u64, "{report}");
            listed
        };
        // 4 is due already, and the late clear waits on purpose.
        assert_eq!(listed("retry --now --all --dry-run").await, [1, 2, 3]);
        assert_eq!(listed("retry --now --state pending --dry-run").await, [3]);
        assert_eq!(listed("retry --all --dry-run").await, [1, 2]);
        let late = scene.run(&format!("retry --now {}", late[0].0)).await;
        assert!(late.0.contains(": a late clear that waits on purpose: ") && !late.1, "{}", late.0);
        assert_eq!(listed("discard 3 1 --dry-run").await, [1, 3]);
        let text = scene.run("retry --now --all --dry-run").await.0;
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        assert!(lines[3].starts_with("3 ") && lines[3].contains("in 5m"), "{text}");
        assert_eq!(lines[4], "3 would be due now (dry run)");
        assert!(lines[5].starts_with("1 more is due already, and tried when its turn comes"), "{text}");
        assert_eq!(lines[6], "late clears that wait on purpose, and are left so: 1");
    }
}

#[tokio::test]
async fn nothing_is_discarded_that_nobody_agreed_to() {
    let scene = Scene::filled().await;
    let discard = async |line: &str, agrees: bool| {
        let line = CommandLine::try_parse_from(["outbox", "discard"].into_iter().chain(line.split(' ')));
        let (mut out, mut asked) = (Vec::new(), Vec::new());
        let mut ask = |question: &str| {
            asked.push(question.to_owned());
            Ok(agrees)
        };
        let args = line.unwrap().args;
        let done =
            obey(&args, (&scene.store, &Running::default()), scene.now(), &mut out, &mut ask).await.unwrap();
        (String::from_utf8(out).unwrap(), done, asked)
    };
    let question = "Remove 4 entries for good? What they ask never reaches Salesforce.".to_owned();
    assert_eq!(discard("--all", false).await, ("0 discarded\n".to_owned(), false, vec![question]));
    assert_eq!(scene.ids("").await, [1, 2, 3, 4]);
    assert_eq!(discard("--kind late-clear", true).await.2, [""; 0], "nothing is there to ask about");
    assert_eq!(discard("1 2 --yes", false).await, ("2 discarded\n".to_owned(), true, vec![]));
    assert_eq!(discard("3", true).await.2.len(), 1);
    assert_eq!(scene.ids("").await, [4]);
}

#[tokio::test]
async fn an_entry_that_this_version_cannot_read_is_shown_as_far_as_it_can_be() {
    let scene = Scene::filled().await;
    let folder = scene._folder.as_ref().unwrap().path().join("bridge.db");
    let mut beside = SqliteConnectOptions::new().filename(folder).connect().await.unwrap();
    beside.execute("UPDATE outbox SET kind = 'survey' WHERE id = 3").await.unwrap();
    beside.execute("UPDATE outbox SET call_center = '..' WHERE id = 1").await.unwrap();
    assert_eq!(scene.ids("").await, [1, 2, 3, 4]);
    let (text, _) = scene.run("list").await;
    let line = |id: &str| text.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(line("3 ").contains("survey") && line("3 ").contains("a newer version"), "{text}");
    assert!(line("1 ").contains("its contact center is no name"), "{text}");
    let (text, found) = scene.run("show 3").await;
    assert!(found && text.contains("problem         a newer version"), "{text}");
    let printed = scene.run("retry 3").await.0;
    assert!(printed.starts_with("3: a newer version of the service put it in"), "{printed}");
    assert_eq!(scene.run("discard 1 3").await, ("2 discarded\n".to_owned(), true));
}

#[tokio::test]
async fn an_entry_that_is_not_there_is_not_found() {
    let scene = Scene::empty().await;
    assert_eq!(scene.run("show 7").await, ("no entry 7: what was delivered or discarded is removed; scv-bridge call show KEY tells what became of a call\n".to_owned(), false));
    assert_eq!(scene.run("show 7 --json").await, ("null\n".to_owned(), false));
    assert_eq!(scene.run("discard 7").await, ("7: no such entry\n0 discarded\n".to_owned(), false));
}

#[tokio::test]
async fn another_program_may_look_at_the_database_meanwhile() {
    let sqlite = Scene::filled().await;
    let postgres = Scene::at(Postgres::shared().database(), None).await.fill().await;
    for scene in [sqlite, postgres] {
        let beside = Store::open_existing(&scene.url).await.unwrap();
        let line =
            CommandLine::try_parse_from(["outbox", "retry", "--words", "NOT_found", "--older-than", "1d"])
                .unwrap();
        assert_eq!(scene.ids("--state buried").await, [1, 2]);
        let running = Running::default();
        let done =
            obey(&line.args, (&beside, &running), scene.now(), &mut Vec::new(), &mut |_| Ok(true)).await;
        assert!(done.unwrap());
        assert_eq!(scene.ids("--state buried").await, [0; 0]);
        let due = scene.store.lease_due(&lease(&scene)).await.unwrap();
        assert_eq!(due.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [1]);
    }
}

/// What a worker of the service asks for.
fn lease(scene: &Scene) -> Lease {
    let until = scene.now().checked_add(Duration::from_secs(30)).unwrap();
    Lease { now: scene.now(), owner: "worker".to_owned(), until, limit: 10, of: LeaseOf::AllBut(Vec::new()) }
}

#[tokio::test]
async fn a_database_that_is_missing_is_named_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open_existing(&url(&folder.path().join("data"))).await.unwrap_err().to_string();
    assert!(
        error.starts_with("the database file cannot be opened (there is no such file or folder)"),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn nothing_is_changed_without_a_word_on_what() {
    for line in [
        "retry",
        "discard --dry-run",
        "discard --all --kind clear",
        "retry 1 --state buried",
        "show",
        "show 0",
        "discard 1x",
        "list --state dead",
        "list --older-than 2",
        "list --call-center ..",
    ] {
        let parsed = CommandLine::try_parse_from(["outbox"].into_iter().chain(line.split_whitespace()));
        assert_eq!(parsed.map(drop).unwrap_err().exit_code(), 2, "{line}");
    }
}
