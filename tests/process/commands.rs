//! The other commands: what they print, and how they end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use scv_bridge::store::Store;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};

use super::program::{Program, command, run};
use super::site::Site;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/translation.json");
const RULES: &str = r#"{"US":"[12,12]->(\\+1)(\\d{3})(\\d{3})(\\d{4})->($2) $3-$4"}"#;

#[test]
fn demo_leaves_the_answered_call_alone_and_completes_the_abandoned_ones() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["demo"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    let after = |name: &str| -> Vec<String> {
        let lines = ended.out.lines().filter_map(|line| line.trim().strip_prefix(name));
        lines.map(|value| value.trim().to_owned()).collect()
    };
    assert_eq!(after("CallDisposition"), ["in-progress", "completed", "completed"]);
    assert_eq!(after("DisconnectReason").first().map(String::as_str), Some("-"));
    assert!(after("DisconnectReason")[1..].iter().all(|reason| reason.contains("Abandoned in queue")));
    assert_eq!(after("PendingServiceRouting"), ["-", "-", "-"]);
}

#[actix_web::test]
async fn check_prints_a_summary_or_every_problem() {
    let site = Site::open().await;
    let check = |more: &[&str]| run(site.path(), &[&["check", "--config", "bridge.toml"], more].concat());
    let good = check(&[]);
    assert_eq!(good.code, Some(0));
    assert!(good.out.starts_with("bridge.toml is in order\n"), "{}", good.out);
    let good = check(&["--json"]);
    assert_eq!(serde_json::from_str::<Value>(&good.out).unwrap()["problems"], json!([]));
    site.write("bridge.toml", site.configuration().replace("org_id", "org_idd"));
    let bad = check(&[]);
    assert_eq!((bad.code, bad.err.as_str()), (Some(1), ""));
    assert!(bad.out.starts_with("2 problems in the configuration\n"), "{}", bad.out);
    let bad = check(&["--json"]);
    let problems = serde_json::from_str::<Value>(&bad.out).unwrap();
    let names = |problem: &Value| ["key", "problem", "hint"].iter().all(|name| problem[name].is_string());
    assert_eq!((bad.code, problems["problems"].as_array().unwrap().len()), (Some(1), 2));
    assert!(problems["problems"].as_array().unwrap().iter().all(names), "{problems}");
}

#[actix_web::test]
async fn doctor_tells_what_is_wrong_and_ends_0_or_1() {
    let site = Site::open().await;
    // The org begins to serve once this thread waits, which it does not while a command runs.
    reqwest::get(format!("{}/mock/voiceCalls", site.org.url())).await.unwrap();
    for file in ["signing.key", "passphrase", "consumer_key"] {
        fs::set_permissions(site.path().join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let doctor = |more: &[&str]| run(site.path(), &[&["doctor", "--config", "bridge.toml"], more].concat());
    let good = doctor(&["--strict"]);
    assert_eq!((good.code, good.err.as_str()), (Some(0), ""), "{}", good.out);
    assert!(good.out.starts_with("bridge.toml: 2") && good.out.lines().count() == 1, "{}", good.out);
    site.write("bridge.toml", site.configuration().replace("00D000000000001EAA", "00D000000000002EAA"));
    let bad = doctor(&["--report", "ticket"]);
    assert_eq!((bad.code, bad.err.as_str()), (Some(1), ""));
    assert!(bad.out.starts_with("FAIL     SCV-TOKEN-03 (token)  WxCCContactCenterSCV\n"), "{}", bad.out);
    let ticket = fs::read_to_string(site.path().join("ticket")).unwrap();
    for part in
        ["SCV-TOKEN-03 (token)", "scv-bridge 0.", "store.url", "(set, not shown)", "call center  Sandbox"]
    {
        assert!(ticket.contains(part), "{part} is not in {ticket}");
    }
    let bad: Value = serde_json::from_str(&doctor(&["--json", "--only", "scv-token-03"]).out).unwrap();
    assert_eq!(bad["counts"]["fail"], 1);
    assert_eq!(bad["checks"].as_array().unwrap().len(), 1, "{bad}");
    assert_eq!(doctor(&["--offline"]).code, Some(0), "nobody is asked who could say so");
    let usage = doctor(&["--only", "SCV-TLS-99"]);
    assert_eq!(usage.code, Some(2));
    assert!(usage.err.contains("--list"), "{}", usage.err);
    assert!(run(site.path(), &["doctor", "--list"]).out.contains("SCV-BACK-03"));
}

#[actix_web::test]
async fn doctor_beside_the_service_sees_that_it_runs_and_asks_it_under_its_public_url() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let (public, operations) = (service.public.to_string(), service.operations.to_string());
    let url = format!("http://{public}");
    let mut doctor = command(site.path(), &["doctor", "--config", "bridge.toml", "-v"]);
    doctor.envs([
        ("SCV_BRIDGE__SERVER__LISTEN", public.as_str()),
        ("SCV_BRIDGE__SERVER__PUBLIC_URL", url.as_str()),
        ("SCV_BRIDGE__OPERATIONS__LISTEN", operations.as_str()),
    ]);
    let output = doctor.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in [
        format!("SCV-PORT-01  server.listen: the service that runs listens on {public}"),
        format!("SCV-PORT-01  operations.listen: the service that runs listens on {operations}"),
        format!("SCV-STORE-01  store.url: the service that runs has it (process {} on ", service.id()),
        String::from("SCV-BACK-03  server.public_url: the bridge answers, "),
    ] {
        assert!(said.contains(&part), "{part} is not in {said}");
    }
    let (code, _) = service.stop().await;
    assert_eq!(code, Some(0));
}

#[actix_web::test]
async fn doctor_says_why_the_service_that_runs_is_not_ready() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let database = SqliteConnectOptions::new().filename(site.path().join("data/bridge.db"));
    let mut other = database.connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    // It learns of the lock by what it has to write.
    service.flow().create("wxcc_1").await;
    let mut doctor = command(site.path(), &["doctor", "--config", "bridge.toml", "--offline"]);
    doctor.env("SCV_BRIDGE__SERVER__LISTEN", service.public.to_string());
    doctor.env("SCV_BRIDGE__OPERATIONS__LISTEN", service.operations.to_string());
    let output = doctor.output().unwrap();
    other.execute("ROLLBACK").await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in
        ["FAIL     SCV-PORT-01 (not-ready)  operations.listen\n", "store: the database is locked by another"]
    {
        assert!(said.contains(part), "{said}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn check_tells_a_service_that_runs_as_such() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let mut command = command(site.path(), &["check", "--config", "bridge.toml"]);
    command.env("SCV_BRIDGE__SERVER__LISTEN", service.public.to_string());
    command.env("SCV_BRIDGE__OPERATIONS__LISTEN", service.operations.to_string());
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    for line in [
        format!("listener     server.listen: the service that runs listens on {}", service.public),
        format!("listener     operations.listen: the service that runs listens on {}", service.operations),
        "database     store.url: the service that runs has it (".to_owned(),
    ] {
        assert!(said.contains(&line), "{line} is not in\n{said}");
    }
    service.stop().await;
}

#[actix_web::test]
async fn a_service_that_still_uses_another_database_is_told_by_whoever_looks_at_the_new_one() {
    let site = Site::open().await;
    let mut service = site.serve(&[]).await;
    let other = "[store]\nurl = \"sqlite:another.db\"\n";
    site.write("bridge.toml", format!("{}\n{other}", site.configuration()));
    service.program.hang_up();
    service.program.line_with("store.url").await;
    let told = "the service that runs uses another database: store.url was changed";
    let ended = |args: &[&str]| {
        let mut command = command(site.path(), args);
        command.env("SCV_BRIDGE__SERVER__LISTEN", service.public.to_string());
        command.env("SCV_BRIDGE__OPERATIONS__LISTEN", service.operations.to_string());
        command.output().unwrap()
    };
    let checked = String::from_utf8(ended(&["check", "--config", "bridge.toml"]).stdout).unwrap();
    assert!(checked.contains(&format!("\nwarning      {told}")), "{checked}");
    let examined = ended(&["doctor", "--config", "bridge.toml", "--offline"]);
    let examined = String::from_utf8(examined.stdout).unwrap();
    assert!(examined.contains("the service that runs goes by an older store.url\n"), "{examined}");
    let listed = ended(&["outbox", "--config", "bridge.toml", "list"]);
    let listed = String::from_utf8(listed.stderr).unwrap();
    assert!(listed.starts_with(&format!("scv-bridge: warning: {told}")), "{listed}");
    service.stop().await;
}

#[actix_web::test]
async fn a_variable_that_is_no_text_is_refused_by_its_name_and_not_left_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let site = Site::open().await;
    let mut check = command(site.path(), &["check", "--config", "bridge.toml"]);
    check.env("SCV_BRIDGE__STORE__URL", std::ffi::OsStr::from_bytes(b"sqlite:\xff.db"));
    let output = check.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("SCV_BRIDGE__STORE__URL holds bytes that are no text"), "{said}");
}

#[actix_web::test]
async fn translate_takes_rules_a_table_or_the_configuration() {
    let site = Site::open().await;
    let translate = |more: &[&str]| run(site.path(), &[&["translate"], more].concat());
    let ended = translate(&["--rules", RULES, "+14693150217"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.out.ends_with("result    (469) 315-0217\n"), "{}", ended.out);
    let ended = translate(&["--rules", RULES, "--json", "+1 469 315 0217"]);
    let expected = json!({
        "input": "+1 469 315 0217", "cleaned": "+14693150217", "result": "(469) 315-0217",
        "steps": [{ "rule": "US", "applied": true, "result": "(469) 315-0217" }],
    });
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), expected);
    let ended = translate(&["--table", TABLE]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "600 of 600 agree\n"));
    let configured = ["--config", "bridge.toml", "--call-center", "Sandbox", "--field", "to"];
    let ended = translate(&[&configured[..], &["+1 (0) 469"]].concat());
    assert!(ended.out.ends_with("result    +1469\n"), "{} {}", ended.out, ended.err);
    let ended = translate(&["--rules", r#"{"away":"[1,64]->^(\\d+)+$"}"#, "1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.out.starts_with("rule \"away\", pattern: can run away"), "{}", ended.out);
}

/// A reader who leaves early is no fault: the table disagrees in more lines than a pipe holds.
#[test]
fn translate_into_a_pipe_that_closes_ends_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let row = json!({ "rules": "{}", "input": "1", "output": "2" });
    fs::write(folder.path().join("table.json"), Value::from(vec![row; 5000]).to_string()).unwrap();
    let line = format!("{} translate --table table.json | head -1", env!("CARGO_BIN_EXE_scv-bridge"));
    let output = Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out, "row 1: expected \"2\", got \"1\"\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn certificate_new_makes_a_pair_that_openssl_reads_and_never_overwrites_it() {
    let folder = tempfile::tempdir().unwrap();
    let new = || run(folder.path(), &["certificate", "new", "WebexCCSCV"]);
    assert_eq!(new().code, Some(0));
    let mode = |file: &str| fs::metadata(folder.path().join(file)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("certs/WebexCCSCV.key"), 0o600);
    let key = openssl(folder.path(), &["pkey", "-in", "certs/WebexCCSCV.key", "-pubout"]);
    let certificate = openssl(folder.path(), &["x509", "-in", "certs/WebexCCSCV.crt", "-pubkey", "-noout"]);
    assert!(key.starts_with("-----BEGIN PUBLIC KEY-----"));
    assert_eq!(key, certificate);
    let shown = run(folder.path(), &["certificate", "show", "certs/WebexCCSCV.crt"]);
    assert_eq!(shown.code, Some(0));
    assert!(shown.out.starts_with("subject      CN=WebexCCSCV\n"), "{}", shown.out);
    let again = new();
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("certs/WebexCCSCV.key exists"), "{}", again.err);
    assert_eq!(openssl(folder.path(), &["pkey", "-in", "certs/WebexCCSCV.key", "-pubout"]), key);
}

fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn secret_new_prints_another_one_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = [(); 2].map(|()| run(folder.path(), &["secret", "new", "webex-flow"]));
    assert_eq!(one.code, Some(0));
    assert!(one.out.contains("id = \"webex-flow\"\nsecret_sha256 = \""), "{}", one.out);
    assert_ne!(one.out, two.out);
}

#[test]
fn secret_new_makes_none_for_a_client_or_a_user_without_a_name() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["secret", "new", ""][..],
        &["secret", "new", "webex-flow", "--username", ""],
        &["secret", "new", "webex-flow", "--username", "a\nb"],
    ] {
        let ended = run(folder.path(), arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains("is empty") || ended.err.contains("control character"), "{}", ended.err);
    }
}

#[actix_web::test]
async fn healthcheck_ends_0_when_the_service_lives_and_1_when_it_does_not() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let address = service.operations.to_string();
    let check = || {
        let mut command = command(site.path(), &["healthcheck", "--config", "bridge.toml"]);
        let output = command.env("SCV_BRIDGE__OPERATIONS__LISTEN", &address).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(check(), (Some(0), format!("http://{address}/livez: HTTP 200\n")));
    service.stop().await;
    assert_eq!(check(), (Some(1), String::new()));
}

#[actix_web::test]
async fn mock_salesforce_starts_and_stops() {
    let site = Site::open().await;
    let arguments = ["mock-salesforce", "--listen", "127.0.0.1:0", "--certificate", "signing.crt"];
    let mut org = Program::start(command(site.path(), &arguments));
    let line = org.line_with("/mock/voiceCalls").await;
    let url = line.split_whitespace().last().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
    org.terminate();
    assert_eq!(org.end().await.0, Some(0));
}

#[actix_web::test]
async fn mock_webex_starts_finds_tasks_that_it_was_given_and_stops() {
    let site = Site::open().await;
    let mut tenant = Program::start(command(site.path(), &["mock-webex", "--listen", "127.0.0.1:0"]));
    let line = tenant.line_with("/mock/tasks").await;
    let url = line.split_whitespace().find(|word| word.ends_with("/mock/tasks")).unwrap();
    let body = line.split('\'').nth(1).unwrap();
    let answer = reqwest::Client::new().post(url).body(body.to_owned()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "what it introduces itself with works when it is pasted");
    for page in ["subscriptions", "refusals", "requests"] {
        let answer = reqwest::get(url.replace("tasks", page)).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, "[]".to_owned()));
    }
    tenant.terminate();
    assert_eq!(tenant.end().await.0, Some(0));
}

#[test]
fn completions_and_the_commented_defaults_need_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["completions", "bash"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.contains("_scv__bridge()"), "{}", ended.out);
    let ended = run(folder.path(), &["config", "default"]);
    assert_eq!((ended.code, ended.out), (Some(0), run(folder.path(), &["check", "--defaults"]).out));
}

#[actix_web::test]
async fn discard_removes_nothing_where_nobody_can_be_asked() {
    let site = Site::open().await;
    let url = format!("sqlite:{}/data/bridge.db", site.path().display());
    Store::open(&url).await.unwrap().close().await.unwrap();
    let discard = |more: &[&str]| {
        run(site.path(), &[&["outbox", "discard", "--all", "--config", "bridge.toml"], more].concat())
    };
    let ended = discard(&[]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert!(ended.err.contains("add --yes, or --dry-run"), "{}", ended.err);
    for more in ["--yes", "--dry-run"] {
        let ended = discard(&[more]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(1), ""), "{}", ended.out);
    }
}

#[actix_web::test]
async fn outbox_opens_the_database_of_the_service_and_never_makes_one() {
    let site = Site::open().await;
    let outbox = |more: &[&str]| run(site.path(), &[&["outbox", "--config", "bridge.toml"], more].concat());
    let ended = outbox(&["list"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert!(
        ended.err.starts_with("scv-bridge: store.url (the file ")
            && ended.err.contains("data/bridge.db): the database file cannot be opened"),
        "{}",
        ended.err
    );
    assert!(!site.path().join("data").exists());
    let store = Store::open(&format!("sqlite:{}/data/bridge.db", site.path().display())).await.unwrap();
    let ended = outbox(&["list"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(0), "no entries\n", ""));
    let ended = outbox(&["retry", "--all", "--json"]);
    let nothing = "{\"dry_run\":false,\"entries\":0,\"ids\":[],\"problems\":[]}\n";
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), nothing));
    store.close().await.unwrap();
}

/// Texts were doubled, named no database, and comforted somebody whose service had just ended.
#[actix_web::test]
async fn what_keeps_the_service_from_starting_is_told_once_with_the_database_and_no_comfort() {
    let site = Site::open().await;
    fs::create_dir(site.path().join("folder")).unwrap();
    fs::write(site.path().join("text"), "this is no database ".repeat(100)).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let here = fs::canonicalize(site.path()).unwrap().display().to_string();
    let start = |url: &str| {
        let mut command = command(site.path(), &["serve", "--config", "bridge.toml"]);
        let output = command.env("SCV_BRIDGE__STORE__URL", url).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    for (url, place, why) in [
        (
            "sqlite:folder",
            format!("the file {here}/folder"),
            "what is named as the database is a directory, and no regular file",
        ),
        ("sqlite:text", format!("the file {here}/text"), "the database is damaged or no database"),
        (
            &format!("postgres://user:s3cret@127.0.0.1:{port}/calls"),
            format!("postgres://user@127.0.0.1:{port}/calls"),
            "the database cannot be reached (connection refused)",
        ),
        (
            "postgres://user:s3cret@nowhere.invalid/calls",
            "postgres://user@nowhere.invalid/calls".to_owned(),
            "the database cannot be reached (its host name is not known)",
        ),
    ] {
        let told = start(url);
        assert!(told.contains(&format!("scv-bridge: store.url ({place}): {why}")), "{told}");
        assert_eq!(told.matches(why).count(), 1, "{told}");
        for word in ["by itself", "uncategorized", "s3cret"] {
            assert!(!told.contains(word), "{word}: {told}");
        }
    }
    // Where the password has a sign in it that ends the host, no host is asked at all.
    for password in ["p@ss/w0rd", "p/ss", "p#ss", "p?ss", "12/ss", "12#ss"] {
        let told = start(&format!("postgres://user:{password}@127.0.0.1:{port}/calls"));
        assert!(told.contains("with a sign in it that ends the host (it is not shown"), "{told}");
        assert!(told.contains("%2F for /") && !told.contains(password), "{told}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = command(site.path(), &["serve", "--config", "bridge.toml"]);
    command.env("SCV_BRIDGE__SERVER__LISTEN", taken.local_addr().unwrap().to_string());
    let told = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert_eq!(told.matches("in use").count(), 1, "{told}");
}

#[actix_web::test]
async fn an_outbox_of_a_contact_center_that_nobody_knows_is_a_mistake() {
    let site = Site::open().await;
    let url = format!("sqlite:{}/data/bridge.db", site.path().display());
    Store::open(&url).await.unwrap().close().await.unwrap();
    let told = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').chain(["--config", "bridge.toml"]).collect();
        let ended = run(site.path(), &arguments);
        (ended.code, ended.out + &ended.err)
    };
    let unknown = |name: &str, meant: &str| {
        let text = format!("scv-bridge: --call-center: no contact center {name} is configured{meant}\n");
        (Some(1), text)
    };
    assert_eq!(told("outbox list --call-center Nope"), unknown("Nope", ""));
    let meant = "; did you mean Sandbox?";
    assert_eq!(told("outbox list --call-center Sandbx"), unknown("Sandbx", meant));
    assert_eq!(told("outbox list --call-center SANDBOX"), unknown("SANDBOX", meant));
    assert_eq!(told("outbox retry --call-center Sandbx"), unknown("Sandbx", meant));
    assert_eq!(told("outbox discard --dry-run --call-center Sandbx"), unknown("Sandbx", meant));
    assert_eq!(told("attributes explain wxcc_1 --call-center Sandbx"), unknown("Sandbx", meant));
    assert_eq!(told("translate --call-center Sandbx --field to 1"), unknown("Sandbx", meant));
    assert_eq!(told("outbox list --call-center Sandbox"), (Some(0), "no entries\n".to_owned()));
}

#[test]
fn the_example_of_the_help_of_translate_works_when_it_is_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["translate", "--help"]).out;
    let example = help.split_once("--rules '").and_then(|(_, rest)| rest.split_once('\'')).unwrap().0;
    let line = format!("{} translate --rules '{example}' '+1 469-315'", env!("CARGO_BIN_EXE_scv-bridge"));
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && out.ends_with("result    1469315\n"), "{line}: {out}");
}

/// An installed program has no folder `config/` beside it.
#[test]
fn every_setting_and_an_example_are_printed_by_the_program_alone() {
    let folder = tempfile::tempdir().unwrap();
    let print = |what: &str| run(folder.path(), &["check", what]);
    assert!(print("--defaults").out.contains("\n[server] "));
    let example = print("--example");
    assert_eq!(example.code, Some(0));
    fs::write(folder.path().join("bridge.toml"), example.out).unwrap();
    let checked = run(folder.path(), &["check", "--config", "bridge.toml"]);
    assert_eq!(checked.code, Some(1));
    assert!(!checked.out.contains("config/") && !checked.out.contains("not a known key"), "{}", checked.out);
}

/// docs/setup.md tells how many problems each of its steps leaves.
#[test]
fn the_example_becomes_right_by_the_steps_of_the_set_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = format!("sqlite:{}/", folder.path().display());
    let mut text = run(folder.path(), &["check", "--example"]).out;
    text = text.replace("/etc/scv-bridge/certs/", "certs/").replace("sqlite:/var/lib/scv-bridge/", &data);
    let left = |text: &str| {
        fs::write(folder.path().join("bridge.toml"), text).unwrap();
        let ended = run(folder.path(), &["check", "--config", "bridge.toml", "--json"]);
        let told: Value = serde_json::from_str(&ended.out).unwrap();
        let problems = told["problems"].as_array().unwrap().len();
        assert_eq!(ended.code, Some(i32::from(problems > 0)), "{}", ended.out);
        problems
    };
    let mut counts = vec![left(&text)];
    assert_eq!(run(folder.path(), &["certificate", "new", "WebexCCSCV"]).code, Some(0));
    counts.push(left(&text));
    text = text.replace("00D000000000001EAA", "00D5g000007AbCdEAK").replace("//example.my.", "//acme.my.");
    counts.push(left(&text));
    let (before, _) = text.split_once("# The Apex wrapper inside the org").unwrap();
    text = before.to_owned();
    counts.push(left(&text));
    let secret = run(folder.path(), &["secret", "new", "webex-flow"]).out;
    let hash = secret.lines().find(|line| line.starts_with("secret_sha256")).unwrap().to_owned();
    let line = text.lines().find(|line| line.starts_with("secret_sha256")).unwrap().to_owned();
    text = text.replace(&line, &hash);
    counts.push(left(&text));
    let (server, rest) = text.split_once("[server.tls]").unwrap();
    let (_, rest) = rest.split_once("\n\n").unwrap();
    text = format!("{}\n{rest}", server.replace("0.0.0.0:8443", "127.0.0.1:0"));
    counts.push(left(&text));
    assert_eq!(counts, [9, 7, 5, 3, 2, 0]);
    let setup = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/setup.md")).unwrap();
    assert!(setup.contains("is told of\n9 problems first"));
    let rows = setup.lines().skip_while(|line| !line.starts_with("| step | then `check`")).skip(2);
    let told = rows.take(5).map(|row| row.trim_end_matches(" |").rsplit(' ').next().unwrap().to_owned());
    assert_eq!(told.collect::<Vec<_>>(), ["7", "5", "3", "2", "0"]);
}

#[actix_web::test]
async fn check_and_serve_refuse_the_same_databases() {
    let site = Site::open().await;
    let foreign = site.path().join("foreign.db");
    {
        let options = SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
        let mut foreign = options.connect().await.unwrap();
        foreign.execute("CREATE TABLE notes (text TEXT)").await.unwrap();
        sqlx::Connection::close(foreign).await.unwrap();
    }
    let pipe = site.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    site.write("letter", "Dear database, ".repeat(100));
    for (name, words) in [
        ("foreign.db", "another program's"),
        ("pipe", "a named pipe, and no regular file"),
        ("letter", "damaged or no database"),
        (".", "a directory, and no regular file"),
    ] {
        let url = format!("sqlite:{}", site.path().join(name).display());
        let with = |arguments: &[&str]| {
            let mut command = command(site.path(), arguments);
            let output = command.env("SCV_BRIDGE__STORE__URL", &url).output().unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            (output.status.code(), text(output.stdout) + &text(output.stderr))
        };
        for line in [
            &["check", "--config", "bridge.toml"][..],
            &["serve", "--config", "bridge.toml"],
            &["outbox", "list", "--config", "bridge.toml"],
            &["call", "show", "wxcc_1", "--config", "bridge.toml"],
        ] {
            let (code, said) = with(line);
            assert_eq!(code, Some(1), "{line:?} with {name}: {said}");
            assert!(said.contains(words), "{line:?} with {name}: {said}");
        }
    }
}

#[actix_web::test]
async fn status_shows_the_service_that_runs_and_says_where_none_does() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let status = |listen: &str, more: &[&str]| {
        let mut command = command(site.path(), &[&["status", "--config", "bridge.toml"], more].concat());
        let output = command.env("SCV_BRIDGE__OPERATIONS__LISTEN", listen).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let listen = service.operations.to_string();
    let (code, out, _) = status(&listen, &[]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.starts_with("scv-bridge 0.") && out.contains("certificate WebexCCSCV"), "{out}");
    let (_, out, _) = status(&listen, &["--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["breakers"].as_array().map(Vec::len), Some(2), "{out}");
    service.stop().await;
    let (code, _, err) = status(&listen, &[]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("scv-bridge: no service answers at http://127.0.0.1:"), "{err}");
}

#[test]
fn wrong_usage_ends_2() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        &["no-such-command"][..],
        &[],
        &["serve", "--no-such-option"],
        &["translate", "123"],
        &["certificate", "new", "not a name"],
        &["mock-salesforce", "--listen", "nowhere"],
        &["outbox", "retry"],
        &["outbox", "discard", "--all", "1"],
    ] {
        let ended = run(folder.path(), line);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line:?}");
        assert!(ended.err.contains("Usage") || ended.err.contains("error"), "{}", ended.err);
    }
}
