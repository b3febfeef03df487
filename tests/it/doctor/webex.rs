//! Webex: the login that is kept, what it allows, and the subscriptions.

use reqwest::redirect::Policy;
use scv_bridge::mock::webex::{MockWebex, MockWebexSettings, Operation as Asked};
use scv_bridge::settings::{BaseUrl, WebexClient};
use scv_bridge::store::Store;
use scv_bridge::webex::{TokenCipher, WebexTokens};
use url::Url;

use super::*;

const PUBLIC: &str = "https://bridge.acme.test";

/// A set-up whose Webex is a mock tenant, logged in with these scopes.
async fn logged_in(scopes: &str) -> (Setup, MockWebex) {
    let (setup, webex) = not_logged_in().await;
    log_in(&setup, &webex, scopes).await;
    (setup, webex)
}

async fn not_logged_in() -> (Setup, MockWebex) {
    tenant(MockWebexSettings::default()).await
}

async fn tenant(settings: MockWebexSettings) -> (Setup, MockWebex) {
    let mut setup = Setup::telephony(|_| {}).await;
    let clock = setup.clock.clone();
    let webex = MockWebex::start(settings, "127.0.0.1:0".parse().unwrap(), move || clock.now()).await;
    let webex = webex.unwrap();
    setup.change("[operations]", &format!("public_url = \"{PUBLIC}\"\n[operations]"));
    let (api, token) = (webex.url(), webex.token_url());
    setup.add(&format!(
        "[webex]\nwebhook_secrets = [\"s3cret-of-the-subscription-32chars\"]\napi_url = \"{api}\"\ntoken_url = \"{token}\"\nclient_id = \"C0123456789abcdef\"\nclient_secret = \"the-secret-of-the-integration\"\ntoken_key = \"{}\"",
        "k".repeat(32)
    ));
    (setup, webex)
}

async fn log_in(setup: &Setup, webex: &MockWebex, scopes: &str) {
    let http =
        reqwest::Client::builder().no_proxy().tls_certs_only([]).redirect(Policy::none()).build().unwrap();
    let redirect_uri = "http://localhost:8087/callback";
    let mut page = Url::parse(&webex.authorize_url()).unwrap();
    page.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", "C0123456789abcdef")
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", scopes)
        .append_pair("state", "s");
    let back = http.get(page).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
    let code = Url::parse(&back).unwrap().query_pairs().next().unwrap().1.into_owned();
    let store =
        Store::open(&format!("sqlite:{}", setup.folder.path().join("bridge.db").display())).await.unwrap();
    let client =
        WebexClient { id: "C0123456789abcdef".into(), secret: "the-secret-of-the-integration".into() };
    let url = BaseUrl::parse(&webex.token_url()).unwrap();
    let cipher = TokenCipher::new(Some("k".repeat(32).into()));
    let tokens =
        WebexTokens::new(http, (&url, &client, cipher), store.clone(), setup.clock.clone(), "test".into());
    tokens.exchange_code(&code, redirect_uri, None).await.unwrap();
    store.close().await.unwrap();
}

const SCOPES: &str = "cjp:config_read cjp:config_write";

/// Subscribes to all that the bridge needs, as the command does.
async fn subscribe(setup: &Setup) {
    use scv_bridge::webex::{NewSubscription, WebhookResource, api_client, destination, tokens};
    let settings = scv_bridge::settings::Settings::load(&setup.source(), setup.clock.as_ref()).unwrap();
    let webex = settings.webex.as_ref().unwrap();
    let store =
        Store::open(&format!("sqlite:{}", setup.folder.path().join("bridge.db").display())).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let tokens = tokens(webex, http.clone(), store.clone(), setup.clock.clone(), "test".into()).unwrap();
    let client = api_client(webex, http, tokens, setup.clock.clone(), Arc::new(Ids::new(3))).unwrap();
    for versions in WebhookResource::usual() {
        let new = NewSubscription {
            name: "scv-bridge".into(),
            resource: versions[0].clone(),
            destination_url: destination(settings.server.public_url.as_ref()).unwrap(),
            secret: webex.webhook_secrets[0].clone(),
        };
        client.subscribe(&new).await.unwrap();
    }
    drop(client);
    store.close().await.unwrap();
}

#[actix_web::test]
async fn a_good_set_up_gives_no_finding() {
    let (setup, webex) = logged_in(SCOPES).await;
    subscribe(&setup).await;
    let report = setup.nothing_wrong().await;
    let text = report.text(true);
    assert!(text.contains("all are there and active") && text.contains("3 subscriptions"), "{text}");
    let changes = webex.asked(Asked::Subscriptions).into_iter().filter(|asked| asked.method != "GET").count();
    assert_eq!(changes, 3, "only those of the test itself");
}

#[actix_web::test]
async fn nobody_has_logged_in() {
    let (setup, _webex) = not_logged_in().await;
    setup
        .fault()
        .await
        .is(Code::WebexLogin, "not-logged-in", "never made", "scv-bridge webex login")
        .hides(Code::WebexApi)
        .hides(Code::Subscriptions);
}

#[actix_web::test]
async fn the_login_was_kept_with_another_key() {
    let (mut setup, _webex) = logged_in(SCOPES).await;
    setup.change(&"k".repeat(32), &"j".repeat(32));
    setup.fault().await.is(Code::WebexLogin, "sealed", "token_key_file", "give the right file");
}

#[actix_web::test]
async fn the_login_ends_soon() {
    let life = Duration::from_secs(20 * 86_400);
    let (setup, webex) =
        tenant(MockWebexSettings { refresh_life: life, ..MockWebexSettings::default() }).await;
    log_in(&setup, &webex, SCOPES).await;
    subscribe(&setup).await;
    let found = setup.fault().await;
    found.is(Code::WebexLogin, "login-ends", "has not renewed it for weeks", "scv-bridge webex login");
    assert_eq!(found.row.finding.what.full(), "the login at Webex ends in 20 days");
}

#[actix_web::test]
async fn the_user_has_changed_the_password() {
    let (setup, webex) = logged_in(SCOPES).await;
    webex.revoke_logins();
    setup
        .fault()
        .await
        .is(Code::WebexApi, "login-over", "changed the password", "scv-bridge webex login")
        .seen("HTTP 401")
        .hides(Code::Subscriptions);
}

#[actix_web::test]
async fn the_access_token_is_over_and_the_login_too() {
    let (setup, webex) = logged_in(SCOPES).await;
    webex.revoke_logins();
    setup.clock.advance(Duration::from_secs(13 * 3600));
    let report = setup.examine().await;
    let found = report.problems().into_iter().find(|row| row.id.code == Code::WebexApi).unwrap();
    assert_eq!(found.finding.fault, Some("login-over"));
    assert!(found.finding.causes[0].full().contains("changed the password"), "{}", report.text(true));
}

#[actix_web::test]
async fn who_logged_in_is_no_administrator() {
    let (setup, webex) = logged_in(SCOPES).await;
    webex.script(BadDay::Forbidden { body: json!({ "trackingId": "t", "error": { "key": "403", "message": [{ "description": "Access denied" }] } }) }, 1, Asked::Subscriptions);
    setup
        .fault()
        .await
        .is(Code::WebexApi, "role", "no administrator of the contact center", "role Administrator")
        .seen("Access denied");
}

#[actix_web::test]
async fn something_between_takes_the_token_away() {
    let (setup, webex) = logged_in(SCOPES).await;
    webex.script(
        BadDay::Status { status: 400, body: json!({ "message": "missing bearer" }) },
        1,
        Asked::Subscriptions,
    );
    setup.fault().await.is(
        Code::WebexApi,
        "bearer",
        "a proxy between",
        "without a proxy that changes requests",
    );
}

#[actix_web::test]
async fn the_region_is_another_one() {
    let (setup, webex) = logged_in(SCOPES).await;
    webex.script(BadDay::Html { status: 404 }, 1, Asked::Subscriptions);
    setup.fault().await.is(Code::WebexApi, "region", "not that of the region", "webex.api_url = ");
}

#[actix_web::test]
async fn webex_answers_garbage() {
    let (setup, webex) = logged_in(SCOPES).await;
    webex.script(BadDay::Body { body: json!({ "surprise": 1 }) }, 1, Asked::Subscriptions);
    setup.fault().await.is(Code::WebexApi, "garbage", "webex.api_url", "webex.api_url");
}

#[actix_web::test]
async fn a_subscription_is_inactive() {
    let (setup, webex) = logged_in(SCOPES).await;
    subscribe(&setup).await;
    let id = webex.subscriptions()[0].id.clone();
    webex.change_subscription(&id, |subscription| subscription.active = false);
    setup
        .fault()
        .await
        .is(Code::Subscriptions, "inactive", "longer than 5 s", "webex subscribe --reactivate")
        .seen("task:1.0.0 scv-bridge is inactive");
}

#[actix_web::test]
async fn no_subscription_sends_here() {
    let (mut setup, _webex) = logged_in(SCOPES).await;
    subscribe(&setup).await;
    setup.change(PUBLIC, "https://other.acme.test");
    setup
        .fault()
        .await
        .is(Code::Subscriptions, "missing", "another public_url", "scv-bridge webex subscribe")
        .seen("those of the tenant go to https://bridge.acme.test/webhooks/wxcc");
}
