//! What is answered beside the token, for clients that were written for Salesforce's own endpoint.

use base64::engine::general_purpose::STANDARD;

use super::*;

#[actix_web::test]
async fn an_answer_has_the_fields_of_oauth_and_those_of_salesforce() {
    let stage = stage().await;
    let asked = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT.0),
        ("client_secret", CLIENT.1),
        ("scope", "full refresh_token"),
    ];
    let reply = ask(&stage, &asked).await;
    let body = reply.body.as_object().unwrap();
    let keys: Vec<_> = body.keys().map(String::as_str).collect();
    let expected =
        ["access_token", "token_type", "expires_in", "scope", "instance_url", "id", "issued_at", "signature"];
    assert_eq!(keys, expected);
    assert_eq!(
        (&body["token_type"], &body["expires_in"], &body["scope"]),
        (&json!("Bearer"), &json!(3600), &json!("api"))
    );
    assert_eq!(body["instance_url"], stage.public.as_str());
    assert_eq!(body["id"], format!("{}/id/scv-bridge/connector", stage.public));
    assert_eq!(body["issued_at"], "1795255200250");
}

#[actix_web::test]
async fn the_signature_is_that_of_salesforce_where_the_secret_was_sent() {
    let stage = stage().await;
    let asked = [("grant_type", "client_credentials")];
    let reply = Reply::of(form(&stage, PATHS[1], &asked).basic_auth(CLIENT.0, Some(CLIENT.1))).await;
    let text = |key: &str| reply.body[key].as_str().unwrap().to_owned();
    let key = PKey::hmac(CLIENT.1.as_bytes()).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let expected = signer.sign_oneshot_to_vec(format!("{}{}", text("id"), text("issued_at")).as_bytes());
    assert_eq!(text("signature"), STANDARD.encode(expected.unwrap()));
}

#[actix_web::test]
async fn the_public_url_is_the_instance_and_an_audience() {
    let stage =
        Plan::telephony().public_url("https://bridge.example.com").sections(&oauth_section()).start().await;
    let (id, secret) = crate::stage::CONNECTOR;
    let asked = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let reply = ask(&stage, &asked).await;
    assert_eq!(reply.body["instance_url"], "https://bridge.example.com");
    assert_eq!(reply.body["expires_in"], 1800);
}

fn oauth_section() -> String {
    format!("[oauth]\ntoken_life = \"30m\"\nsigning_key = \"{}\"", "k".repeat(43))
}
