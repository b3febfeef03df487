use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::sha::sha256;
use serde_json::Value;
use url::Url;

use super::*;

impl Caller {
    async fn token(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let all = [("client_id", "C0123456789abcdef"), ("client_secret", "the-secret-of-the-integration")];
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(all)
            .extend_pairs(fields)
            .finish();
        let request = self.http.post(self.webex.token_url());
        answered(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    async fn refresh(&self, token: &Value) -> (u16, Value) {
        let token = token["refresh_token"].as_str().unwrap();
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Goes through the page of agreement; gives the code.
    async fn code(&self, challenge: &str) -> String {
        let mut page = Url::parse(&self.webex.authorize_url()).unwrap();
        page.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", "C0123456789abcdef")
            .append_pair("redirect_uri", "http://localhost:8087/callback")
            .append_pair("scope", "cjp:config_read")
            .append_pair("state", "s1")
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256");
        let answer = self.http.get(page).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 302);
        let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let pairs: Vec<_> = back.query_pairs().into_owned().collect();
        assert_eq!(pairs[1], ("state".into(), "s1".into()));
        pairs[0].1.clone()
    }
}

const EXCHANGE: [(&str, &str); 2] =
    [("grant_type", "authorization_code"), ("redirect_uri", "http://localhost:8087/callback")];

#[actix_web::test]
async fn a_code_is_exchanged_once_and_only_by_whoever_asked_for_it() {
    let caller = Caller::new().await;
    let challenge = URL_SAFE_NO_PAD.encode(sha256(b"verifier"));
    for (verifier, wanted) in [("another", 400), ("verifier", 200)] {
        let code = caller.code(&challenge).await;
        let fields = [EXCHANGE.as_slice(), &[("code", &code), ("code_verifier", verifier)]].concat();
        let (status, body) = caller.token(&fields).await;
        assert_eq!(status, wanted, "{body}");
        assert_eq!(caller.token(&fields).await.0, 400, "the code was used");
        if wanted == 200 {
            assert_eq!(
                (&body["expires_in"], &body["refresh_token_expires_in"]),
                (&43_200.into(), &7_776_000.into())
            );
            assert_eq!(body["scope"], "cjp:config_read");
        }
    }
}

#[actix_web::test]
async fn an_old_refresh_token_works_until_its_successor_was_used() {
    let caller = Caller::new().await;
    let first = caller.webex.log_in();
    let second = caller.refresh(&first).await.1;
    let lost = caller.refresh(&first).await;
    assert_eq!(lost.0, 200, "the answer may have been lost");
    assert_eq!(caller.refresh(&second).await.0, 200);
    for dead in [&first, &lost.1] {
        let (status, body) = caller.refresh(dead).await;
        assert_eq!((status, &body["error"]), (400, &"invalid_grant".into()));
    }
}

#[actix_web::test]
async fn tokens_end_when_they_say() {
    let caller = Caller::new().await;
    let login = caller.webex.log_in();
    caller.wait(43_199);
    assert_eq!(caller.send(Method::GET, "/v2/subscriptions", &json!({})).await.0, 200);
    caller.wait(1);
    assert_eq!(caller.send(Method::GET, "/v2/subscriptions", &json!({})).await.0, 401);
    let renewed = caller.refresh(&login).await.1;
    caller.wait(90 * 86_400 - 1);
    let renewed = caller.refresh(&renewed).await.1;
    caller.wait(90 * 86_400);
    assert_eq!(caller.refresh(&renewed).await.0, 400);
}

#[actix_web::test]
async fn only_the_integration_gets_tokens() {
    let caller = Caller::new().await;
    let fields = [("client_id", "another"), ("grant_type", "refresh_token")];
    assert_eq!(caller.token(&fields).await.1["error"], "invalid_client");
    assert_eq!(caller.token(&[("grant_type", "password")]).await.1["error"], "unsupported_grant_type");
}
