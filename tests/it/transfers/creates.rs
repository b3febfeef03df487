//! How a second flow run is told from a repeated create.

use scv_bridge::mock::Operation;
use serde_json::json;

use super::*;
use crate::postgres::Postgres;
use crate::stage::{Reply, at_once, event, webex};
use crate::vendors_flow::filled;

/// The vendor's create, as a flow run sends it that began then.
async fn vendors_create(stage: &Stage, start: &str) -> Reply {
    let variables = json!({
        "NewPhoneContact": { "ANI": "+14693150217", "DNIS": "+18005550100" },
        "SCV_VendorCallKey": "wxcc_1",
        "SCV_CallStartTime": start,
    });
    let (path, content_type, body) = filled("CreateVoiceCall", &variables);
    let request = stage.connector(&path).header("content-type", content_type);
    Reply::of(request.body(body)).await
}

#[actix_web::test]
async fn the_vendors_flow_run_again_for_a_call_that_an_agent_had_makes_a_transfer() {
    for told_by_webhook in [false, true] {
        for plan in [Plan::telephony(), Plan::apex()] {
            let stage = plan.sections(&webex("")).start().await;
            let mut ids = Vec::new();
            for start in ["2026-11-21T09:58:00.123456Z[UTC]", "2026-11-21T10:03:00.5Z[UTC]"] {
                for _repetition in 0..2 {
                    let reply = vendors_create(&stage, start).await;
                    ids.push(reply.data()["voiceCallId"].as_str().unwrap().to_owned());
                }
                if told_by_webhook {
                    stage.tell([event("task:connected", "1", -60)]).await;
                } else {
                    stage.post("agentAnswered", answered("wxcc_1", "2026-11-21T09:59:00Z", "")).await.data();
                }
            }
            assert_eq!((&ids[0], &ids[2]), (&ids[1], &ids[3]));
            assert_ne!(ids[0], ids[2]);
            assert_continues(&stage, &ids[2], &ids[0]);
            assert_eq!(record(&stage, &ids[0]).call_type.as_deref(), Some("Inbound"));
            assert_eq!(stage.asked(Operation::Create).len(), 2);
        }
    }
}

#[actix_web::test]
async fn a_parents_interaction_makes_a_transfer_whatever_the_method_and_stays_here() {
    for stage in Stage::both().await {
        let parent = stage.call("wxcc_parent").await;
        for (key, more) in [
            ("wxcc_1", json!({ "parentInteractionId": "parent" })),
            ("wxcc_2", json!({ "parentInteractionId": "parent", "initiationMethod": "Transfer" })),
            ("wxcc_3", json!({ "parentInteractionId": "parent", "initiationMethod": "" })),
            ("wxcc_4", json!({ "parentInteractionId": "parent", "parentVoiceCallId": parent })),
            ("wxcc_5", json!({ "parentInteractionId": "parent", "parentVoiceCallId": "wxcc_parent" })),
        ] {
            let body = with(with(create(key), json!({ "queue": "Sales" })), more);
            let id = created(&stage, body.clone()).await;
            assert_continues(&stage, &id, &parent);
            assert_eq!(record(&stage, &id).queue_name.as_deref(), Some("Sales"));
            assert_eq!(created(&stage, body).await, id);
        }
        let sent = stage.sent(Operation::Create);
        assert_eq!(sent.len(), 6);
        assert!(sent.iter().all(|body| body.get("parentInteractionId").is_none()));
        assert!(sent[1..].iter().all(|body| body["parentVoiceCallId"] == parent.as_str()));
    }
}

#[actix_web::test]
async fn an_empty_parents_interaction_is_left_out_and_another_call_beside_it_refused() {
    let stage = Stage::telephony().await;
    let id = created(&stage, with(create("wxcc_1"), json!({ "parentInteractionId": "" }))).await;
    assert_eq!(record(&stage, &id).call_type.as_deref(), Some("Inbound"));
    let both = json!({ "parentInteractionId": "1", "parentVoiceCallId": "wxcc_0" });
    let reply = stage.post("createVoiceCall", with(create("wxcc_2"), both)).await;
    assert_eq!(
        reply.error(400),
        "parentInteractionId: another call than that of parentVoiceCallId; send one of the two"
    );
    let wrong = json!({ "parentInteractionId": "a\nb", "initiationMethod": "Conference" });
    let reply = stage.post("createVoiceCall", with(create("wxcc_2"), wrong)).await;
    assert_eq!(reply.errors(400).len(), 2);
    let unknown = json!({ "parentInteractionId": "elsewhere" });
    stage.post("createVoiceCall", with(create("wxcc_2"), unknown)).await.error(422);
    assert_eq!(stage.refusals().len(), 1, "Salesforce may know a parent that the bridge does not");
}

#[actix_web::test]
async fn a_parent_that_is_the_own_interaction_means_an_earlier_flow_run() {
    let stage = Stage::telephony().await;
    let own = json!({ "parentInteractionId": "1" });
    let first = created(&stage, with(create("wxcc_1"), own.clone())).await;
    assert_eq!(record(&stage, &first).call_type.as_deref(), Some("Inbound"), "there was none");
    assert_eq!(created(&stage, with(create("wxcc_1"), own.clone())).await, first);
    let second = created(&stage, with(later("wxcc_1", SECOND), own.clone())).await;
    assert_continues(&stage, &second, &first);
    assert_eq!(created(&stage, with(later("wxcc_1", SECOND), own)).await, second);
}

#[actix_web::test]
async fn a_transfer_without_a_parent_continues_the_newest_voice_call_of_its_key() {
    for stage in Stage::both().await {
        let transfer = json!({ "initiationMethod": "Transfer" });
        let first = stage.call("wxcc_1").await;
        // By the flow's word, also without an agent, and with the time at which the caller dialed.
        let second = created(&stage, with(create("wxcc_1"), transfer.clone())).await;
        assert_continues(&stage, &second, &first);
        assert_eq!(created(&stage, with(create("wxcc_1"), transfer.clone())).await, second);
        let by_key = json!({ "initiationMethod": "Transfer", "parentVoiceCallId": "wxcc_1" });
        let third = created(&stage, with(later("wxcc_1", THIRD), by_key)).await;
        assert_continues(&stage, &third, &second);
        let reply = stage.post("createVoiceCall", with(create("wxcc_2"), transfer)).await;
        assert!(reply.error(400).starts_with("parentVoiceCallId: missing or wrong"));
        assert_eq!(stage.call("wxcc_1").await, first);
        assert_eq!(stage.org.voice_calls().len(), 3);
    }
}

#[actix_web::test]
async fn another_time_without_an_agent_is_the_same_call() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    for start in [SECOND, "2026-11-21T09:00:00Z"] {
        assert_eq!(created(&stage, later("wxcc_1", start)).await, id);
    }
    let elsewhere = with(later("wxcc_1", SECOND), json!({ "to": "+18005550199" }));
    let reply = stage.post("createVoiceCall", elsewhere.clone()).await;
    assert!(reply.error(400).starts_with("vendorCallKey: an earlier call had the same key"));
    // The caller is another flow's now.
    stage.post("agentAnswered", answered("wxcc_1", "2026-11-21T10:01:00Z", AGENT)).await.data();
    let second = created(&stage, elsewhere).await;
    assert_continues(&stage, &second, &id);
    assert_eq!(record(&stage, &second).to_phone_number.as_deref(), Some("18005550199"));
    assert_eq!(created(&stage, later("wxcc_1", "2026-11-21T10:00:30Z")).await, id, "before the agent");
}

#[actix_web::test]
async fn a_call_that_is_over_gets_no_second_voice_call() {
    let stage = Stage::telephony().await;
    let id = taken(&stage, "wxcc_1").await;
    let ended = with(ended("wxcc_1"), json!({ "agentId": AGENT, "voiceCallId": id }));
    assert_eq!(stage.post("phoneContactEnded", ended).await.data()["outcome"], "answered");
    assert_eq!(created(&stage, later("wxcc_1", SECOND)).await, id);
    assert_eq!(stage.org.voice_calls().len(), 1);
}

#[actix_web::test]
async fn a_third_flow_run_continues_the_second() {
    let stage = Stage::telephony().await;
    let first = taken(&stage, "wxcc_1").await;
    let second = created(&stage, later("wxcc_1", SECOND)).await;
    assert_eq!(created(&stage, later("wxcc_1", THIRD)).await, second, "no agent had the second");
    stage.post("agentAnswered", answered("wxcc_1", "2026-11-21T10:05:00Z", "9e1b")).await.data();
    let third = created(&stage, later("wxcc_1", THIRD)).await;
    assert_continues(&stage, &second, &first);
    assert_continues(&stage, &third, &second);
    for (start, id) in [(SECOND, &second), (THIRD, &third), ("2026-11-21T10:00:00.123Z", &first)] {
        assert_eq!(&created(&stage, later("wxcc_1", start)).await, id);
    }
    assert_eq!(stage.org.voice_calls().len(), 3);
}

#[actix_web::test]
async fn a_hundred_creates_of_the_second_run_at_once_make_one_transfer() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let stage = plan.workers(2).start().await;
        let first = taken(&stage, "wxcc_1").await;
        let replies = at_once((0..100).map(|_| stage.flow("createVoiceCall", later("wxcc_1", SECOND)))).await;
        let second = replies[0].data()["voiceCallId"].as_str().unwrap();
        assert!(replies.iter().all(|reply| reply.data()["voiceCallId"] == second));
        assert_continues(&stage, second, &first);
        assert_eq!(stage.org.voice_calls().len(), 2);
    }
}

#[actix_web::test]
async fn replicas_that_get_the_second_run_at_once_make_one_transfer() {
    let database = Postgres::shared().database();
    let one = Plan::telephony().deadline("20s").store(database.clone()).start().await;
    let salesforce = one.org.telephony_url();
    let other = Plan::telephony().replica(2).deadline("20s").store(database).salesforce_at(salesforce);
    let other = other.start().await;
    let first = taken(&one, "wxcc_1").await;
    let requests = (0..50)
        .flat_map(|_| [&one, &other])
        .map(|replica| replica.flow("createVoiceCall", later("wxcc_1", SECOND)));
    let replies = at_once(requests).await;
    let second = replies[0].data()["voiceCallId"].as_str().unwrap();
    assert!(replies.iter().all(|reply| reply.data()["voiceCallId"] == second));
    assert_continues(&one, second, &first);
    assert_eq!(one.org.voice_calls().len(), 2);
    // Its answer at one replica is known to the other.
    other.post("agentAnswered", answered("wxcc_1", "2026-11-21T10:05:00Z", "9e1b")).await.data();
    let third = created(&one, later("wxcc_1", THIRD)).await;
    assert_continues(&one, &third, second);
}

#[actix_web::test]
async fn a_second_run_that_salesforce_refused_leaves_the_first_call_as_it_was() {
    for database in [None, Some(Postgres::shared().database())] {
        let plan = Plan::telephony();
        let stage = database.into_iter().fold(plan, Plan::store).start().await;
        let first = taken(&stage, "wxcc_1").await;
        let refusal = json!({ "errors": ["to: no such number"] });
        stage.script_answer(400, refusal, Operation::Create);
        stage.post("createVoiceCall", later("wxcc_1", SECOND)).await.error(422);
        let ended = with(ended("wxcc_1"), json!({ "agentId": AGENT }));
        assert_eq!(stage.post("phoneContactEnded", ended).await.data()["outcome"], "answered");
        assert_eq!((stage.org.voice_calls().len(), record(&stage, &first).updates), (1, 0));
    }
}
