use reqwest::Method;
use serde_json::{Value, json};

use super::{Answered, Caller, answered};

async fn page(caller: &Caller, method: Method, page: &str, body: &Value) -> Answered {
    let url = format!("{}/mock/{page}", caller.org.url());
    answered(caller.http.request(method, url).body(body.to_string())).await
}

#[actix_web::test]
async fn the_pages_show_calls_and_script_the_org() {
    let caller = Caller::new().await;
    let script = json!({ "kind": "tooMany", "retryAfter": 3, "times": 1, "on": "omniFlow" });
    assert_eq!(page(&caller, Method::POST, "script", &script).await.0, 200);
    let id = caller.create("wxcc_1").await;
    let flow = json!({ "dialedNumber": "+1" });
    assert_eq!(caller.patch("/voiceCalls/wxcc_1/omniFlow", &flow).await.0, 429);
    assert_eq!(caller.patch("/voiceCalls/wxcc_1/omniFlow", &flow).await.0, 200);
    let (_, calls) = page(&caller, Method::GET, "voiceCalls", &json!({})).await;
    assert_eq!((&calls[0]["Id"], &calls[0]["CallDisposition"]), (&json!(id), &json!("new")));
    assert_eq!(calls[0]["PendingServiceRouting"]["Queue"], "Service");
    let (status, accepted) = page(&caller, Method::POST, "agentAccepts/wxcc_1", &json!({})).await;
    assert_eq!((status, &accepted["CallDisposition"]), (200, &json!("in-progress")));
    assert_eq!(page(&caller, Method::POST, "agentAccepts/wxcc_2", &json!({})).await.0, 404);
}

#[actix_web::test]
async fn a_script_is_shown_and_ended_before_its_time() {
    let caller = Caller::new().await;
    let outage = json!({ "kind": "unavailable", "times": 1000, "on": "omniFlow" });
    page(&caller, Method::POST, "script", &outage).await;
    caller.create("wxcc_1").await;
    let flow = json!({ "dialedNumber": "+1" });
    assert_eq!(caller.patch("/voiceCalls/wxcc_1/omniFlow", &flow).await.0, 503);
    let left = json!([{ "kind": "unavailable", "retryAfter": null, "times": 999, "on": "omniFlow" }]);
    assert_eq!(page(&caller, Method::GET, "script", &json!({})).await, (200, left.clone()));
    assert_eq!(page(&caller, Method::DELETE, "script", &json!({})).await, (200, left));
    assert_eq!(caller.patch("/voiceCalls/wxcc_1/omniFlow", &flow).await.0, 200);
    assert_eq!(page(&caller, Method::GET, "script", &json!({})).await, (200, json!([])));
}

#[actix_web::test]
async fn an_org_that_is_started_anew_gives_no_id_of_the_one_before() {
    let ids = async |first| {
        let caller = Caller::of(|settings| settings.first_record = first).await;
        [caller.create("wxcc_1").await, caller.create("wxcc_2").await]
    };
    let before = ids(1).await;
    assert_eq!(ids(1).await, before, "a test that is repeated sees the same ids");
    let after = ids(1_795_000_000_000).await;
    assert!(after.iter().all(|id| !before.contains(id)), "{before:?} {after:?}");
}

#[actix_web::test]
async fn the_page_of_refusals_names_what_was_wrong() {
    let caller = Caller::new().await;
    caller.post("/voiceCalls", &super::with(super::create_body("wxcc_1"), "to", Value::Null)).await;
    let (_, refusals) = page(&caller, Method::GET, "refusals", &json!({})).await;
    let wanted = json!([{
        "operation": "create", "method": "POST", "path": "/telephony/v1/voiceCalls", "status": 400,
        "reasons": ["to: required"],
    }]);
    assert_eq!(refusals, wanted);
}

#[actix_web::test]
async fn a_script_that_cannot_be_read_is_refused() {
    let caller = Caller::new().await;
    let (status, answer) = page(&caller, Method::POST, "script", &json!({ "kind": "rain" })).await;
    assert_eq!(status, 400, "{answer}");
    assert_eq!(caller.org.scripted(), []);
}

#[actix_web::test]
async fn a_recorded_request_keeps_what_was_on_the_wire_but_shows_no_token() {
    let caller = Caller::new().await;
    caller.create("wxcc_1").await;
    let recorded = caller.org.requests().pop().unwrap();
    assert!(recorded.token.is_some());
    insta::assert_json_snapshot!(recorded, @r#"
    {
      "operation": "create",
      "method": "POST",
      "path": "/telephony/v1/voiceCalls",
      "headers": {
        "accept": "*/*",
        "authorization": "Bearer",
        "content-type": "application/json",
        "telephony-provider-name": "webex-contact-center"
      },
      "body": {
        "callCenterApiName": "WxCCContactCenterSCV",
        "vendorCallKey": "wxcc_1",
        "to": "+14693150000",
        "from": "+14693150217",
        "initiationMethod": "Inbound",
        "startTime": "2026-11-21T10:00:00.000Z",
        "participants": [
          {
            "participantKey": "+14693150217",
            "type": "END_USER"
          }
        ],
        "callAttributes": "{\"Service__c\":\"New Lead\"}"
      },
      "bodyLength": 297,
      "answered": 201
    }
    "#);
    caller.org.forget_requests();
    assert_eq!(caller.org.requests(), []);
}

#[actix_web::test]
async fn an_org_for_measurements_records_refusals_only() {
    let caller = Caller::of(|settings| settings.record = false).await;
    caller.create("wxcc_1").await;
    caller.post("/voiceCalls", &json!({})).await;
    assert_eq!((caller.org.requests().len(), caller.org.refusals().len()), (0, 1));
}
