//! ask_salesforce: the VoiceCall itself is asked whether an agent had the call, before an abandonment is sent.

use scv_bridge::mock::{BadDay, Disposition, Operation, VoiceCall};
use scv_bridge::store::{Entry, Filter};
use serde_json::{Value, json};

use crate::stage::{CENTER, Plan, Reply, Stage, create, ended, omni_flow, reference, with};

const NOTHING: BadDay = BadDay::Unavailable { retry_after: None };

fn plans() -> [Plan; 2] {
    [Plan::telephony().ask_salesforce(), Plan::apex().ask_salesforce()]
}

/// What was asked of the org after the last `forget_requests`, logins apart.
fn operations(stage: &Stage) -> Vec<Operation> {
    let asked = stage.org.requests().into_iter().map(|request| request.operation);
    asked.filter(|one| *one != Operation::Token).collect()
}

/// The queries that reached the org.
fn queries(stage: &Stage) -> Vec<String> {
    let text = |path: String| {
        let url = url::Url::parse(&format!("http://org{path}")).unwrap();
        url.query_pairs().find(|(name, _)| name == "q").unwrap().1.into_owned()
    };
    stage.asked(Operation::Query).into_iter().map(|request| text(request.path)).collect()
}

/// A call that waits in a queue; what was asked so far is forgotten.
async fn waiting(stage: &Stage, key: &str) -> String {
    let id = stage.call(key).await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    stage.org.forget_requests();
    id
}

/// A call that an agent took, of which the bridge has heard nothing.
async fn taken(stage: &Stage, key: &str) -> VoiceCall {
    let id = waiting(stage, key).await;
    assert!(stage.org.agent_accepts(&id, "agent@example.com"));
    stage.org.voice_call(&id).unwrap()
}

async fn hang_up(stage: &Stage, key: &str) -> Reply {
    stage.post("phoneContactEnded", ended(key)).await
}

fn assert_outcome(reply: &Reply, outcome: &str, status: &str) {
    assert_eq!(reply.data(), &json!({ "outcome": outcome, "status": status }));
}

fn assert_abandoned(stage: &Stage, id: &str) {
    let call = stage.org.voice_call(id).unwrap();
    assert_eq!(call.call_disposition, Disposition::Completed);
    assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
    assert_eq!((call.pending_routing, call.updates), (None, 1));
}

/// Waits until so many entries of the outbox are like this: nobody else waits for how an attempt ended.
async fn until(stage: &Stage, count: usize, is: impl Fn(&Entry) -> bool) {
    for _ in 0..10_000 {
        let entries = stage.handle.outbox().store().list(&Filter::default()).await.unwrap();
        if entries.iter().filter(|entry| is(entry)).count() == count {
            return;
        }
        tokio::task::yield_now().await;
    }
    unreachable!("the entries do not get there");
}

#[actix_web::test]
async fn a_call_that_the_record_says_was_answered_is_left_alone_though_the_flow_says_nothing() {
    for plan in plans() {
        let stage = plan.start().await;
        let before = taken(&stage, "wxcc_1").await;
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "answered", "Success");
        assert_eq!(operations(&stage), [Operation::Query]);
        let soql = "SELECT CallAcceptDateTime, CallDisposition FROM VoiceCall WHERE Id = ";
        assert_eq!(queries(&stage), [format!("{soql}'{}'", before.id)]);
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "duplicate", "Success");
        assert_eq!(operations(&stage), [Operation::Query], "it is known now");
        assert_eq!(stage.org.voice_call("wxcc_1").unwrap(), before);
    }
}

#[actix_web::test]
async fn a_call_that_the_record_says_nobody_took_is_abandoned() {
    for plan in plans() {
        let stage = plan.start().await;
        let id = waiting(&stage, "wxcc_1").await;
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "abandoned", "Success");
        assert_eq!(operations(&stage), [Operation::Query, Operation::ClearRouting, Operation::Update]);
        assert_abandoned(&stage, &id);
    }
}

#[actix_web::test]
async fn a_call_whose_id_nobody_knows_is_asked_by_its_key() {
    for plan in plans() {
        let stage = plan.start().await;
        let key = r"wxcc_it's \ 100%";
        stage.script(BadDay::DropConnection { after_work: true }, Operation::Create);
        stage.post("createVoiceCall", create(key)).await.error(503);
        assert!(stage.org.agent_accepts(key, "agent@example.com"));
        let before = stage.org.voice_call(key).unwrap();
        assert_outcome(&hang_up(&stage, key).await, "answered", "Success");
        assert!(queries(&stage)[0].ends_with(r"WHERE VendorCallKey = 'wxcc_it\'s \\ 100%'"));
        assert_eq!(stage.org.voice_call(key).unwrap(), before);
    }
}

#[actix_web::test]
async fn a_call_without_a_record_is_logged_by_its_hang_up() {
    for plan in plans() {
        let stage = plan.start().await;
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "abandoned", "Success");
        assert_eq!(stage.refusals().len(), 1, "there was no routing to clear");
        assert!(stage.org.voice_call("wxcc_1").unwrap().created_by_update);
    }
}

#[actix_web::test]
async fn what_the_bridge_knows_already_is_not_asked() {
    for plan in plans() {
        let stage = plan.start().await;
        waiting(&stage, "wxcc_1").await;
        let reply =
            stage.post("phoneContactEnded", with(ended("wxcc_1"), json!({ "agentId": "7d6a" }))).await;
        assert_outcome(&reply, "answered", "Success");
        assert_eq!(operations(&stage), []);
    }
}

#[actix_web::test]
async fn nobody_asks_where_it_is_not_wanted() {
    for stage in Stage::both().await {
        let before = taken(&stage, "wxcc_1").await;
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "abandoned", "Success");
        assert_eq!(operations(&stage), [Operation::ClearRouting, Operation::Update]);
        assert_ne!(stage.org.voice_call("wxcc_1").unwrap(), before);
    }
}

#[actix_web::test]
async fn a_session_that_has_ended_is_renewed_once() {
    for plan in plans() {
        let stage = plan.start().await;
        hang_up(&stage, "wxcc_1").await.data();
        let before = taken(&stage, "wxcc_2").await;
        stage.org.revoke_sessions();
        assert_outcome(&hang_up(&stage, "wxcc_2").await, "answered", "Success");
        assert_eq!(operations(&stage), [Operation::Query, Operation::Query]);
        assert_eq!(stage.asked(Operation::Token).len(), 1, "one login since");
        assert_eq!(stage.refusals().last().map(|refusal| refusal.status), Some(401));
        assert_eq!(stage.org.voice_call("wxcc_2").unwrap(), before);
    }
}

#[actix_web::test]
async fn a_query_without_an_answer_leaves_the_hang_up_to_the_outbox_within_the_deadline() {
    for plan in plans() {
        let stage = plan.deadline("600ms").start().await;
        let before = taken(&stage, "wxcc_1").await;
        let id = waiting(&stage, "wxcc_2").await;
        stage.script_times(BadDay::NeverAnswers, 2, Operation::Query);
        for key in ["wxcc_1", "wxcc_2"] {
            assert_outcome(&hang_up(&stage, key).await, "abandoned", "pending");
        }
        assert_eq!(operations(&stage), [Operation::Query; 2]);
        stage.deliver(2).await;
        assert_eq!(stage.org.voice_call("wxcc_1").unwrap(), before);
        assert_abandoned(&stage, &id);
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "duplicate", "Success");
    }
}

#[actix_web::test]
async fn nothing_is_sent_until_salesforce_could_be_asked() {
    for plan in plans() {
        let stage = plan.start().await;
        let id = waiting(&stage, "wxcc_1").await;
        stage.script_times(NOTHING, 2, Operation::Query);
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "abandoned", "pending");
        until(&stage, 2, |entry| entry.attempts == 1).await;
        stage.wait_seconds(2);
        stage.handle.worker().step().await.unwrap();
        until(&stage, 1, |entry| entry.attempts == 2).await;
        assert_eq!(operations(&stage), [Operation::Query; 2]);
        stage.deliver(10).await;
        assert_abandoned(&stage, &id);
    }
}

#[actix_web::test]
async fn a_user_who_may_not_see_the_record_is_no_sign_of_an_abandonment() {
    let refused =
        json!([{ "message": "sObject type 'VoiceCall' is not supported.", "errorCode": "INVALID_TYPE" }]);
    let hidden = json!({ "totalSize": 0, "done": true, "records": [] });
    let look = "may the user of the OAuth session read VoiceCall, its fields and all its records?";
    for (status, answer) in [(400, refused), (200, hidden)] {
        let stage = Plan::telephony().ask_salesforce().start().await;
        let before = taken(&stage, "wxcc_1").await;
        stage.script_answer(status, answer, Operation::Query);
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "abandoned", "pending");
        let said = |entry: &Entry| entry.last_words.as_ref().is_some_and(|words| words.ends_with(look));
        until(&stage, 2, said).await;
        stage.deliver(2).await;
        assert_eq!(stage.org.voice_call("wxcc_1").unwrap(), before);
    }
}

#[actix_web::test]
async fn a_rest_api_that_is_down_keeps_nobody_from_the_telephony_api() {
    let stage = Plan::telephony().ask_salesforce().start().await;
    stage.script_times(NOTHING, 5, Operation::Token);
    for n in 0..6 {
        assert_outcome(&hang_up(&stage, &format!("wxcc_{n}")).await, "abandoned", "pending");
    }
    assert_eq!(stage.asked(Operation::Token).len(), 5, "then it is left alone for a moment");
    stage.call("wxcc_7").await;
}

/// What the vendor's unchanged event flow sends for every call that ends.
async fn vendors_hang_up(stage: &Stage, id: &str) {
    stage.post("clearRouting", reference(id)).await.data();
    let reason = json!({ "disconnectReason": { "value": "Abandoned in queue", "isError": false } });
    stage.post("updateVoiceCall", with(reference(id), reason)).await.data();
}

#[actix_web::test]
async fn the_vendors_unchanged_flow_alone_leaves_an_answered_call_untouched() {
    for plan in plans() {
        let stage = plan.start().await;
        let before = taken(&stage, "wxcc_1").await;
        vendors_hang_up(&stage, &before.id).await;
        assert_eq!(operations(&stage), [Operation::Query], "the second time it is known");
        assert_eq!(stage.org.voice_call("wxcc_1").unwrap(), before);
        let id = waiting(&stage, "wxcc_2").await;
        vendors_hang_up(&stage, &id).await;
        assert_abandoned(&stage, &id);
    }
}

#[actix_web::test]
async fn what_the_vendors_flow_sends_unasked_waits_for_an_answer_too() {
    for plan in plans() {
        let stage = plan.start().await;
        let before = taken(&stage, "wxcc_1").await;
        stage.script(NOTHING, Operation::Query);
        vendors_hang_up(&stage, &before.id).await;
        stage.deliver(2).await;
        assert_eq!(stage.org.voice_call("wxcc_1").unwrap(), before);
    }
}

#[actix_web::test]
async fn without_the_guard_a_flow_is_not_asked_about() {
    let stage = Plan::telephony().ask_salesforce().center("abandonment.guard = false").start().await;
    let before = taken(&stage, "wxcc_1").await;
    vendors_hang_up(&stage, &before.id).await;
    assert_eq!(operations(&stage), [Operation::ClearRouting, Operation::Update]);
}

#[actix_web::test]
async fn an_agent_who_is_heard_of_late_is_in_time_for_what_still_waits() {
    for stage in Stage::both().await {
        let before = taken(&stage, "wxcc_1").await;
        for operation in [Operation::ClearRouting, Operation::Update] {
            stage.script(NOTHING, operation);
        }
        assert_outcome(&hang_up(&stage, "wxcc_1").await, "abandoned", "pending");
        let answered: Value =
            json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1", "agentId": "7d6a" });
        stage.post("agentAnswered", answered).await.data();
        stage.deliver(2).await;
        assert_eq!(stage.org.voice_call("wxcc_1").unwrap(), before);
    }
}
