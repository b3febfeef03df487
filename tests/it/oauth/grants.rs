//! Every grant, in every encoding.

use super::*;

/// One way to ask: what stands in the body, and what in the header.
struct Way<'a> {
    name: &'static str,
    body: Parameters<'a>,
    header: Option<(&'a str, &'a str)>,
}

fn ways<'a>(client: &'a str, bearer: &'a str) -> Vec<Way<'a>> {
    let secret = [("client_id", CLIENT.0), ("client_secret", CLIENT.1)];
    let user = [("username", USER.0), ("password", USER.1)];
    let credentials = ("grant_type", "client_credentials");
    let password = ("grant_type", "password");
    let way = |name, body: &[&[(&'a str, &'a str)]], header| Way { name, body: body.concat(), header };
    vec![
        way("client credentials, secret in the body", &[&[credentials], &secret], None),
        way("client credentials, secret in the header", &[&[credentials]], Some(CLIENT)),
        way("client credentials, secret in both", &[&[credentials], &secret], Some(CLIENT)),
        way(
            "client credentials, assertion",
            &[&[
                credentials,
                ("client_assertion_type", CLIENT_ASSERTION),
                ("client_assertion", client),
                ("client_id", CLIENT.0),
            ]],
            None,
        ),
        way("password, secret in the body", &[&[password], &user, &secret], None),
        way("password, secret in the header", &[&[password], &user], Some(CLIENT)),
        way("JWT bearer", &[&[("grant_type", JWT_BEARER), ("assertion", bearer)]], None),
    ]
}

#[actix_web::test]
async fn every_grant_gives_a_token_as_form_and_as_json_on_both_paths() {
    let stage = stage().await;
    let mut asked = 0;
    for path in PATHS {
        for encode in [form, json] {
            let [client, bearer] = ["client", "bearer"].map(|kind| {
                let mut claims = claims(&stage);
                claims["jti"] = format!("{kind}-{asked}").into();
                assertion(&claims)
            });
            for way in ways(&client, &bearer) {
                let mut request = encode(&stage, path, &way.body);
                if let Some((id, secret)) = way.header {
                    request = request.basic_auth(id, Some(secret));
                }
                let reply = Reply::of(request).await;
                assert_eq!(reply.status, 200, "{} at {path}: {}", way.name, reply.text);
                opens(&stage, &token(&reply), &format!("wxcc_{asked}")).await.data();
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 28);
}

#[actix_web::test]
async fn a_user_with_a_certificate_of_the_client_is_a_subject_of_the_jwt_bearer_grant() {
    let stage = stage().await;
    let mut claims = claims(&stage);
    claims["sub"] = USER.0.into();
    let assertion = assertion(&claims);
    let reply = ask(&stage, &[("grant_type", JWT_BEARER), ("assertion", &assertion)]).await;
    opens(&stage, &token(&reply), "wxcc_1").await.data();
}

#[actix_web::test]
async fn a_token_opens_what_its_client_may_use_and_nothing_else() {
    let stage = stage().await;
    let (id, secret) = crate::stage::RESTRICTED;
    let asked = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let token = token(&ask(&stage, &asked).await);
    opens(&stage, &token, "wxcc_1").await.error(403);
}

#[actix_web::test]
async fn a_token_is_over_when_it_says_so_and_the_answer_tells() {
    let stage = stage().await;
    let asked = [("grant_type", "client_credentials"), ("client_id", CLIENT.0), ("client_secret", CLIENT.1)];
    let reply = ask(&stage, &asked).await;
    let token = token(&reply);
    let life = reply.body["expires_in"].as_u64().unwrap();
    stage.wait_seconds(life - 1);
    opens(&stage, &token, "wxcc_1").await.data();
    stage.wait_seconds(1);
    let over = opens(&stage, &token, "wxcc_2").await;
    assert!(over.error(401).contains("ask for a new one"), "{}", over.text);
    assert_eq!(over.header("www-authenticate"), "Bearer realm=\"scv-bridge\", error=\"invalid_token\"");
}

#[actix_web::test]
async fn without_a_signing_key_the_endpoint_says_what_to_do() {
    let stage = Stage::telephony().await;
    let asked = [("grant_type", "client_credentials")];
    let request = form(&stage, PATHS[1], &asked).basic_auth(CLIENT.0, Some(CLIENT.1));
    let told = refused(&Reply::of(request).await);
    assert!(told.starts_with("400 unsupported_grant_type: "), "{told}");
    assert!(told.contains("oauth.signing_key_file"), "{told}");
}
