//! What is kept for later, and what `outbox` shows of it.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};

use super::super::flow::{ANI, DNIS, create};
use super::super::program::{eventually, run};
use super::scenario::{key, words_of_salesforce};
use super::{CENTERS, Flow, Site};

/// A pending and a buried entry for each contact center, with numbers in their bodies and in Salesforce's last
/// words; gives all that `outbox` says of them.
pub async fn leave_behind(flow: &Flow, site: &Site) -> Vec<(&'static str, String)> {
    let (_, said) = words_of_salesforce();
    let down = || BadDay::Status { status: 503, body: said.clone() };
    let refused = || BadDay::Status { status: 400, body: said.clone() };
    for (number, center) in CENTERS.into_iter().enumerate() {
        for (call, second) in [("buried", refused()), ("pending", down())] {
            let key = key(center, call);
            let (status, created) = flow.post("createVoiceCall", &create(center, &key)).await;
            assert_eq!(status, 200, "{created}");
            site.org.script(down().on(Operation::Update));
            site.org.script(second.on(Operation::Update));
            let update = json!({
                "callCenterDevName": center, "vendorCallKey": key, "fromNumber": ANI, "note": format!("call {DNIS}"),
                "callAttributes": { "Caller__c": ANI },
            });
            let (status, answer) = flow.post("updateVoiceCall", &update).await;
            assert_eq!(status, 200, "{answer}");
            let tried = |entry: &Value| entry["attempts"] == 2;
            let wanted = 2 * number + if call == "buried" { 1 } else { 2 };
            eventually("the worker has tried it", async || {
                entries(site).iter().filter(|one| tried(one)).count() == wanted
            })
            .await;
        }
    }
    shown(site)
}

/// Drops it all.
pub fn clear_away(site: &Site) -> Vec<(&'static str, String)> {
    let ended = outbox(site, &["discard", "--all", "--yes"]);
    assert_eq!(entries(site), Vec::<Value>::new());
    vec![("outbox discard", ended)]
}

fn shown(site: &Site) -> Vec<(&'static str, String)> {
    let entries = entries(site);
    let states: Vec<_> = entries.iter().map(|entry| entry["state"].clone()).collect();
    assert_eq!(states, ["buried", "pending", "buried", "pending"]);
    let mut said = vec![
        ("outbox list", outbox(site, &["list"])),
        ("outbox list --json", outbox(site, &["list", "--json"])),
        ("outbox retry --dry-run", outbox(site, &["retry", "--all", "--dry-run"])),
        ("outbox discard --dry-run", outbox(site, &["discard", "--all", "--dry-run", "--json"])),
    ];
    for more in [&["-v", "--report", "/dev/stdout"][..], &["--json"]] {
        let ended = run(site.path(), &[&["doctor", "--config", "bridge.toml"], more].concat());
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
        assert!(ended.out.contains("2 entries of the outbox are buried"), "{}", ended.out);
        said.push(("doctor", ended.out));
    }
    for entry in entries {
        let id = entry["id"].to_string();
        let text = outbox(site, &["show", &id]);
        assert!(text.contains("fromNumber") && text.contains("(token hidden)"), "{text}");
        said.push(("outbox show", text));
        said.push(("outbox show --json", outbox(site, &["show", &id, "--json"])));
    }
    said
}

fn entries(site: &Site) -> Vec<Value> {
    let list: Value = serde_json::from_str(&outbox(site, &["list", "--json"])).unwrap();
    list["entries"].as_array().unwrap_or_else(|| panic!("{list}")).clone()
}

fn outbox(site: &Site, arguments: &[&str]) -> String {
    let ended = run(site.path(), &[&["outbox", "--config", "bridge.toml"], arguments].concat());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?}: {}", ended.out);
    ended.out
}
