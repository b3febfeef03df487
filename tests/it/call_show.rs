//! `call show`: what an operator is told of a call, by whatever they hold of it.

use clap::Parser as _;
use scv_bridge::cli::call;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};
use sqlx::Executor as _;

use crate::stage::{CENTER, Plan, Stage, create, ended, omni_flow, reference, with};

#[derive(clap::Parser)]
struct CommandLine {
    #[command(flatten)]
    args: call::CallArgs,
}

/// Runs the command beside the service; gives what it prints, or its error.
async fn run(stage: &Stage, args: &[&str]) -> Result<String, String> {
    stage.handle.write_exchanges().await.unwrap();
    // The breaker is told by the service that runs.
    stage.handle.measure().await;
    let listen = stage.operations.trim_start_matches("http://").to_owned();
    let environment = vec![("SCV_BRIDGE__OPERATIONS__LISTEN".to_owned(), listen)];
    let file = stage.configuration_file();
    let line = ["call", "--config", file.to_str().unwrap(), "show"].into_iter().chain(args.iter().copied());
    let args = CommandLine::try_parse_from(line).map_err(|error| error.to_string())?.args;
    let clock = std::sync::Arc::clone(&stage.clock);
    let run = move || {
        let mut out = Vec::new();
        let done = call::run(&args, environment, clock.as_ref(), &mut out);
        done.map(|_| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn shown(stage: &Stage, name: &str) -> Value {
    serde_json::from_str(&run(stage, &[name, "--json"]).await.unwrap()).unwrap()
}

#[actix_web::test]
async fn a_routing_that_was_cleared_late_is_explained_by_what_salesforce_answered() {
    let stage = Plan::telephony().sections("[breaker]\nfailures = 1000\nslow_calls = 1000").start().await;
    let id = stage.call("wxcc_7b3c").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
    }
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_7b3c")).await.data()["status"], "pending");
    stage.work_until(async || stage.entries().await.iter().all(|entry| entry.attempts == 1)).await;
    let owed = shown(&stage, "7b3c").await;
    assert_eq!(owed["owed"].as_array().unwrap().len(), 2);
    let why = owed["why"].as_str().unwrap();
    assert!(
        why.starts_with("Clearing the routing is owed to Salesforce for 0s: Salesforce answered 503 once"),
        "{why}"
    );
    assert!(why.contains("next attempt in"), "{why}");
    stage.wait_seconds(2);
    stage.work_until(async || stage.entries().await.iter().any(|entry| entry.attempts == 2)).await;
    stage.org.forget_scripts();
    stage.deliver(3600).await;
    for name in [
        "wxcc_7b3c",
        "7b3c",
        id.as_str(),
        id.get(..15).unwrap(),
        &format!("https://x.my.salesforce.com/lightning/r/VoiceCall/{id}/view"),
    ] {
        let told = shown(&stage, name).await;
        let why = told["why"].as_str().unwrap();
        assert!(why.starts_with("Routing was cleared 1h"), "{why}");
        assert!(why.contains("after the hang-up: Salesforce answered 503 twice"), "{why}");
        assert_eq!(told["voice_calls"][0]["voice_call_id"], id);
        assert_eq!(told["owed"].as_array().unwrap().len(), 0);
        let asked: Vec<&str> =
            told["exchanges"].as_array().unwrap().iter().map(|one| one["by"].as_str().unwrap()).collect();
        assert_eq!(asked, ["flow", "flow", "flow", "outbox", "outbox", "outbox"], "{told}");
    }
    let text = run(&stage, &["7b3c"]).await.unwrap();
    assert!(text.contains("createVoiceCall") && text.contains("vendorCallKey     wxcc_7b3c"), "{text}");
    assert!(!text.contains("4693150217"), "{text}");
}

#[actix_web::test]
async fn what_waits_for_the_breaker_is_told_with_the_cause_that_opened_it() {
    let stage = Plan::telephony().sections("[breaker]\nfailures = 2\npause = \"30s\"").start().await;
    let id = stage.call("wxcc_1").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
    }
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    stage.wait_seconds(2);
    let told = shown(&stage, "wxcc_1").await;
    let why = told["why"].as_str().unwrap();
    assert!(why.contains(": Salesforce answered 503 once; next attempt in "), "{why}");
    assert!(why.contains(" at the earliest: the breaker is open until "), "{why}");
    assert_eq!(told["owed"][0]["waits_for"]["what"], "breaker", "{told}");
    let first = told["owed"][0]["id"].clone();
    let behind = serde_json::json!({ "what": "earlier_entry", "entry": first });
    assert_eq!(told["owed"][1]["waits_for"], behind, "{told}");
    stage.org.forget_scripts();
}

#[actix_web::test]
async fn a_voice_call_that_only_the_flow_has_named_is_found_by_its_id_and_by_the_key_beside_it() {
    for exchanges in ["true", "false"] {
        let stage = Plan::telephony().sections(&format!("[journal]\nexchanges = {exchanges}")).start().await;
        let id = "0LQ5g000000abcDGAQ";
        stage.script(BadDay::Unavailable { retry_after: None }, Operation::Update);
        let update = with(reference(id), json!({ "vendorCallKey": "wxcc_9", "isActiveCall": true }));
        assert_eq!(stage.post("updateVoiceCall", update).await.data()["status"], "pending");
        for name in [id, "0LQ5g000000abcD"] {
            let told = shown(&stage, name).await;
            assert_eq!(told["owed"].as_array().unwrap().len(), 1, "{told}");
            assert_eq!(told["owed"][0]["voice_call_id"], id, "{told}");
            assert!(told["why"].as_str().unwrap().starts_with("An update is owed to Salesforce"), "{told}");
        }
        if exchanges == "true" {
            let told = shown(&stage, "wxcc_9").await;
            assert_eq!(told["exchanges"].as_array().unwrap().len(), 1, "{told}");
            assert_eq!(told["owed"].as_array().unwrap().len(), 1, "{told}");
        }
    }
}

#[actix_web::test]
async fn a_call_is_found_by_an_id_that_a_flow_sent_with_its_key_in_a_body_that_was_refused() {
    let stage = Stage::telephony().await;
    let own = stage.call("wxcc_1").await;
    let other = "0LQ5g000000abcDGAQ";
    let body = with(reference(other), json!({ "vendorCallKey": "wxcc_1", "startTime": "nonsense" }));
    stage.post("updateVoiceCall", body).await.error(400);
    let told = shown(&stage, other).await;
    assert_eq!(told["voice_calls"][0]["voice_call_id"], own, "{told}");
    assert_eq!(told["exchanges"].as_array().unwrap().len(), 2, "{told}");
}

#[actix_web::test]
async fn what_is_owed_for_a_key_of_which_nothing_else_is_known_is_shown() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Update);
    let active = with(reference("wxcc_only"), json!({ "isActiveCall": true }));
    stage.post("updateVoiceCall", active).await.data();
    stage.work_until(async || stage.entries().await.iter().all(|entry| entry.lease_until.is_none())).await;
    for name in ["wxcc_only", "only"] {
        let told = shown(&stage, name).await;
        assert_eq!(told["owed"].as_array().map(Vec::len), Some(1), "{told}");
        assert!(!told["why"].as_str().unwrap().contains("There is no VoiceCall"), "{told}");
    }
}

#[actix_web::test]
async fn of_a_create_whose_end_nobody_knows_it_does_not_say_that_there_is_no_voice_call() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Garbage, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    let told = shown(&stage, "wxcc_1").await;
    let why = told["why"].as_str().unwrap();
    assert!(
        why.starts_with("Nobody knows whether there is a VoiceCall: createVoiceCall was answered 503"),
        "{why}"
    );
    assert!(why.ends_with("; look for the vendorCallKey in Salesforce."), "{why}");
}

#[actix_web::test]
async fn what_was_put_off_is_no_attempt() {
    let stage = Plan::telephony().deadline("300ms").start().await;
    let id = stage.call("wxcc_1").await;
    stage.script(BadDay::WorksLate { milliseconds: 900 }, Operation::OmniFlow);
    stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
    let told = shown(&stage, "wxcc_1").await;
    let why = told["why"].as_str().unwrap();
    assert!(why.contains(" a late clear (entry 1) waits on purpose and removes that"), "{why}");
    // Its caller is still there: it is looked at twice, and nothing is sent.
    for _ in 0..2 {
        let due = stage.entries().await[0].next_at;
        stage.wait_seconds(12);
        stage.work_until(async || stage.entries().await[0].next_at > due).await;
    }
    let told = shown(&stage, "wxcc_1").await;
    let mut by_outbox = Vec::new();
    for exchange in told["exchanges"].as_array().unwrap().iter().filter(|one| one["by"] == "outbox") {
        by_outbox.push((exchange["outcome"].as_str().unwrap(), exchange.get("attempt")));
    }
    assert_eq!(by_outbox, [("not_asked", None), ("not_asked", None)], "{told}");
    let text = run(&stage, &["wxcc_1"]).await.unwrap();
    assert!(text.contains("late-clear, put off") && !text.contains("attempt 1"), "{text}");
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    stage.wait_seconds(12);
    stage.work_until(async || stage.entries().await.iter().any(|entry| entry.attempts == 1)).await;
    let text = run(&stage, &["wxcc_1"]).await.unwrap();
    assert!(text.contains("late-clear, attempt 1"), "{text}");
    assert!(text.contains("Its late clear (entry 1) is sent once more in "), "{text}");
}

#[actix_web::test]
async fn a_create_that_was_refused_is_told_with_its_answer() {
    let stage = Stage::telephony().await;
    let body = r#"{"callCenterDevName": "CENTER", "vendorCallKey": "wxcc_1", "to": "1", "from": "x"}"#;
    let reply = stage.post("createVoiceCall", body.replace("CENTER", CENTER)).await;
    assert_eq!(reply.status, 400);
    let told = shown(&stage, "wxcc_1").await;
    let why = told["why"].as_str().unwrap();
    assert!(why.starts_with("There is no VoiceCall: createVoiceCall was answered 400: "), "{why}");
    assert!(why.contains("startTime"), "{why}");
}

#[actix_web::test]
async fn of_a_call_that_is_not_there_it_says_what_was_searched() {
    let stage = Stage::telephony().await;
    let error = run(&stage, &["nobody"]).await.unwrap_err();
    assert!(error.contains("the vendorCallKey nobody and the vendorCallKey wxcc_nobody"), "{error}");
    assert!(error.contains("as far back as [journal] keep reaches"), "{error}");
    let error = run(&stage, &["https://example.com/0LQ5g000000abcDGAQ"]).await.unwrap_err();
    assert!(error.contains("is an address on example.com, which is none of Salesforce's"), "{error}");
    let error = run(&stage, &["https://x.my.salesforce.com/home"]).await.unwrap_err();
    assert!(error.contains("holds no id of a VoiceCall"), "{error}");
}

#[actix_web::test]
async fn without_exchanges_a_call_is_told_by_the_journal_alone() {
    let stage = Plan::telephony().sections("[journal]\nexchanges = false").start().await;
    let id = stage.call("wxcc_1").await;
    let told = shown(&stage, &id).await;
    assert_eq!(told["exchanges"].as_array().unwrap().len(), 0);
    assert_eq!(told["why"], "The VoiceCall is created; no routing, answer or hang-up is known yet.");
    stage.change("exchanges = false", "exchanges = true").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    assert_eq!(shown(&stage, &id).await["exchanges"].as_array().unwrap().len(), 1);
}

/// What is told of the routing of the only VoiceCall, and how many callers are told to wait.
async fn routing(stage: &Stage) -> (Value, String) {
    let told = shown(stage, "wxcc_1").await;
    let call = &told["voice_calls"][0];
    let told = json!([
        call["progress"],
        call["route_result"],
        call["cleared_at"].is_string(),
        call["nothing_to_clear_at"].is_string()
    ]);
    let waiting = format!("scv_bridge_callers_not_cleared{{call_center=\"{CENTER}\",state=\"pending\"}}");
    (told, stage.metric(&waiting).await.unwrap())
}

/// What the service writes down after its answer comes to this.
async fn becomes(stage: &Stage, told: &Value, waiting: &str) {
    stage.work_until(async || routing(stage).await == (told.clone(), waiting.to_owned())).await;
}

#[actix_web::test]
async fn a_call_that_salesforce_did_not_route_is_not_told_to_wait_in_its_queue() {
    let stage = Plan::telephony().sections("[breaker]\nfailures = 1000\nslow_calls = 1000").start().await;
    let id = stage.call("wxcc_1").await;
    let refused = json!([{ "errorCode": "INVALID_INPUT", "message": "no such flow" }]);
    stage.script(BadDay::Status { status: 400, body: refused }, Operation::OmniFlow);
    stage.post("executeOmniFlow", omni_flow(&id)).await;
    becomes(&stage, &json!(["not routed", "not_routed", false, false]), "0").await;
    let page = run(&stage, &["wxcc_1"]).await.unwrap();
    assert!(page.starts_with("Salesforce has not routed the call: "), "{page}");
    assert!(page.contains("no such flow") && page.contains("\n  not routed        "), "{page}");
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
    }
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    becomes(&stage, &json!(["ended", "not_routed", false, false]), "0").await;
    // One that was routed after all waits, whatever was refused before.
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    becomes(&stage, &json!(["ended", "routed", false, false]), "1").await;
    stage.org.forget_scripts();
    stage.deliver(60).await;
    becomes(&stage, &json!(["closed", "routed", true, false]), "0").await;
}

#[actix_web::test]
async fn a_clear_that_salesforce_refused_had_nothing_to_clear() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    let refused =
        json!({ "message": "not found", "errors": [{ "code": "NOT_FOUND", "message": "no such call" }] });
    stage.script(BadDay::Status { status: 404, body: refused }, Operation::ClearRouting);
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    becomes(&stage, &json!(["closed", "routed", false, true]), "0").await;
    let page = run(&stage, &["wxcc_1"]).await.unwrap();
    assert!(page.contains("\n  routed            ") && page.contains("\n  nothing to clear  "), "{page}");
}

#[actix_web::test]
async fn a_routing_that_the_final_update_alone_has_cleared_is_told_to_be_cleared() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    let last = with(reference(&id), json!({ "endTime": "2026-11-21T10:00:30Z" }));
    stage.script_times(BadDay::Unavailable { retry_after: None }, 1, Operation::Update);
    stage.post("updateVoiceCall", last).await.data();
    assert_eq!(routing(&stage).await.1, "1");
    stage.deliver(60).await;
    becomes(&stage, &json!(["closed", "routed", true, false]), "0").await;
    let call = shown(&stage, "wxcc_1").await["voice_calls"][0].clone();
    assert_eq!(call["cleared_at"], call["closed_at"]);
}

#[actix_web::test]
async fn a_call_that_is_not_created_yet_is_told_so_while_its_end_waits() {
    let stage = Plan::telephony().sections("[breaker]\nfailures = 1000\nslow_calls = 1000").start().await;
    for operation in [Operation::Create, Operation::ClearRouting, Operation::Update] {
        stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
    }
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let page = run(&stage, &["wxcc_1"]).await.unwrap();
    assert!(page.contains("\nVoiceCall that is not created, ended\n"), "{page}");
    let sentence = " There is no VoiceCall yet: createVoiceCall was answered 503; the final update makes it.";
    assert!(page.lines().next().unwrap().ends_with(sentence), "{page}");
    stage.org.forget_scripts();
}

#[actix_web::test]
async fn a_call_that_was_routed_again_after_it_was_cleared_waits_again() {
    let stage = Plan::telephony().sections("[breaker]\nfailures = 1000\nslow_calls = 1000").start().await;
    let id = stage.call("wxcc_1").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    stage.wait_seconds(1);
    stage.post("clearRouting", reference(&id)).await.data();
    becomes(&stage, &json!(["cleared", "routed", true, false]), "0").await;
    let page = run(&stage, &["wxcc_1"]).await.unwrap();
    assert!(page.starts_with("Salesforce holds no routing of the call any more; "), "{page}");
    stage.wait_seconds(1);
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    becomes(&stage, &json!(["routed", "routed", true, false]), "0").await;
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
    }
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    becomes(&stage, &json!(["ended", "routed", true, false]), "1").await;
    assert!(run(&stage, &["wxcc_1"]).await.unwrap().contains("\n  routed again      "));
    stage.org.forget_scripts();
    stage.deliver(60).await;
    becomes(&stage, &json!(["closed", "routed", true, false]), "0").await;
}

#[actix_web::test]
async fn a_routing_that_a_locked_database_could_not_note_is_noted_when_it_is_back() {
    for can_be_read in [true, false] {
        let stage = Plan::telephony().deadline("10s").start().await;
        let id = stage.call("wxcc_1").await;
        let mut other = match can_be_read {
            true => {
                let mut other = stage.beside().await;
                other.execute("BEGIN IMMEDIATE").await.unwrap();
                other
            }
            false => stage.lock_for_reading_too().await,
        };
        stage.post("executeOmniFlow", omni_flow(&id)).await.data();
        other.execute("ROLLBACK").await.unwrap();
        stage.until_ready().await;
        becomes(&stage, &json!(["routed", "routed", false, false]), "0").await;
    }
}

#[actix_web::test]
async fn a_call_that_its_end_alone_has_logged_is_not_told_to_have_no_voice_call() {
    let stage = Stage::telephony().await;
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    stage.deliver(60).await;
    assert_eq!(stage.refusals().len(), 1, "there was no VoiceCall whose routing could be cleared");
    assert!(stage.org.voice_call("wxcc_1").is_some());
    let page = run(&stage, &["wxcc_1"]).await.unwrap();
    let sentence =
        "The bridge knows of no createVoiceCall for this call; its final update has made the VoiceCall.";
    assert!(page.starts_with(sentence), "{page}");
    assert!(page.contains("\nVoiceCall with an id that only Salesforce knows, closed\n"), "{page}");
}
