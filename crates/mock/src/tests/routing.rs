use reqwest::Method;
use serde_json::json;

use super::{Caller, answered, with};
use crate::{Disposition, PhoneChannel};

#[actix_web::test]
async fn the_phone_channel_of_the_dialed_number_wins_over_the_fallback_queue() {
    let channel = PhoneChannel { queue: Some("Support".into()), agent: None };
    let caller = Caller::of(|settings| {
        settings.phone_channels.insert("+14693150000".into(), channel);
        settings.default_queue = None;
    })
    .await;
    caller.create("wxcc_1").await;
    let body = json!({ "dialedNumber": "+14693150000", "fallbackQueue": "Sales" });
    let (_, routed) = caller.patch("/voiceCalls/wxcc_1/omniFlow", &body).await;
    assert_eq!(routed["queue"], "Support");
    let (status, failed) =
        caller.patch("/voiceCalls/wxcc_1/omniFlow", &json!({ "dialedNumber": "+1" })).await;
    assert_eq!((status, failed["errors"].is_array()), (200, true));
}

#[actix_web::test]
async fn clear_routing_takes_the_routing_away_and_answers_without_a_body() {
    let caller = Caller::new().await;
    caller.create("wxcc_1").await;
    caller.patch("/voiceCalls/wxcc_1/omniFlow", &json!({ "dialedNumber": "+1" })).await;
    let clear = || answered(caller.request(Method::PATCH, "/voiceCalls/wxcc_1/clearRouting"));
    assert_eq!(clear().await, (204, json!(null)));
    assert_eq!(clear().await.0, 204);
    let call = caller.org.voice_call("wxcc_1").unwrap();
    assert_eq!((call.pending_routing, call.call_disposition), (None, Disposition::New));
}

#[actix_web::test]
async fn routing_needs_a_voice_call_of_the_tokens_contact_center() {
    let caller = Caller::new().await;
    let body = json!({ "dialedNumber": "+1" });
    assert_eq!(caller.patch("/voiceCalls/wxcc_1/omniFlow", &body).await.0, 404);
    assert_eq!(caller.patch("/voiceCalls/wxcc_1/clearRouting", &json!({})).await.0, 404);
    caller.create("wxcc_1").await;
    let token = super::sign(&with(caller.claims(), "sub", json!("Sandbox")));
    let request = caller
        .http
        .patch(format!("{}/voiceCalls/wxcc_1", caller.org.telephony_url()))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("telephony-provider-name", "webex-contact-center");
    assert_eq!(answered(request.body("{}")).await.0, 404);
}

#[actix_web::test]
async fn an_agent_accepts_and_a_completed_call_cannot_be_accepted() {
    let caller = Caller::new().await;
    let id = caller.create("wxcc_1").await;
    caller.patch("/voiceCalls/wxcc_1/omniFlow", &json!({ "dialedNumber": "+1" })).await;
    assert!(caller.org.agent_accepts(&id, "a@example.com"));
    let call = caller.org.voice_call("wxcc_1").unwrap();
    assert_eq!((call.call_disposition, call.pending_routing), (Disposition::InProgress, None));
    assert_eq!(call.call_accept_date_time.as_deref(), Some("2026-11-21T10:00:00.250Z"));
    caller.patch("/voiceCalls/wxcc_1", &json!({})).await;
    assert!(!caller.org.agent_accepts(&id, "a@example.com"));
    assert!(!caller.org.agent_accepts("wxcc_unknown", "a@example.com"));
}
