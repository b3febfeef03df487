use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answered, Caller, answered, create_body, credentials, sign, sign_with, with};

async fn create_with_token(caller: &Caller, token: &str) -> Answered {
    let request = caller
        .http
        .post(format!("{}/voiceCalls", caller.org.telephony_url()))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("telephony-provider-name", "webex-contact-center")
        .body(create_body("wxcc_token").to_string());
    answered(request).await
}

async fn refused(caller: &Caller, token: &str) -> String {
    let (status, body) = create_with_token(caller, token).await;
    assert_eq!(status, 401, "{body}");
    assert_eq!(caller.org.voice_calls(), []);
    body[0]["message"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_token_of_three_minutes_is_accepted_again_and_again() {
    let caller = Caller::new().await;
    let token = sign(&caller.claims());
    assert_eq!(create_with_token(&caller, &token).await.0, 201);
    assert_eq!(create_with_token(&caller, &token).await.0, 201);
    assert_eq!(caller.org.refusals(), []);
}

#[actix_web::test]
async fn wrong_claims_are_refused_by_name() {
    let caller = Caller::new().await;
    let now = caller.now();
    for (claim, value, reason) in [
        ("iss", json!("00D000000000002EAA"), "JWT iss: must be the org id"),
        ("iss", Value::Null, "JWT iss: must be the org id"),
        ("sub", json!("Other"), "JWT sub: must be the API name of a contact center of this org"),
        ("iat", Value::Null, "JWT iat: must be a whole number of seconds"),
        ("iat", json!(now.to_string()), "JWT iat: must be a whole number of seconds"),
        ("iat", json!(now * 1000), "JWT iat: in the future (seconds are needed, not milliseconds)"),
        ("iat", json!(now + 61), "JWT iat: in the future (seconds are needed, not milliseconds)"),
        ("exp", Value::Null, "JWT exp: must be a whole number of seconds"),
        ("exp", json!(1.5), "JWT exp: must be a whole number of seconds"),
        ("exp", json!(now), "JWT exp: expired"),
        ("exp", json!(now + 24 * 3600 + 1), "JWT exp: too long after iat"),
        ("exp", json!((now + 180) * 1000), "JWT exp: too long after iat"),
        ("jti", json!(7), "JWT jti: must be a string"),
    ] {
        let token = sign(&with(caller.claims(), claim, value));
        assert_eq!(refused(&caller, &token).await, reason, "{claim}");
    }
    let last = caller.org.refusals().pop().unwrap();
    assert_eq!((last.status, last.path.as_str()), (401, "/telephony/v1/voiceCalls"));
}

#[actix_web::test]
async fn wrong_headers_and_signatures_are_refused() {
    let caller = Caller::new().await;
    let (key, claims) = (&credentials().0, caller.claims());
    let other_key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let good = json!({ "alg": "RS256", "typ": "JWT" });
    for (token, reason) in [
        (sign_with(&other_key, &good, &claims), "does not fit the Telephony Integration Certificate"),
        (sign_with(key, &json!({ "alg": "RS256" }), &claims), "typ must be JWT"),
        (sign_with(key, &json!({ "alg": "RS512", "typ": "JWT" }), &claims), "alg must be RS256"),
        (sign_with(key, &json!({ "alg": "none", "typ": "JWT" }), &claims), "alg must be RS256"),
        (sign_with(key, &good, &json!([])), "claims: not base64url of a JSON object"),
        ("abc.def".into(), "three parts"),
        (sign(&claims) + "=", "signature: not base64url"),
    ] {
        let message = refused(&caller, &token).await;
        assert!(message.contains(reason), "{message}");
    }
}

#[actix_web::test]
async fn a_jti_serves_one_request() {
    let caller = Caller::new().await;
    let token = sign(&with(caller.claims(), "jti", json!("once")));
    assert_eq!(create_with_token(&caller, &token).await.0, 201);
    let (status, body) = create_with_token(&caller, &token).await;
    assert_eq!(status, 401);
    assert!(body[0]["message"].as_str().unwrap().contains("already used"));
}

#[actix_web::test]
async fn an_audience_is_checked_where_the_org_wants_one() {
    let caller = Caller::of(|settings| settings.audience = Some("https://scrt.salesforce.com".into())).await;
    assert!(refused(&caller, &sign(&caller.claims())).await.contains("aud"));
    let token = sign(&with(caller.claims(), "aud", json!("https://scrt.salesforce.com")));
    assert_eq!(create_with_token(&caller, &token).await.0, 201);
}

#[actix_web::test]
async fn an_org_of_an_earlier_version_takes_three_minutes_at_most() {
    let caller = Caller::of(|settings| settings.max_token_life = std::time::Duration::from_secs(180)).await;
    let token = sign(&with(caller.claims(), "exp", json!(caller.now() + 181)));
    assert!(refused(&caller, &token).await.contains("too long"));
}

#[actix_web::test]
async fn an_org_for_measurements_believes_a_token_until_it_expires() {
    let caller = Caller::of(|settings| settings.verify_every_token = false).await;
    let token = sign(&caller.claims());
    assert_eq!(create_with_token(&caller, &token).await.0, 201);
    assert_eq!(create_with_token(&caller, &token).await.0, 201);
    caller.clock.advance(std::time::Duration::from_secs(180));
    assert_eq!(create_with_token(&caller, &token).await.0, 401);
}

#[actix_web::test]
async fn headers_are_checked_besides_the_token() {
    let caller = Caller::new().await;
    let url = format!("{}/voiceCalls/k/clearRouting", caller.org.telephony_url());
    let bearer = format!("Bearer {}", sign(&caller.claims()));
    let request = || caller.http.patch(&url);
    let provider = |name| request().header("authorization", &bearer).header("telephony-provider-name", name);
    assert_eq!(answered(request()).await.0, 401);
    assert_eq!(answered(request().header("authorization", &bearer)).await.0, 403);
    assert_eq!(answered(provider("someone-else")).await.0, 403);
    assert_eq!(answered(provider("webex-contact-center")).await.0, 415);
    let form = provider("webex-contact-center").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(answered(form).await.0, 415);
}

#[actix_web::test]
async fn wrong_methods_and_paths_are_refused() {
    let caller = Caller::new().await;
    let status = async |method, path: &str| answered(caller.request(method, path).body("{}")).await.0;
    assert_eq!(status(Method::PATCH, "/voiceCalls").await, 405);
    assert_eq!(status(Method::POST, "/voiceCalls/k").await, 405);
    assert_eq!(status(Method::PUT, "/voiceCalls/k/omniFlow").await, 405);
    assert_eq!(status(Method::POST, "/voiceCalls/k/clearRouting").await, 405);
    assert_eq!(status(Method::POST, "/voicecalls").await, 404);
    assert_eq!(caller.org.refusals().len(), 5);
}
