use serde_json::json;

use super::apex::session;
use super::{Answered, Caller, answered};
use crate::Operation;

async fn ask(caller: &Caller, session: &str, soql: &str) -> Answered {
    let mut url = url::Url::parse(&caller.org.url()).unwrap().join("/services/data/v60.0/query").unwrap();
    url.query_pairs_mut().append_pair("q", soql);
    answered(caller.http.get(url).header("authorization", format!("Bearer {session}"))).await
}

fn soql(condition: &str) -> String {
    format!("SELECT CallAcceptDateTime, CallDisposition FROM VoiceCall WHERE {condition}")
}

#[actix_web::test]
async fn a_query_finds_a_call_by_either_form_of_its_id_and_by_its_key() {
    let caller = Caller::new().await;
    let session = session(&caller).await;
    let id = caller.create("it's").await;
    assert!(caller.org.agent_accepts(&id, "agent@example.com"));
    let url = format!("/services/data/v60.0/sobjects/VoiceCall/{id}");
    let record = json!({
        "attributes": { "type": "VoiceCall", "url": url },
        "CallAcceptDateTime": "2026-11-21T10:00:00.250+0000",
        "CallDisposition": "in-progress",
    });
    for condition in [
        format!("Id = '{id}'"),
        format!("Id = '{}'", id.get(..15).unwrap()),
        r"VendorCallKey = 'it\'s'".into(),
    ] {
        let (status, body) = ask(&caller, &session, &soql(&condition)).await;
        assert_eq!(status, 200);
        assert_eq!(body, json!({ "totalSize": 1, "done": true, "records": [record] }), "{condition}");
    }
    let (_, body) = ask(&caller, &session, &soql("VendorCallKey = 'other'")).await;
    assert_eq!(body, json!({ "totalSize": 0, "done": true, "records": [] }));
}

#[actix_web::test]
async fn a_key_of_two_records_gives_both() {
    let caller = Caller::new().await;
    let session = session(&caller).await;
    caller.create("wxcc_1").await;
    caller.create("wxcc_1").await;
    let (_, body) = ask(&caller, &session, &soql("VendorCallKey = 'wxcc_1'")).await;
    assert_eq!(body["totalSize"], 2);
    assert_eq!(body["records"][0]["CallAcceptDateTime"], json!(null));
    assert_eq!(body["records"][1]["CallDisposition"], "new");
}

#[actix_web::test]
async fn who_has_no_session_or_no_query_is_refused_in_the_shape_of_the_rest_api() {
    let caller = Caller::new().await;
    let session = session(&caller).await;
    for (session, soql, status, code) in [
        ("none", soql("Id = '0LQRM0000000001'"), 401, "INVALID_SESSION_ID"),
        (&session, soql("Id = 'it'"), 400, "INVALID_QUERY_FILTER_OPERATOR"),
        (&session, soql("Id = 'it"), 400, "MALFORMED_QUERY"),
        (&session, "SELECT Id FROM Secret WHERE Id = ''".into(), 400, "INVALID_TYPE"),
    ] {
        let (answered, body) = ask(&caller, session, &soql).await;
        assert_eq!((answered, &body[0]["errorCode"]), (status, &json!(code)));
        assert!(body[0]["message"].is_string());
    }
    let bare = caller.http.get(format!("{}/services/data/v60.0/query", caller.org.url()));
    assert_eq!(answered(bare.header("authorization", format!("Bearer {session}"))).await.0, 400);
    assert_eq!(
        answered(caller.http.post(format!("{}/services/data/v60.0/query", caller.org.url()))).await.0,
        405
    );
    let refusals = caller.org.refusals();
    assert!(refusals.iter().all(|refusal| refusal.operation == Operation::Query), "{refusals:?}");
    assert_eq!(refusals.len(), 6);
}
