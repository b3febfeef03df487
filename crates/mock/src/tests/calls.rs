use reqwest::Method;
use serde_json::json;

use super::{CENTER, Caller, create_body, with};
use crate::{Disposition, RepeatedCreate};

#[actix_web::test]
async fn a_created_call_is_found_by_both_forms_of_its_id_and_by_its_key() {
    let caller = Caller::new().await;
    let id = caller.create("wxcc/ä 1?").await;
    let call = caller.org.voice_call(&id).unwrap();
    assert_eq!(call.call_disposition, Disposition::New);
    assert_eq!(call.attributes["Service__c"], "New Lead");
    let active = json!({ "isActiveCall": true });
    for path in [&id, id.get(..15).unwrap(), "wxcc%2F%C3%A4%201%3F"] {
        let (status, answer) = caller.patch(&format!("/voiceCalls/{path}"), &active).await;
        assert_eq!((status, answer), (200, json!({ "status": "pending" })), "{path}");
    }
    assert_eq!(caller.org.voice_call("wxcc/ä 1?").unwrap().updates, 3);
    assert_eq!(caller.patch(&format!("/voiceCalls/{}", id.to_lowercase()), &active).await.0, 200);
    assert_eq!(caller.org.voice_calls().len(), 2, "an id in the wrong case is a key of its own");
}

#[actix_web::test]
async fn an_update_without_is_active_call_ends_the_call_and_its_routing() {
    let caller = Caller::new().await;
    caller.create("wxcc_1").await;
    let (_, routed) = caller
        .patch("/voiceCalls/wxcc_1/omniFlow", &json!({ "dialedNumber": "+1", "fallbackQueue": "Sales" }))
        .await;
    assert_eq!(routed, json!({ "agent": null, "queue": "Sales" }));
    caller.patch("/voiceCalls/wxcc_1", &json!({ "isActiveCall": true, "agent": "a@example.com" })).await;
    let call = caller.org.voice_call("wxcc_1").unwrap();
    assert_eq!(call.pending_routing.unwrap().queue.unwrap(), "Sales");
    caller
        .patch(
            "/voiceCalls/wxcc_1",
            &json!({
                "startTime": "2026-11-21T10:00:00.000Z",
                "endTime": "2026-11-21T10:01:30.500Z",
                "disconnectReason": { "value": "Abandoned in queue", "isError": true },
            }),
        )
        .await;
    let call = caller.org.voice_call("wxcc_1").unwrap();
    assert_eq!((call.call_disposition, call.pending_routing), (Disposition::Completed, None));
    assert_eq!(call.call_duration_in_seconds, Some(90));
    assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
}

#[actix_web::test]
async fn the_duration_is_computed_only_if_start_and_end_come_together() {
    let caller = Caller::new().await;
    caller.create("wxcc_1").await;
    caller.patch("/voiceCalls/wxcc_1", &json!({ "endTime": "2026-11-21T10:01:30Z" })).await;
    let call = caller.org.voice_call("wxcc_1").unwrap();
    assert_eq!(call.call_end_date_time.as_deref(), Some("2026-11-21T10:01:30.000Z"));
    assert_eq!(call.call_duration_in_seconds, None);
}

#[actix_web::test]
async fn a_second_update_overwrites_holds_it_leaves_out_with_zero() {
    let caller = Caller::new().await;
    caller.create("wxcc_1").await;
    caller.patch("/voiceCalls/wxcc_1", &json!({ "numberOfHolds": 2, "totalHoldDuration": 9 })).await;
    let holds = caller.org.voice_call("wxcc_1").unwrap().holds;
    assert_eq!((holds.number_of_holds, holds.longest_hold_duration), (Some(2), None));
    caller.patch("/voiceCalls/wxcc_1", &json!({ "totalHoldDuration": 11 })).await;
    let holds = caller.org.voice_call("wxcc_1").unwrap().holds;
    assert_eq!((holds.number_of_holds, holds.total_hold_duration), (Some(0), Some(11)));
}

#[actix_web::test]
async fn an_update_for_an_unknown_key_makes_the_record_but_for_an_unknown_id_does_not() {
    let caller = Caller::new().await;
    let body = json!({
        "callCenterApiName": CENTER, "initiationMethod": "INBOUND", "toNumber": "1", "fromNumber": "2",
        "startTime": "2026-11-21T10:00:00Z", "endTime": "2026-11-21T10:00:09Z",
    });
    assert_eq!(caller.patch("/voiceCalls/wxcc_missed", &body).await.0, 200);
    let call = caller.org.voice_call("wxcc_missed").unwrap();
    assert_eq!((call.created_by_update, call.missing_when_created.len()), (true, 0));
    assert_eq!(call.call_disposition, Disposition::Completed);
    let lower = with(body.clone(), "initiationMethod", json!("Inbound"));
    assert_eq!(caller.patch("/voiceCalls/wxcc_lower", &lower).await.0, 400);
    assert_eq!(caller.patch("/voiceCalls/0LQRM0000000001", &body).await.0, 404);
    caller.patch("/voiceCalls/wxcc_sparse", &json!({ "endTime": "2026-11-21T10:00:09Z" })).await;
    assert_eq!(caller.org.voice_call("wxcc_sparse").unwrap().missing_when_created.len(), 5);
}

#[actix_web::test]
async fn an_org_may_want_every_field_of_an_update_that_makes_the_record() {
    let caller = Caller::of(|settings| settings.upsert_needs_every_field = true).await;
    let (status, answer) = caller.patch("/voiceCalls/wxcc_1", &json!({})).await;
    assert_eq!((status, answer["errors"].as_array().unwrap().len()), (400, 6));
}

#[actix_web::test]
async fn a_transfer_needs_a_parent_that_exists() {
    let caller = Caller::new().await;
    let transfer = with(create_body("wxcc_2"), "initiationMethod", json!("Transfer"));
    let transfer = with(with(transfer, "parentVoiceCallId", json!("wxcc_1")), "queue", json!("Sales"));
    assert_eq!(caller.post("/voiceCalls", &transfer).await.0, 400);
    let parent = caller.create("wxcc_1").await;
    assert_eq!(caller.post("/voiceCalls", &transfer).await.0, 201);
    let call = caller.org.voice_call("wxcc_2").unwrap();
    assert_eq!((call.previous_call_id, call.queue_name.as_deref()), (Some(parent), Some("Sales")));
}

#[actix_web::test]
async fn a_repeated_create_makes_a_second_record_unless_the_org_knows_better() {
    let caller = Caller::new().await;
    assert_ne!(caller.create("wxcc_1").await, caller.create("wxcc_1").await);
    let older = Caller::of(|settings| settings.repeated_create = RepeatedCreate::SameId).await;
    assert_eq!(older.create("wxcc_1").await, older.create("wxcc_1").await);
    let strict = Caller::of(|settings| settings.repeated_create = RepeatedCreate::Refused).await;
    strict.create("wxcc_1").await;
    assert_eq!(strict.post("/voiceCalls", &create_body("wxcc_1")).await.0, 400);
}

#[actix_web::test]
async fn the_create_above_the_limit_of_a_second_is_refused_with_a_retry_after() {
    let caller = Caller::of(|settings| settings.creates_per_second = Some(2)).await;
    caller.create("wxcc_1").await;
    caller.create("wxcc_2").await;
    let request = caller.request(Method::POST, "/voiceCalls").body(create_body("wxcc_3").to_string());
    let answer = request.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    caller.clock.advance(std::time::Duration::from_secs(1));
    caller.create("wxcc_3").await;
}

#[actix_web::test]
async fn the_oldest_calls_go_when_there_are_too_many() {
    let caller = Caller::of(|settings| settings.keep_voice_calls = 2).await;
    for key in ["wxcc_1", "wxcc_2", "wxcc_3"] {
        caller.create(key).await;
    }
    let keys: Vec<_> = caller.org.voice_calls().into_iter().map(|call| call.vendor_call_key).collect();
    assert_eq!(keys, ["wxcc_2", "wxcc_3"]);
    assert_eq!(caller.org.voice_call("wxcc_1"), None);
}
