//! Credentials in the header, in the body, in both, and wrong ones.

use base64::engine::general_purpose::STANDARD;

use super::*;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// Status and code of a request with this header and these parameters besides the grant.
async fn outcome(stage: &Stage, header: Option<(&str, &str)>, body: &[(&str, &str)]) -> (u16, String, bool) {
    let mut request = form(stage, PATHS[0], &[&[GRANT], body].concat());
    if let Some((id, secret)) = header {
        request = request.basic_auth(id, Some(secret));
    }
    let reply = Reply::of(request).await;
    let code = reply.body["error"].as_str().unwrap_or("none").to_owned();
    (reply.status, code, !reply.header("www-authenticate").is_empty())
}

#[actix_web::test]
async fn in_both_places_they_must_be_the_same() {
    let stage = stage().await;
    let (id, secret) = CLIENT;
    let fine = (200, "none".to_owned(), false);
    let differ = (400, "invalid_request".to_owned(), false);
    for (body, expected) in [
        (&[("client_id", id), ("client_secret", secret)][..], &fine),
        (&[("client_id", id)], &fine),
        (&[("client_secret", secret)], &fine),
        (&[("client_id", "other"), ("client_secret", secret)], &differ),
        (&[("client_id", id), ("client_secret", "other")], &differ),
        (&[("client_id", "other")], &differ),
        (&[("client_id", id), ("client_secret", "")], &fine),
    ] {
        assert_eq!(outcome(&stage, Some(CLIENT), body).await, *expected, "{body:?}");
    }
}

#[actix_web::test]
async fn wrong_ones_are_an_invalid_client_and_a_challenge_only_for_the_header() {
    let stage = stage().await;
    let by_header = (401, "invalid_client".to_owned(), true);
    for wrong in [(CLIENT.0, "wrong"), ("nobody", CLIENT.1), (CLIENT.0, ""), ("", "")] {
        assert_eq!(outcome(&stage, Some(wrong), &[]).await, by_header, "{wrong:?}");
    }
    let in_body = (401, "invalid_client".to_owned(), false);
    for wrong in [(CLIENT.0, "wrong"), ("nobody", CLIENT.1)] {
        let body = [("client_id", wrong.0), ("client_secret", wrong.1)];
        assert_eq!(outcome(&stage, None, &body).await, in_body, "{wrong:?}");
    }
    assert_eq!(outcome(&stage, None, &[]).await, in_body);
    assert_eq!(outcome(&stage, None, &[("client_id", CLIENT.0)]).await, in_body);
}

#[actix_web::test]
async fn a_header_may_be_form_encoded_as_the_rfc_wants_or_not() {
    let stage = stage().await;
    for credentials in [
        format!("{}:{}", CLIENT.0, CLIENT.1),
        "connector:s3cret+of+a+connector%2B%25".to_owned(),
        "%63onnector:s3cret%20of%20a%20connector%2b%25".to_owned(),
    ] {
        let request = form(&stage, PATHS[0], &[GRANT, ("client_id", CLIENT.0), ("client_secret", CLIENT.1)]);
        let header = format!("Basic {}", STANDARD.encode(&credentials));
        token(&Reply::of(request.header("authorization", header)).await);
    }
}

#[actix_web::test]
async fn a_header_that_cannot_be_read_is_an_invalid_client() {
    let stage = stage().await;
    for header in ["Basic !", "Basic", "Bearer scvb_x", "Digest x", ""] {
        let request = form(&stage, PATHS[0], &[GRANT, ("client_id", CLIENT.0), ("client_secret", CLIENT.1)]);
        let reply = Reply::of(request.header("authorization", header)).await;
        assert!(refused(&reply).starts_with("401 invalid_client: "), "{header}: {}", reply.text);
        assert!(reply.header("www-authenticate").starts_with("Basic "), "{header}");
    }
}
