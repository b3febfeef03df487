//! The validation URL of a connector.

use super::*;

const VALIDATE: [&str; 2] = ["/voice/v1/validate", "/services/apexrest/cisco_wxcc_scv/voice/v1/validate"];
const METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];

#[actix_web::test]
async fn good_credentials_of_either_kind_are_valid_whatever_the_method() {
    let stage = stage().await;
    let asked = [("grant_type", "client_credentials"), ("client_id", CLIENT.0), ("client_secret", CLIENT.1)];
    let token = token(&ask(&stage, &asked).await);
    for path in VALIDATE {
        for method in METHODS {
            let request = || stage.request(method.clone(), path);
            for request in [
                request().basic_auth(CLIENT.0, Some(CLIENT.1)),
                request().bearer_auth(&token),
                request().bearer_auth(&token).body("anything"),
            ] {
                let reply = Reply::of(request).await;
                assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text);
                if method != Method::HEAD {
                    assert_eq!(reply.data(), &json!({ "status": "Success" }));
                }
            }
        }
    }
}

#[actix_web::test]
async fn anything_else_is_not() {
    let stage = stage().await;
    for path in VALIDATE {
        for method in METHODS {
            let request = || stage.request(method.clone(), path);
            for request in [
                request(),
                request().basic_auth(CLIENT.0, Some("wrong")),
                request().bearer_auth("scvb_x"),
                request().header("authorization", "Digest x"),
            ] {
                let reply = Reply::of(request).await;
                assert_eq!(reply.status, 401, "{method} {path}");
                assert!(!reply.header("www-authenticate").is_empty());
                if method != Method::HEAD {
                    reply.error(401);
                }
            }
        }
        let reply = Reply::of(stage.request(Method::PUT, path)).await;
        reply.error(405);
        assert_eq!(reply.header("allow"), "GET, HEAD, POST");
    }
}
