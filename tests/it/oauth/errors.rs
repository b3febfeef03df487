//! Every error of the token endpoint, with its words.

use insta::assert_snapshot;

use super::*;

#[actix_web::test]
async fn every_fault_has_its_code_and_says_what_to_do() {
    let stage = stage().await;
    let secret = [("client_id", CLIENT.0), ("client_secret", CLIENT.1)];
    let password = ("grant_type", "password");
    let (flow, flow_secret) = crate::stage::CONNECTOR;
    let assertion = assertion(&claims(&stage));
    let faults: Vec<Parameters<'_>> = vec![
        secret.to_vec(),
        [&secret[..], &[("grant_type", "authorization_code")]].concat(),
        vec![("grant_type", "client_credentials"), ("client_secret", CLIENT.1)],
        [&secret[..], &[password]].concat(),
        [&secret[..], &[password, ("username", USER.0), ("password", "wrong")]].concat(),
        [&secret[..], &[password, ("username", "nobody@example.com"), ("password", USER.1)]].concat(),
        vec![password, ("username", USER.0), ("password", USER.1)],
        vec![
            password,
            ("username", USER.0),
            ("password", USER.1),
            ("client_id", flow),
            ("client_secret", flow_secret),
        ],
        vec![("grant_type", JWT_BEARER)],
        vec![("grant_type", JWT_BEARER), ("assertion", &assertion), ("client_id", flow)],
        vec![("grant_type", "client_credentials"), ("client_assertion", &assertion)],
        vec![
            ("grant_type", "client_credentials"),
            ("client_assertion", &assertion),
            ("client_assertion_type", CLIENT_ASSERTION),
            ("client_secret", CLIENT.1),
        ],
        vec![
            ("grant_type", "client_credentials"),
            ("client_assertion", &assertion),
            ("client_assertion_type", CLIENT_ASSERTION),
            ("client_id", flow),
        ],
        [&secret[..], &secret[..], &[("grant_type", "client_credentials")]].concat(),
    ];
    let mut told = Vec::new();
    for fault in faults {
        told.push(refused(&ask(&stage, &fault).await));
    }
    assert_snapshot!(told.join("\n"), @"
    400 invalid_request: grant_type: missing from the body
    400 unsupported_grant_type: grant_type: expected client_credentials, password or urn:ietf:params:oauth:grant-type:jwt-bearer
    400 invalid_request: client_id: missing beside client_secret
    400 invalid_request: username, password: missing
    400 invalid_grant: username or password: wrong
    400 invalid_grant: username or password: wrong
    401 invalid_client: credentials: missing; expected client_id and client_secret in the body or as HTTP Basic, or client_assertion
    400 unauthorized_client: this client has no username and password_sha256 in the configuration
    400 invalid_request: assertion: missing
    400 invalid_grant: assertion: its iss is not the client that sent it
    400 invalid_request: client_assertion_type: expected urn:ietf:params:oauth:client-assertion-type:jwt-bearer
    400 invalid_request: credentials: client_assertion and a secret; send one
    401 invalid_client: client_assertion: its iss is not the client that sent it
    400 invalid_request: client_id: given twice
    ");
}

#[actix_web::test]
async fn bodies_that_are_none_have_the_same_shape() {
    let stage = stage().await;
    let mut told = Vec::new();
    for (kind, body) in [
        ("application/json", "{\"grant_type\":\"client_credentials\"".to_owned()),
        ("application/json", "[]".to_owned()),
        ("application/json", "{\"grant_type\":1}".to_owned()),
        ("multipart/form-data; boundary=x", "--x--".to_owned()),
        ("application/x-www-form-urlencoded", String::new()),
        ("application/x-www-form-urlencoded", "a=b&".repeat(20_000)),
    ] {
        let request = stage.request(Method::POST, PATHS[1]).header("content-type", kind).body(body);
        told.push(refused(&Reply::of(request).await));
    }
    assert_snapshot!(told.join("\n"), @"
    400 invalid_request: body: expected a JSON object
    400 invalid_request: body: expected a JSON object
    400 invalid_request: grant_type: expected a text
    400 invalid_request: content type: expected application/x-www-form-urlencoded or application/json
    400 invalid_request: grant_type: missing from the body
    413 invalid_request: body: longer than 64 KiB
    ");
}

#[actix_web::test]
async fn only_post_is_taken() {
    let stage = stage().await;
    for path in PATHS {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let reply = Reply::of(stage.request(method, path)).await;
            reply.error(405);
            assert_eq!(reply.header("allow"), "POST");
        }
    }
}
