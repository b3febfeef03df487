//! What belongs to changes while the service runs: two certificates, what is held until a restart, ends and files.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::*;

/// [`SMALL`] with these keys for its contact center, and a certificate to change to.
fn changing(keys: &str) -> String {
    let other =
        "[certificates.Other]\ncertificate = \"{dir}/other.crt\"\nprivate_key = \"{dir}/other.key\"\n";
    format!("{SMALL}{keys}\n{other}")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_next_certificate_has_its_moment_in_toml_or_as_a_text() {
    for time in ["2026-12-01T06:00:00Z", "\"2026-12-01T07:00:00+01:00\"", "2026-12-01T06:00:00.000Z"] {
        let toml = changing(&format!("next_certificate = \"Other\"\nnext_certificate_from = {time}"));
        let settings = Folder::new().load(&toml).unwrap();
        let next = settings.call_centers["Main"].next_certificate.as_ref().unwrap();
        assert_eq!((next.certificate.name(), next.from), ("Other", at("2026-12-01T06:00:00Z")));
        assert!(settings.summary(now()).contains("by WebexCCSCV, from 2026-12-01T06:00:00Z on by Other"));
    }
}

#[test]
fn what_is_wrong_with_the_next_certificate_is_told() {
    let problems = |keys: &str| Folder::new().problems(&changing(keys));
    insta::assert_snapshot!(
        [
            "next_certificate = \"Other\"",
            "next_certificate_from = 2026-12-01T06:00:00Z",
            "next_certificate = \"Ohter\"\nnext_certificate_from = \"2026-12-01 06:00\"",
            "next_certificate = \"WebexCCSCV\"\nnext_certificate_from = 2026-12-01T06:00:00",
            "next_certificate = \"Other\"\nnext_certificate_from = 2027-12-01T06:00:00Z",
        ]
        .map(problems)
        .join("\n----\n")
    );
}

#[test]
fn a_next_certificate_that_is_broken_is_reported_once() {
    let keys = "next_certificate = \"Other\"\nnext_certificate_from = 2026-12-01T06:00:00Z";
    let toml = changing(keys).replace("{dir}/other.crt", "{dir}/expired.crt");
    let problems = Folder::new().load(&toml).unwrap_err();
    assert!(problems.as_slice().iter().all(|problem| problem.key.starts_with("certificates.Other")));
}

#[test]
fn a_gap_between_two_certificates_is_worth_a_warning() {
    let folder = Folder::new();
    let toml = changing("next_certificate = \"WebexCCSCV\"\nnext_certificate_from = 2027-01-01T00:00:00Z");
    let toml = toml.replacen("certificate = \"WebexCCSCV\"\n", "certificate = \"Other\"\n", 1);
    insta::assert_snapshot!(folder.load(&toml).unwrap().warnings(now()).join("\n"));
}

#[test]
fn what_takes_a_restart_is_held_and_named_and_the_rest_is_new() {
    let folder = Folder::new();
    let running = folder.load(SMALL).unwrap();
    let sections = r#"
[server]
listen = "127.0.0.1:9080"
workers = 3
max_connections = 5
max_requests = 6
max_head = 2048
max_headers = 9
client_timeout = "1s"
keep_alive = "1s"
shutdown_timeout = "2s"
public_url = "https://bridge.example.com"
tls.certificate = "{dir}/good.crt"
tls.private_key = "{dir}/good.key"
[operations]
listen = "127.0.0.1:9081"
[store]
url = "postgres://somebody:secret@db/bridge"
[outbox]
schedule = ["2s"]
give_up_after = "2d"
lease = "40s"
concurrency = 3
keep_buried = "3d"
[logs]
format = "text"
level = "warn"
[breaker]
failures = 7
"#;
    let mut fresh = folder.load(&format!("{sections}{SMALL}")).unwrap();
    let keys = fresh.hold_fixed(&running);
    insta::assert_snapshot!(keys.join(" "), @"server.listen server.workers server.max_connections server.max_requests server.max_head server.max_headers server.client_timeout server.keep_alive server.shutdown_timeout server.tls operations.listen store.url outbox.concurrency logs.format logs.level");
    assert_eq!(fresh.server.listen, running.server.listen);
    assert!(fresh.server.tls.is_none());
    assert_eq!(fresh.logs, running.logs);
    assert_eq!(fresh.outbox.concurrency, running.outbox.concurrency);
    assert_eq!(fresh.outbox.lease, Duration::from_secs(40));
    assert_eq!(fresh.breaker.failures, 7);
    assert!(fresh.server.public_url.is_some());
    assert!(fresh.hold_fixed(&running).is_empty(), "what is held does not differ any more");
}

#[test]
fn of_webex_what_reconciliation_began_with_is_held_and_what_judges_webhooks_is_new() {
    let folder = Folder::new();
    let load = |keys: &str| folder.load(&format!("[webex]\n{keys}\n{SMALL}")).unwrap();
    let secrets = |last: char| format!("webhook_secrets = [\"{}\"]", last.to_string().repeat(32));
    let running = load(&secrets('a'));

    let mut fresh = load(&format!("{}\ngrace = \"20s\"\nbad_signature_status = 200", secrets('b')));
    assert!(fresh.hold_fixed(&running).is_empty());
    assert_eq!(fresh.webex.unwrap().grace, Duration::from_secs(20));

    let mut fresh = load(&format!("{}\ngrace = \"20s\"\nreconcile_every = \"1h\"", secrets('b')));
    assert_eq!(fresh.hold_fixed(&running), ["webex"]);
    let held = fresh.webex.as_ref().unwrap();
    assert_eq!(held.reconcile_every, running.webex.as_ref().unwrap().reconcile_every);
    assert_eq!(held.grace, Duration::from_secs(20));
    assert_eq!(held.webhook_secrets[0].expose_secret(), "b".repeat(32));

    let mut without = folder.load(SMALL).unwrap();
    assert_eq!(without.hold_fixed(&running), ["webex"]);
    assert!(without.webex.is_some(), "it goes with a restart, as it came");
    let mut with = load(&secrets('a'));
    assert_eq!(with.hold_fixed(&folder.load(SMALL).unwrap()), ["webex"]);
    assert!(with.webex.is_none());
}

#[test]
fn a_new_certificate_of_the_listener_is_no_reason_for_a_restart() {
    let folder = Folder::new();
    let toml = format!(
        "[server.tls]\ncertificate = \"{{dir}}/good.crt\"\nprivate_key = \"{{dir}}/good.key\"\n{SMALL}"
    );
    let running = folder.load(&toml).unwrap();
    let mut fresh = folder.load(&toml.replacen("good", "other", 2)).unwrap();
    assert!(fresh.hold_fixed(&running).is_empty());
    assert!(fresh.server.tls.unwrap().chain[0] != running.server.tls.unwrap().chain[0]);
}

#[test]
fn every_certificate_has_its_end() {
    let folder = Folder::new();
    let tls = "[server.tls]\ncertificate = \"{dir}/good.crt\"\nprivate_key = \"{dir}/good.key\"\n\
               client_ca = \"{dir}/other.crt\"\n";
    let toml = changing("next_certificate = \"Other\"\nnext_certificate_from = 2026-12-01T06:00:00Z");
    let oauth = format!("[oauth]\nsigning_key = \"{}\"\n", "k".repeat(43));
    let registered =
        "call_centers = [\"*\"]\nassertion_certificates = [\"{dir}/good.crt\", \"{dir}/other.crt\"]";
    let toml = toml.replacen("call_centers = [\"*\"]", registered, 1);
    let tls = format!("{oauth}{tls}");
    let settings = folder.load(&format!("{tls}{toml}")).unwrap();
    let days: Vec<_> =
        settings.expiries().iter().map(|one| format!("{} {}", one.name, one.days_left(now()))).collect();
    assert_eq!(
        days,
        ["Other 20", "WebexCCSCV 730", "server.tls 730", "server.tls.client_ca 20", "clients.webex-flow 20"]
    );
    insta::assert_snapshot!(settings.ending(now()).join("\n"), @r"
    certificates.Other: 20 days left; make a new pair and give it to Salesforce
    server.tls.client_ca: 20 days left; put a new certificate of the authority into the file
    clients.webex-flow: 20 days left; register a new certificate for its signed assertions
    ");
    let settings = folder.load(&format!("[rotation]\nwarn_before = \"19d\"\n{tls}{toml}")).unwrap();
    assert!(settings.ending(now()).is_empty());
}

#[test]
fn every_file_that_is_read_is_noted_also_by_a_configuration_that_is_refused() {
    let folder = Folder::new();
    folder.write("secret", b"postgres://db/bridge");
    let toml = format!("[store]\nurl_file = \"{{dir}}/secret\"\n{SMALL}").replace("good.key", "nowhere.key");
    let source = folder.source(&toml);
    let (refused, files) = Settings::load_with_files(&source, &ManualClock::new(now()));
    assert!(refused.is_err());
    let names: Vec<_> = files.paths().map(|path| folder.neutral(&path.display().to_string())).collect();
    assert_eq!(names, ["[dir]/bridge.toml", "[dir]/good.crt", "[dir]/nowhere.key", "[dir]/secret"]);
    folder.write("nowhere.key", b"something");
    assert_ne!(files.now(), files);
}
