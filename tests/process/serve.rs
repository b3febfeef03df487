//! `serve`: what it takes to start, and that it serves.

use std::net::TcpListener;

use serde_json::json;

use super::program::{Program, command, run};
use super::site::Site;

#[actix_web::test]
async fn a_call_gets_its_voice_call_signed_by_an_encrypted_key() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let (status, body) = service.flow().create("wxcc_1").await;
    let record = site.org.voice_call("wxcc_1").unwrap();
    assert_eq!(
        (status, body),
        (200, json!({ "data": { "voiceCallId": record.id }, "errors": null, "success": true }))
    );
    assert_eq!(site.org.refusals(), []);
}

#[actix_web::test]
async fn a_variable_of_the_environment_wins_over_the_file() {
    let site = Site::open().await;
    site.write("bridge.toml", site.configuration().replace("127.0.0.1:0", "192.0.2.1:1"));
    let variables =
        [("SCV_BRIDGE__SERVER__LISTEN", "127.0.0.1:0"), ("SCV_BRIDGE__OPERATIONS__LISTEN", "127.0.0.1:0")];
    let service = site.serve(&variables).await;
    assert!(service.public.ip().is_loopback());
    assert_eq!(service.operations("/readyz").await, Some(200));
}

#[actix_web::test]
async fn the_configuration_may_be_named_by_a_variable_too() {
    let site = Site::open().await;
    let mut command = command(site.path(), &["serve"]);
    command.env("SCV_BRIDGE_CONFIG", "bridge.toml");
    Program::start(command).line_with("\"ready\"").await;
}

#[actix_web::test]
async fn everything_that_is_wrong_with_the_configuration_is_said_before_it_ends_1() {
    let site = Site::open().await;
    let wrong = site
        .configuration()
        .replace("signing.key", "nowhere.key")
        .replace("00D000000000001EAA", "00D1")
        .replace("shutdown_timeout", "shutdown_timout");
    site.write("bridge.toml", wrong);
    let ended = run(site.path(), &["serve", "--config", "bridge.toml"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    for key in [
        "certificates.WebexCCSCV.private_key",
        "call_centers.WxCCContactCenterSCV.org_id",
        "server.shutdown_timout",
    ] {
        assert!(ended.err.contains(key), "{key} in {}", ended.err);
    }
}

#[test]
fn a_configuration_that_is_not_there_or_no_toml_ends_1() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["serve", "--config", "nowhere.toml"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("nowhere.toml"), "{}", ended.err);
    std::fs::write(folder.path().join("broken.toml"), "[server\nlisten = 5").unwrap();
    let ended = run(folder.path(), &["serve", "--config", "broken.toml"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("line 1"), "{}", ended.err);
}

#[actix_web::test]
async fn an_address_that_is_taken_is_told_with_its_key() {
    let site = Site::open().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (variable, key) in [
        ("SCV_BRIDGE__SERVER__LISTEN", "server.listen"),
        ("SCV_BRIDGE__OPERATIONS__LISTEN", "operations.listen"),
    ] {
        let mut command = command(site.path(), &["serve", "--config", "bridge.toml"]);
        command.env(variable, &address);
        let (code, said) = Program::start(command).end().await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&format!("{key}: cannot listen on {address}")), "{said}");
        assert!(said.contains("end that, or name another port"), "{said}");
    }
}

#[actix_web::test]
async fn a_second_service_on_the_same_file_says_who_has_it_and_ends_and_a_killed_one_has_it_no_more() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let mut second = command(site.path(), &["serve", "--config", "bridge.toml"]);
    second.env("SCV_BRIDGE__STORE__URL", "sqlite:./data/../data/bridge.db");
    let (code, said) = Program::start(second).end().await;
    assert_eq!(code, Some(1), "{said}");
    let holder = format!("): the database is in use by another service, process {} on ", service.id());
    assert!(said.contains(&holder), "{said}");
    let ended = run(site.path(), &["outbox", "list", "--config", "bridge.toml"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "no entries\n"), "{}", ended.err);
    let (status, answer) = service.flow().create("wxcc_1").await;
    assert_eq!(status, 200, "{answer}");
    // Dropping it kills it.
    drop(service);
    let again = site.serve(&[]).await;
    assert_eq!(again.flow().create("wxcc_1").await, (200, answer), "it is known");
}
