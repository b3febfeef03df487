//! The configuration changes while calls come in: nothing is lost, and what is wrong is refused as a whole.

use openssl::sha::sha256;
use reqwest::Method;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{
    CENTER, CERTIFICATE, CONNECTOR, Load, OTHER_CERTIFICATE, Plan, Reply, SECRET, Stage, create, event,
    issued, omni_flow, reference, sign, webex, with,
};

const CONNECTIONS: usize = 4;
/// So many requests are answered between one step of a rotation and the next.
const SOME: usize = 40;

/// Two workers, and as many creates a second as come.
fn under_load(plan: Plan) -> Plan {
    plan.workers(2).sections("[limits]\ncreates_per_second = 100000")
}

fn known(stage: &Stage, names: &[&str]) {
    let certificates: Vec<_> = names.iter().map(|name| issued(name).certificate_pem.as_slice()).collect();
    stage.org.know_certificates(&certificates).unwrap();
}

async fn no_failure(load: Load) {
    load.further(SOME).await;
    let (answered, failures) = load.end().await;
    assert!(failures.is_empty(), "{} of {answered} failed: {:#?}", failures.len(), &failures[..1]);
}

/// As `docs/rotation.md` tells it: Salesforce knows both, the bridge changes, Salesforce forgets the first.
#[actix_web::test]
async fn the_signing_certificate_changes_under_load_and_no_request_is_lost() {
    // The wrapper in the org has a certificate of its own, which does not change.
    let apex = Plan::apex().center(&format!("certificate_in_org = \"{CERTIFICATE}\""));
    for plan in [Plan::telephony(), apex] {
        let stage = under_load(plan).start().await;
        let load = Load::begin(&stage, CONNECTIONS);
        load.further(SOME).await;
        known(&stage, &[CERTIFICATE, OTHER_CERTIFICATE]);
        load.further(SOME).await;
        let from = format!("[call_centers.{CENTER}]\ncertificate = \"{CERTIFICATE}\"");
        let to = format!("[call_centers.{CENTER}]\ncertificate = \"{OTHER_CERTIFICATE}\"");
        stage.change(&from, &to).await;
        load.further(SOME).await;
        known(&stage, &[OTHER_CERTIFICATE]);
        stage.org.revoke_sessions();
        no_failure(load).await;
        // The stage fails if the org has refused anything but sessions that it had revoked.
        let refusals = stage.refusals();
        assert!(refusals.iter().all(|refusal| refusal.operation != Operation::Token), "{refusals:?}");
    }
}

#[actix_web::test]
async fn the_next_certificate_signs_from_its_moment_on_and_no_request_is_lost() {
    let next = format!(
        "next_certificate = \"{OTHER_CERTIFICATE}\"\nnext_certificate_from = 2026-11-21T10:01:00+00:00"
    );
    let stage = under_load(Plan::telephony().center(&next)).start().await;
    known(&stage, &[CERTIFICATE, OTHER_CERTIFICATE]);
    let load = Load::begin(&stage, CONNECTIONS);
    load.further(SOME).await;
    stage.wait_seconds(60);
    load.further(SOME).await;
    known(&stage, &[OTHER_CERTIFICATE]);
    no_failure(load).await;
    // Flows name the certificate in each request: that is the contact center's, whichever it is now.
    let named = json!({ "certDevName": CERTIFICATE });
    stage.post("executeOmniFlow", with(omni_flow("wxcc_load_0_0"), named)).await.data();
}

#[actix_web::test]
async fn until_its_moment_the_next_certificate_signs_nothing() {
    let next = format!(
        "next_certificate = \"{OTHER_CERTIFICATE}\"\nnext_certificate_from = \"2026-11-21T10:01:00Z\""
    );
    for plan in [Plan::telephony(), Plan::apex()] {
        let stage = plan.center(&next).sections("[session]\nkeep = \"1m\"").start().await;
        stage.wait_seconds(59);
        stage.call("wxcc_1").await;
        known(&stage, &[OTHER_CERTIFICATE]);
        stage.wait_seconds(61);
        stage.call("wxcc_2").await;
    }
}

#[actix_web::test]
async fn a_secret_changes_under_load_and_no_request_is_lost() {
    let stage = under_load(Plan::telephony()).start().await;
    let load = Load::begin(&stage, CONNECTIONS);
    load.further(SOME).await;
    let digest = |secret: &str| -> String {
        sha256(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let (id, old) = CONNECTOR;
    let new = "s3cret-of-2027";
    let [before, after] = [old, new].map(|secret| format!("\nsecret_sha256 = \"{}\"", digest(secret)));
    let previous = before.replace("secret_sha256", "previous_secret_sha256");
    stage.change(&before, &format!("{after}{previous}")).await;
    load.further(SOME).await;
    load.use_credentials(id, new);
    // Each flow has at most one request under way, which may carry the earlier one.
    load.further(SOME.max(2 * CONNECTIONS)).await;
    stage.change(&previous, "").await;
    no_failure(load).await;
    stage.post("createVoiceCall", create("wxcc_1")).await.error(401);
}

/// As `docs/rotation.md` tells it for webhooks: both secrets, the subscription changes, the old one goes.
#[actix_web::test]
async fn the_secret_of_webhooks_changes_without_a_restart() {
    let next = "another-s3cret-of-the-subscription";
    let [old, both, new] = [
        format!("webhook_secrets = [\"{SECRET}\"]"),
        format!("webhook_secrets = [\"{SECRET}\", \"{next}\"]"),
        format!("webhook_secrets = [\"{next}\"]"),
    ];
    let stage = Plan::telephony().sections(&webex("")).start().await;
    let body = event("task:new", "7f9c1a52-0000-4000-8000-000000000001", 0).to_string();
    let told = async |secret: &str| {
        let request =
            stage.request(Method::POST, "/webhooks/wxcc").header("content-type", "application/json");
        let signed = request.header("X-WebexCC-Signature", sign(secret, body.as_bytes()));
        Reply::of(signed.body(body.clone())).await.status
    };
    assert_eq!([told(SECRET).await, told(next).await], [200, 401]);
    stage.change(&old, &both).await;
    assert_eq!([told(SECRET).await, told(next).await], [200, 200]);
    stage.change(&both, &new).await;
    assert_eq!([told(SECRET).await, told(next).await], [401, 200]);
}

#[actix_web::test]
async fn a_bad_version_is_refused_as_a_whole_and_told() {
    let stage = Stage::telephony().await;
    let good = stage.configuration();
    let bad = good.replace("org_id = \"00D000000000001EAA\"", "org_id = \"00D1\"");
    let bad = bad.replace(CONNECTOR.0, "someone-else").replace("[store]", "[stroe]");
    let reread = stage.configure(&bad).await;
    let keys: Vec<_> = reread.problems.iter().map(|problem| problem.key.as_str()).collect();
    assert!(keys.contains(&"stroe") && keys.iter().any(|key| key.ends_with(".org_id")), "{keys:?}");
    stage.call("wxcc_1").await;
    let ready = stage.ask("/readyz").await;
    assert_eq!((ready.status, &ready.body["status"]), (200, &json!("ready")));
    assert_eq!(ready.body["configuration"]["status"], "refused");
    let told = ready.body["configuration"]["problems"].as_array().unwrap();
    assert_eq!(told.len(), reread.problems.len());
    assert!(told.iter().all(|problem| problem["key"].is_string() && problem["hint"].is_string()));
    let read = |result: &str| format!("scv_bridge_configuration_reads_total{{result=\"{result}\"}}");
    assert_eq!(stage.metric(&read("refused")).await.as_deref(), Some("1"));
    assert_eq!(stage.metric("scv_bridge_configuration_current").await.as_deref(), Some("0"));

    assert!(stage.configure(&good).await.problems.is_empty());
    assert_eq!(stage.ask("/readyz").await.body["configuration"]["status"], "current");
    assert_eq!(stage.metric(&read("accepted")).await.as_deref(), Some("1"));
    assert_eq!(stage.metric("scv_bridge_configuration_current").await.as_deref(), Some("1"));
}

#[actix_web::test]
async fn what_takes_a_restart_is_told_and_the_rest_runs() {
    let stage = Stage::telephony().await;
    let text = stage.configuration().replace("workers = 1", "workers = 2");
    let reread = stage
        .configure(&format!("{text}\n[logs]\nlevel = \"error\"\n[deadlines]\nclear_routing = \"1s\""))
        .await;
    assert_eq!(reread.after_restart, ["server.workers", "logs.level"]);
    assert!(reread.problems.is_empty());
    let ready = stage.ask("/readyz").await.body;
    let wanted =
        json!({ "status": "current", "problems": [], "after_restart": ["server.workers", "logs.level"] });
    assert_eq!(ready["configuration"], wanted);
    assert_eq!(stage.handle.settings().deadlines.clear_routing.as_secs(), 1);
}

#[actix_web::test]
async fn the_outbox_delivers_by_the_new_configuration() {
    let gone = "http://127.0.0.1:9/telephony/v1";
    let stage = Plan::telephony().salesforce_at(gone).start().await;
    let update = json!({ "endTime": "2026-11-21T10:03:00Z" });
    let kept = stage.post("updateVoiceCall", with(reference("wxcc_1"), update)).await;
    assert_eq!(kept.data()["status"], "pending");
    stage.change(gone, &stage.org.telephony_url()).await;
    stage.deliver(3600).await;
    stage.asked_once(Operation::Update);
}

#[actix_web::test]
async fn a_request_ends_under_the_configuration_that_it_began_with() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Slow { milliseconds: 2000 }, Operation::Create);
    let slow = tokio::spawn(Reply::of(stage.flow("createVoiceCall", create("wxcc_1"))));
    while stage.asked(Operation::Create).is_empty() {
        tokio::task::yield_now().await;
    }
    stage.change(CONNECTOR.0, "someone-else").await;
    slow.await.unwrap().data();
    stage.post("createVoiceCall", create("wxcc_2")).await.error(401);
}
