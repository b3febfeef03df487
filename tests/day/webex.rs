//! The tenant: signs events, and lets an administrator log in.

use std::sync::Arc;

use scv_bridge::clock::{Clock, SystemClock};
use scv_bridge::mock::webex::{Envelope, Event, MockWebex, MockWebexSettings};
use scv_bridge::settings::{BaseUrl, WebexClient};
use scv_bridge::store::Store;
use scv_bridge::webex::{TokenCipher as Seal, WebexTokens as Tokens};
use url::Url;

/// The secret of the subscription.
pub const SECRET: &str = "s3cret-of-the-subscription-32chars";

/// A tenant whose Search gives a day in as many requests as Webex allows in a minute.
pub async fn start() -> MockWebex {
    let settings = MockWebexSettings { keep_recorded: 1000, ..MockWebexSettings::default() };
    MockWebex::start(settings, ([127, 0, 0, 1], 0).into(), || SystemClock.now()).await.unwrap()
}

/// Both versions of webhooks.
pub fn envelopes() -> [Envelope; 2] {
    [1, 2].map(|version| Envelope {
        org_id: MockWebexSettings::default().org_id,
        subscription: "s1".into(),
        version,
        misspelled_org_key: false,
        secret: Some(SECRET.into()),
    })
}

/// Which version an event comes in.
pub fn envelope_of<'a>(envelopes: &'a [Envelope; 2], event: &Event) -> &'a Envelope {
    let last = event.id.bytes().last().unwrap_or_default();
    &envelopes[usize::from(last % 2)]
}

/// What `scv-bridge webex login` does, with an administrator who agrees to everything.
pub async fn log_in(webex: &MockWebex, store: &Store) {
    let settings = MockWebexSettings::default();
    let client = WebexClient { id: settings.client_id.clone(), secret: settings.client_secret.into() };
    let url = BaseUrl::parse(&webex.token_url()).unwrap();
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let http = builder.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tokens =
        Tokens::new(http.clone(), (&url, &client, Seal::new(None)), store.clone(), clock, "login".into());
    let redirect_uri = &settings.redirect_uris[0];
    let mut page = Url::parse(&webex.authorize_url()).unwrap();
    page.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &settings.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &settings.scopes.join(" "))
        .append_pair("state", "s");
    let back = http.get(page).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
    let code = Url::parse(&back).unwrap().query_pairs().next().unwrap().1.into_owned();
    tokens.exchange_code(&code, redirect_uri, None).await.unwrap();
}
