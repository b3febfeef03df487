//! `status`: how the service is, as an operator without Prometheus is told.

use clap::Parser as _;
use scv_bridge::cli::status;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::Value;

use crate::stage::{CENTER, Plan, Stage, create, ended, omni_flow};

#[derive(clap::Parser)]
struct CommandLine {
    #[command(flatten)]
    args: status::StatusArgs,
}

/// Runs the command beside the service; gives what it prints, or its error.
async fn run(stage: &Stage, listen: &str, more: &[&str]) -> Result<String, String> {
    stage.handle.measure().await;
    look(stage, listen, more).await
}

/// The same, while the service has not looked again.
async fn look(stage: &Stage, listen: &str, more: &[&str]) -> Result<String, String> {
    let file = stage.configuration_file();
    let line = ["status", "--config", file.to_str().unwrap()].into_iter().chain(more.iter().copied());
    let args = CommandLine::try_parse_from(line).unwrap().args;
    let environment = vec![("SCV_BRIDGE__OPERATIONS__LISTEN".to_owned(), listen.to_owned())];
    let clock = std::sync::Arc::clone(&stage.clock);
    let run = move || {
        let mut out = Vec::new();
        let done = status::run(&args, environment, clock.as_ref(), &mut out);
        done.map(|_| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[actix_web::test]
async fn an_outage_is_told_on_one_page() {
    let stage = Plan::telephony().sections("[breaker]\nfailures = 2\npause = \"30s\"").start().await;
    let id = stage.call("wxcc_1").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
    }
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let listen = stage.operations.trim_start_matches("http://");
    let told: Value = serde_json::from_str(&run(&stage, listen, &["--json"]).await.unwrap()).unwrap();
    let asked: Vec<&str> =
        told["salesforce"].as_array().unwrap().iter().map(|one| one["operation"].as_str().unwrap()).collect();
    assert_eq!(asked, ["clear_routing", "create", "omni_flow", "update"]);
    let mut breakers = told["breakers"].as_array().unwrap().iter();
    let breaker = breakers.find(|breaker| breaker["call_center"] == CENTER).unwrap();
    assert_eq!(breaker["state"], "open", "{told}");
    assert!(breaker["since"].is_string() && breaker["until"].is_string(), "{told}");
    assert_eq!(told["callers_not_cleared"]["callers"], 1);
    assert_eq!(told["outbox"].as_array().unwrap().len(), 2);
    assert!(told["ends"][0]["what"].as_str().unwrap().starts_with("certificate "), "{told}");
    let page = run(&stage, listen, &[]).await.unwrap();
    for part in
        ["Callers gone and not cleared (0s ago): 1, the oldest for 0s", "open", "(in ", "nothing was asked"]
    {
        assert_eq!(page.contains(part), part != "nothing was asked", "{part}: {page}");
    }
    assert!(page.contains("\nWebex\nnot configured"), "{page}");
    stage.org.forget_scripts();
}

#[actix_web::test]
async fn a_breaker_is_told_as_it_is_at_the_moment_of_the_question() {
    let stage = Plan::telephony().sections("[breaker]\nfailures = 2\npause = \"30s\"").start().await;
    stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, Operation::Create);
    let listen = stage.operations.trim_start_matches("http://");
    let state = async || {
        let told: Value = serde_json::from_str(&look(&stage, listen, &["--json"]).await.unwrap()).unwrap();
        told["breakers"].as_array().unwrap().iter().find(|one| one["call_center"] == CENTER).unwrap()["state"]
            .clone()
    };
    assert_eq!(state().await, "closed");
    for key in ["wxcc_1", "wxcc_2"] {
        stage.post("createVoiceCall", create(key)).await;
    }
    assert_eq!(state().await, "open", "without another look of the service");
    stage.org.forget_scripts();
}

#[actix_web::test]
async fn each_figure_that_lags_is_told_with_its_age() {
    let stage = Stage::telephony().await;
    let listen = stage.operations.trim_start_matches("http://");
    stage.handle.measure().await;
    let looked_at = stage.handle.outbox().now().to_string();
    stage.wait_seconds(4);
    let page = look(&stage, listen, &[]).await.unwrap();
    for part in ["can be written\n", "\nBreaker\n", "not cleared (4s ago): 0", "\nOutbox (4s ago)"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let told: Value = serde_json::from_str(&look(&stage, listen, &["--json"]).await.unwrap()).unwrap();
    assert_eq!(told["looked_at"]["outbox"], looked_at, "{told}");
    assert_eq!(told["looked_at"]["subscriptions"], Value::Null);
    stage.wait_seconds(60);
    let page = look(&stage, listen, &[]).await.unwrap();
    assert!(page.contains("\nOutbox (1m 4s ago, AND NOT SINCE)"), "{page}");
}

#[actix_web::test]
async fn what_waits_for_a_restart_is_told_also_while_the_newest_configuration_is_refused() {
    let stage = Stage::telephony().await;
    let listen = stage.operations.trim_start_matches("http://");
    assert!(!run(&stage, listen, &[]).await.unwrap().contains("after restart"));
    let text = stage.configuration().replace("workers = 1", "workers = 2");
    stage.configure(&text).await;
    let page = run(&stage, listen, &[]).await.unwrap();
    assert!(page.contains("after restart  server.workers: until then the values before hold\n"), "{page}");
    assert!(page.contains("ready          yes\n"), "{page}");
    stage.configure(&text.replace("workers = 2", "workers = \"two\"")).await;
    let told: Value = serde_json::from_str(&run(&stage, listen, &["--json"]).await.unwrap()).unwrap();
    assert_eq!(told["after_restart"], serde_json::json!(["server.workers"]), "{told}");
    assert_eq!(told["refused"][0]["key"], "server.workers", "{told}");
    let page = run(&stage, listen, &[]).await.unwrap();
    assert!(
        page.contains("THE NEWEST IS REFUSED") && page.contains("\n  refused      server.workers "),
        "{page}"
    );
}

#[actix_web::test]
async fn where_no_service_answers_that_is_said() {
    let stage = Stage::telephony().await;
    let nobody = run(&stage, "127.0.0.1:1", &[]).await.unwrap_err();
    assert!(nobody.starts_with("no service answers at http://127.0.0.1:1/metrics: "), "{nobody}");
    let public = stage.public.trim_start_matches("http://");
    let other = run(&stage, public, &[]).await.unwrap_err();
    assert!(other.contains("is no scv-bridge (HTTP 404): is operations.listen"), "{other}");
    let unset = run(&stage, "127.0.0.1:0", &[]).await.unwrap_err();
    assert!(unset.contains("give it a port"), "{unset}");
}
