//! `scv-bridge webex` and `reconcile`: the whole way of an administrator, with a browser that agrees to everything.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};

use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::mock::webex::{MockWebex, MockWebexSettings};
use serde_json::{Value, json};

use super::program::{Ended, Program, command, run};
use super::site::Site;

/// An installation that knows a tenant.
struct Office {
    site: Site,
    webex: MockWebex,
    port: u16,
}

/// A port that nobody has: below those that the system gives to outgoing connections, one of which could take it before it
/// is listened on.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 100).unwrap() * 100;
    let free = |_: &u16| TcpListener::bind(("127.0.0.1", first + NEXT.fetch_add(1, Ordering::Relaxed)));
    (0..100).find_map(|number| free(&number).ok()).unwrap().local_addr().unwrap().port()
}

impl Office {
    async fn open() -> Self {
        Self::without(&[]).await
    }

    /// Of a tenant that does not offer these resources.
    async fn without(withdrawn: &[&str]) -> Self {
        let site = Site::open().await;
        // The browser comes back to a port that the integration knows.
        let port = free_port();
        let settings = MockWebexSettings {
            redirect_uris: vec![format!("http://localhost:{port}/callback")],
            withdrawn: withdrawn.iter().map(|&resource| resource.to_owned()).collect(),
            ..Default::default()
        };
        let webex =
            MockWebex::start(settings, ([127, 0, 0, 1], 0).into(), || SystemClock.now()).await.unwrap();
        let (api, token, authorize) = (webex.url(), webex.token_url(), webex.authorize_url());
        let section = format!(
            r#"
            [webex]
            api_url = "{api}"
            org_id = "97cdbf45-ebe2-4687-8341-44d5c7abf101"
            token_url = "{token}"
            authorize_url = "{authorize}"
            client_id = "C0123456789abcdef"
            client_secret = "the-secret-of-the-integration"
            token_key = "canary-token-key-Jd72-canary-token-key"
            webhook_secrets = ["canary-webhook-secret-Bf55-canary"]
            "#
        );
        let server = "[server]\npublic_url = \"https://bridge.example.com\"";
        let configuration = site.configuration().replacen("[server]", server, 1) + &section;
        site.write("bridge.toml", configuration);
        Self { site, webex, port }
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        let folder: PathBuf = self.site.path().to_owned();
        let arguments: Vec<String> =
            arguments.iter().chain(&["--config", "bridge.toml"]).map(|text| (*text).to_owned()).collect();
        let ended = tokio::task::spawn_blocking(move || {
            run(&folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let ended = ended.await.unwrap();
        let all = format!("{}{}", ended.out, ended.err);
        for secret in ["canary", "access-", "refresh-", "the-secret-of"] {
            assert!(!all.contains(secret), "{all}");
        }
        ended
    }

    async fn log_in(&self) -> String {
        let port = self.port.to_string();
        let mut program = Program::start(command(
            self.site.path(),
            &["webex", "login", "--config", "bridge.toml", "--port", &port],
        ));
        let page = program.line_with("/v1/authorize?").await;
        program.line_with("Waiting at").await;
        let stranger =
            reqwest::get(format!("http://127.0.0.1:{port}/callback?code=x&state=guessed")).await.unwrap();
        assert_eq!(stranger.status().as_u16(), 404);
        let told = reqwest::get(page).await.unwrap().text().await.unwrap();
        assert!(told.contains("scv-bridge is logged in"), "{told}");
        let (code, said) = program.end().await;
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

#[actix_web::test]
async fn an_administrator_logs_in_subscribes_and_removes() {
    let office = Office::open().await;
    let ended = office.run(&["webex", "list"]).await;
    assert_eq!(
        (ended.code, ended.err.contains("run `scv-bridge webex login`")),
        (Some(1), true),
        "{}",
        ended.err
    );
    let said = office.log_in().await;
    // 89 whole days and a second less than the 90th, where a second has passed meanwhile.
    let days = said.contains("in 90 days") || said.contains("in 89 days");
    assert!(days && said.contains("encrypted with webex.token_key"), "{said}");

    let none = office.run(&["webex", "list"]).await;
    assert_eq!(none.code, Some(1), "{}", none.out);
    let told = "none sends to this bridge, https://bridge.example.com/webhooks/wxcc: no webhook comes. `scv-bridge webex subscribe` makes them";
    assert!(none.out.contains(told), "{}", none.out);
    let checked = office.run(&["check"]).await;
    assert!(checked.out.contains("login        webex: somebody is logged in, for "), "{}", checked.out);
    assert!(checked.out.contains("more without a renewal, until 20"), "{}", checked.out);

    let made = office.run(&["webex", "subscribe"]).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let words = |out: &str| -> Vec<String> {
        let lines = out.lines().filter_map(|line| line.split_whitespace().nth(1)).take(3);
        lines.map(str::to_owned).collect()
    };
    assert_eq!(words(&made.out), ["made", "made", "made"]);
    assert_eq!(words(&office.run(&["webex", "subscribe"]).await.out), ["exists", "exists", "exists"]);
    let known = office.webex.subscriptions();
    assert_eq!(known.len(), 3);
    assert_eq!(known[0].secret.as_deref(), Some("canary-webhook-secret-Bf55-canary"));

    office.webex.change_subscription(&known[1].id, |known| known.active = false);
    let inactive = office.run(&["webex", "subscribe"]).await;
    assert_eq!((inactive.code, words(&inactive.out)[1].as_str()), (Some(1), "inactive"));
    let listed = office.run(&["webex", "list"]).await;
    assert_eq!((listed.code, listed.out.lines().filter(|line| line.starts_with('*')).count()), (Some(1), 3));
    let again = office.run(&["webex", "subscribe", "--reactivate"]).await;
    assert_eq!((again.code, words(&again.out)[1].as_str()), (Some(0), "reactivated"));
    let listed = office.run(&["webex", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(
        (&listed[1]["resource"], &listed[1]["status"], &listed[1]["ours"]),
        (&"agent:2.0.0".into(), &"active".into(), &true.into())
    );

    let removed = office.run(&["webex", "remove", &known[0].id]).await;
    assert_eq!((removed.code, office.webex.subscriptions().len()), (Some(0), 2));
    assert_eq!(office.run(&["webex", "remove", "--ours"]).await.code, Some(0));
    assert_eq!(office.webex.subscriptions(), []);
    assert_eq!(office.run(&["webex", "remove", "--ours"]).await.code, Some(1));
    assert_eq!(office.webex.refusals(), []);
}

#[actix_web::test]
async fn a_new_flow_is_checked_and_imported_as_a_draft_and_overwrites_none() {
    let office = Office::open().await;
    let new = ["flow", "new", "--call-center", "WxCCContactCenterSCV", "--connector", "c1", "--queue", "q1"];
    let at_webex = async |more: &[&str]| office.run(&[&new[..], more].concat()).await;
    let ended = at_webex(&["--check"]).await;
    assert_eq!(
        (ended.code, ended.err.contains("run `scv-bridge webex login`")),
        (Some(1), true),
        "{}",
        ended.err
    );
    office.log_in().await;
    let checked = at_webex(&["--check"]).await;
    assert_eq!(
        (checked.code, checked.out.as_str()),
        (Some(0), "Webex finds the flow valid\n"),
        "{}",
        checked.err
    );
    assert_eq!(office.webex.flows(), []);
    let imported = at_webex(&["--import"]).await;
    assert_eq!(imported.code, Some(0), "{}", imported.err);
    assert!(imported.out.contains("imported as a draft, id "), "{}", imported.out);
    let flows = office.webex.flows();
    assert_eq!((flows.len(), flows[0].name.as_str()), (1, "scv_bridge"));
    let again = at_webex(&["--import"]).await;
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("--name scv_bridge: Webex has a flow of this name"), "{}", again.err);
    assert_eq!(at_webex(&["--import", "--name", "Another"]).await.code, Some(0));
    assert_eq!(office.webex.flows().len(), 2);
    let ui = at_webex(&["--check", "--format", "ui"]).await;
    assert!(ui.err.contains("--check and --import take FlowV2"), "{}", ui.err);
    let file = office.site.path().join("bridge.toml");
    let elsewhere = std::fs::read_to_string(&file).unwrap();
    let wrong = format!("[webex]\n            flow_store_url = \"{}/flows\"", office.webex.url());
    std::fs::write(&file, elsewhere.replace("[webex]", &wrong)).unwrap();
    let nowhere = at_webex(&["--check"]).await;
    assert!(
        nowhere.err.contains("webex.flow_store_url, webex.org_id: Webex knows no flows there"),
        "{}",
        nowhere.err
    );
}

#[actix_web::test]
async fn a_resource_that_webex_refuses_keeps_no_other_and_an_older_version_takes_its_place() {
    for (withdrawn, code, told) in [
        (
            vec!["agent:2.0.0"],
            0,
            ["task:1.0.0 made", "agent:2.0.0 failed", "agent:1.0.0 made", "capture:1.0.0 made"],
        ),
        (
            vec!["agent:2.0.0", "agent:1.0.0"],
            1,
            ["task:1.0.0 made", "agent:2.0.0 failed", "agent:1.0.0 failed", "capture:1.0.0 made"],
        ),
    ] {
        let office = Office::without(&withdrawn).await;
        office.log_in().await;
        let ended = office.run(&["webex", "subscribe"]).await;
        let two = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = ended.out.lines().take(4).map(two).collect();
        assert_eq!((ended.code, lines), (Some(code), told.map(str::to_owned).to_vec()), "{}", ended.err);
        assert!(ended.out.contains("agent:2.0.0 is not offered"), "{}", ended.out);
        assert_eq!(office.webex.subscriptions().len(), 4 - withdrawn.len());
    }
}

#[actix_web::test]
async fn a_backfill_lists_what_differs_and_a_dry_run_changes_nothing() {
    let office = Office::open().await;
    office.log_in().await;
    let now = SystemClock.now().as_millisecond();
    office.webex.put_task(json!({
        "id": "t1", "channelType": "telephony", "isActive": false, "createdTime": now - 900_000,
        "endedTime": now - 600_000, "connectedCount": 0, "queueCount": 1,
    }));
    let from = (SystemClock.now() - jiff::SignedDuration::from_hours(24)).to_string();
    let ended = office.run(&["reconcile", "--from", &from, "--dry-run"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(
        lines[0].starts_with("t1  ended ") && lines[0].ends_with("never seen by the bridge"),
        "{}",
        ended.out
    );
    assert_eq!(
        lines[1],
        "1 calls compared: 0 agreed, 0 differed, 0 logged, 1 unknown, 0 failed; nothing was changed (dry run)"
    );
    let ended = office.run(&["reconcile", "--from", "2026-01-01", "--to", "2025-01-01"]).await;
    assert!(
        ended.code == Some(1) && ended.err.contains("--from 2026-01-01T00:00:00Z: is not before"),
        "{}",
        ended.err
    );
}
