//! Signed assertions: what is believed, and what is not.

use insta::assert_snapshot;
use openssl::x509::X509;

use crate::stage::{CERTIFICATE, with};

use super::*;

/// What the endpoint says of an assertion as a grant.
async fn told(stage: &Stage, assertion: &str) -> String {
    let reply = ask(stage, &[("grant_type", JWT_BEARER), ("assertion", assertion)]).await;
    match reply.status {
        200 => "taken".to_owned(),
        _ => refused(&reply),
    }
}

#[actix_web::test]
async fn what_is_wrong_with_the_claims_is_told() {
    let stage = stage().await;
    let now = seconds();
    let wrong = [
        json!({ "iss": "webex-flow" }),
        json!({ "iss": "nobody" }),
        json!({ "sub": "somebody@example.com" }),
        json!({ "aud": "https://example.com/services/oauth2/token" }),
        json!({ "aud": [] }),
        json!({ "exp": now - 30 }),
        json!({ "iat": now + 31 }),
        json!({ "nbf": now + 31 }),
        json!({ "exp": now + 301 }),
        json!({ "iat": null, "exp": now + 331 }),
        json!({ "iat": now - 200, "exp": now + 101 }),
        json!({ "exp": null }),
        json!({ "exp": 1e300 }),
        json!({ "exp": "soon" }),
        json!({ "exp": "NaN" }),
    ];
    let mut all = Vec::new();
    for fields in wrong {
        all.push(format!(
            "{fields}: {}",
            told(&stage, &assertion(&with(claims(&stage), fields.clone()))).await
        ));
    }
    let all = all.join("\n").replace(&now.to_string(), "now");
    assert_snapshot!(all, @r#"
    {"iss":"webex-flow"}: 400 invalid_grant: assertion: its signature fits no certificate that is registered for its iss
    {"iss":"nobody"}: 400 invalid_grant: assertion: its signature fits no certificate that is registered for its iss
    {"sub":"somebody@example.com"}: 400 invalid_grant: assertion: its sub is neither the client nor a user of it
    {"aud":"https://example.com/services/oauth2/token"}: 400 invalid_grant: assertion: its aud is neither the address of this token endpoint nor of this bridge
    {"aud":[]}: 400 invalid_grant: assertion: its aud is neither the address of this token endpoint nor of this bridge
    {"exp":1795255170}: 400 invalid_grant: assertion: it has expired; compare the clocks
    {"iat":1795255231}: 400 invalid_grant: assertion: it is not valid yet; compare the clocks
    {"nbf":1795255231}: 400 invalid_grant: assertion: it is not valid yet; compare the clocks
    {"exp":1795255501}: 400 invalid_grant: assertion: it lives longer than 5 minutes
    {"iat":null,"exp":1795255531}: 400 invalid_grant: assertion: it lives longer than 5 minutes
    {"iat":1795255000,"exp":1795255301}: 400 invalid_grant: assertion: it lives longer than 5 minutes
    {"exp":null}: 400 invalid_grant: assertion: it is no JWT in compact form with the claims iss, sub, aud and exp
    {"exp":1e+300}: 400 invalid_grant: assertion: it lives longer than 5 minutes
    {"exp":"soon"}: 400 invalid_grant: assertion: it is no JWT in compact form with the claims iss, sub, aud and exp
    {"exp":"NaN"}: 400 invalid_grant: assertion: it is no JWT in compact form with the claims iss, sub, aud and exp
    "#);
}

#[actix_web::test]
async fn what_differs_and_is_right_is_taken() {
    let stage = stage().await;
    let now = seconds();
    let right = [
        json!({ "aud": stage.public }),
        json!({ "aud": format!("{}/", stage.public) }),
        json!({ "aud": format!("{}/oauth2/token", stage.public) }),
        json!({ "aud": ["https://example.com", stage.public] }),
        json!({ "aud": "https://login.salesforce.com" }),
        json!({ "iat": null }),
        json!({ "iat": null, "exp": now + 330 }),
        json!({ "exp": now as f64 + 200.5, "iat": now as f64 - 0.5 }),
        json!({ "exp": (now + 180).to_string(), "iat": null }),
        json!({ "exp": now - 29, "iat": now - 100 }),
        json!({ "iat": now + 30, "nbf": now + 30 }),
    ];
    for (number, fields) in right.into_iter().enumerate() {
        let claims = with(with(claims(&stage), fields.clone()), json!({ "jti": number.to_string() }));
        assert_eq!(told(&stage, &assertion(&claims)).await, "taken", "{fields}");
    }
}

#[actix_web::test]
async fn only_rs256_by_the_registered_key_counts() {
    let stage = stage().await;
    let claims = claims(&stage);
    let good = assertion(&claims);
    let (head, _) = good.rsplit_once('.').unwrap();
    let public = X509::from_pem(&issued(OTHER_CERTIFICATE).certificate_pem).unwrap();
    let public = public.public_key().unwrap().public_key_to_pem().unwrap();
    let confused = {
        let parts =
            [&json!({ "alg": "HS256" }), &claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let key = PKey::hmac(&public).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
        let mac = signer.sign_oneshot_to_vec(parts.join(".").as_bytes()).unwrap();
        format!("{}.{}", parts.join("."), URL_SAFE_NO_PAD.encode(mac))
    };
    let none = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let wrong = [
        signed(&json!({ "alg": "RS256" }), &claims, CERTIFICATE),
        signed(&json!({ "alg": "RS384" }), &claims, OTHER_CERTIFICATE),
        signed(&json!({ "alg": "RS256", "crit": ["b64"], "b64": false }), &claims, OTHER_CERTIFICATE),
        confused,
        none,
        format!("{head}."),
        format!("{head}.AAAA"),
        head.to_owned(),
        format!("{good}.x"),
        "x".to_owned(),
        String::from("..."),
    ];
    let mut all = Vec::new();
    for assertion in wrong {
        all.push(told(&stage, &assertion).await);
    }
    assert_snapshot!(all.join("\n"), @"
    400 invalid_grant: assertion: its signature fits no certificate that is registered for its iss
    400 invalid_grant: assertion: its alg is not RS256
    400 invalid_grant: assertion: its header holds crit
    400 invalid_grant: assertion: its alg is not RS256
    400 invalid_grant: assertion: its alg is not RS256
    400 invalid_grant: assertion: its signature fits no certificate that is registered for its iss
    400 invalid_grant: assertion: its signature fits no certificate that is registered for its iss
    400 invalid_grant: assertion: it is no JWT in compact form with the claims iss, sub, aud and exp
    400 invalid_grant: assertion: it is no JWT in compact form with the claims iss, sub, aud and exp
    400 invalid_grant: assertion: it is no JWT in compact form with the claims iss, sub, aud and exp
    400 invalid_grant: assertion: it is no JWT in compact form with the claims iss, sub, aud and exp
    ");
    assert_eq!(told(&stage, &good).await, "taken");
}

#[actix_web::test]
async fn a_jti_is_taken_once_whatever_the_assertion_is_used_for() {
    let stage = stage().await;
    let assertion = assertion(&claims(&stage));
    assert_eq!(told(&stage, &assertion).await, "taken");
    assert!(
        told(&stage, &assertion)
            .await
            .ends_with("it was used before: a new one, with a jti of its own, for each token")
    );
    let asked = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", CLIENT_ASSERTION),
        ("client_assertion", &assertion),
    ];
    let reply = ask(&stage, &asked).await;
    assert_eq!(
        refused(&reply),
        "401 invalid_client: client_assertion: it was used before: a new one, with a jti of its own, for each token"
    );
}

#[actix_web::test]
async fn an_assertion_without_a_jti_is_taken_once_too() {
    let stage = stage().await;
    let used = "it was used before: a new one, with a jti of its own, for each token";
    for jti in [Value::Null, "".into()] {
        let nameless = assertion(&with(claims(&stage), json!({ "jti": jti })));
        assert_eq!(told(&stage, &nameless).await, "taken", "{jti}");
        assert_eq!(told(&stage, &nameless).await, format!("400 invalid_grant: assertion: {used}"), "{jti}");
        let asked = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", CLIENT_ASSERTION),
            ("client_assertion", &nameless),
        ];
        let reply = ask(&stage, &asked).await;
        assert_eq!(refused(&reply), format!("401 invalid_client: client_assertion: {used}"), "{jti}");
    }
    let another = with(claims(&stage), json!({ "jti": "", "exp": seconds() + 299 }));
    assert_eq!(told(&stage, &assertion(&another)).await, "taken");
}

#[actix_web::test]
async fn an_assertion_that_was_refused_uses_no_jti_up() {
    let stage = stage().await;
    let early = with(claims(&stage), json!({ "nbf": seconds() + 60 }));
    assert!(told(&stage, &assertion(&early)).await.contains("not valid yet"));
    stage.wait_seconds(60);
    assert_eq!(told(&stage, &assertion(&early)).await, "taken");
}

#[actix_web::test]
async fn a_registered_certificate_that_is_over_signs_nothing() {
    let stage = stage().await;
    stage.wait_seconds(31 * 86_400);
    let now = seconds() + 31 * 86_400;
    let later = with(claims(&stage), json!({ "iat": now, "exp": now + 60 }));
    assert!(told(&stage, &assertion(&later)).await.contains("is not valid today"));
}
