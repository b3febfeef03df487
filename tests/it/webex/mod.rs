//! The bridge as a client of Webex, in front of a mock tenant.

mod asking;
mod closing;
mod reconcile;
mod recordings;
mod sides;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use scv_bridge::clock::{Clock, ManualClock};
use scv_bridge::ids::Ids;
use scv_bridge::mock::webex::{MockWebex, MockWebexSettings};
use scv_bridge::settings::{BaseUrl, WebexClient};
use scv_bridge::store::Store;
use scv_bridge::telemetry::Metrics;
use scv_bridge::webex::{ApiClient as Client, TokenCipher as Seal, WebexTokens as Tokens};
use serde_json::Value;
use tempfile::TempDir;
use url::Url;

use crate::stage::NOW;

/// A tenant, a database and what asks.
struct Tenant {
    webex: MockWebex,
    clock: Arc<ManualClock>,
    metrics: Arc<Metrics>,
    folder: TempDir,
}

impl Tenant {
    async fn new() -> Self {
        Self::of(MockWebexSettings::default()).await
    }

    async fn of(settings: MockWebexSettings) -> Self {
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let shared = clock.clone();
        let now = move || shared.now();
        let webex = MockWebex::start(settings, "127.0.0.1:0".parse().unwrap(), now).await.unwrap();
        let metrics = Arc::new(Metrics::new().unwrap());
        Self { webex, clock, metrics, folder: tempfile::tempdir().unwrap() }
    }

    /// Opens the database, as another process where it was opened before.
    async fn store(&self) -> Store {
        Store::open(&format!("sqlite:{}", self.folder.path().join("bridge.db").display())).await.unwrap()
    }

    /// A process that calls itself `owner`.
    async fn tokens(&self, owner: &str) -> Tokens {
        self.tokens_with(owner, None).await
    }

    async fn tokens_with(&self, owner: &str, key: Option<&str>) -> Tokens {
        let client =
            WebexClient { id: "C0123456789abcdef".into(), secret: "the-secret-of-the-integration".into() };
        let url = BaseUrl::parse(&self.webex.token_url()).unwrap();
        let seal = Seal::new(key.map(|key| key.to_owned().into()));
        let tokens =
            Tokens::new(http(), (&url, &client, seal), self.store().await, self.clock.clone(), owner.into());
        tokens.measured(self.metrics.clone())
    }

    /// A client that has logged in.
    async fn client(&self) -> Client {
        let tokens = self.tokens("one").await;
        self.log_in(&tokens).await;
        self.client_of(tokens)
    }

    fn client_of(&self, tokens: Tokens) -> Client {
        let api = BaseUrl::parse(&self.webex.url()).unwrap();
        Client::new(http(), api, Arc::new(tokens), self.clock.clone(), Arc::new(Ids::new(1)))
    }

    /// Goes through the page of agreement.
    async fn log_in(&self, tokens: &Tokens) {
        let redirect_uri = "http://localhost:8087/callback";
        let mut page = Url::parse(&self.webex.authorize_url()).unwrap();
        page.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", "C0123456789abcdef")
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", "cjp:config_read cjp:config_write")
            .append_pair("state", "s");
        let back = http().get(page).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
        let code = Url::parse(&back).unwrap().query_pairs().next().unwrap().1.into_owned();
        tokens.exchange_code(&code, redirect_uri, None).await.unwrap();
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A line of the metrics.
    fn metric(&self, name: &str) -> Option<String> {
        let text = self.metrics.render().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().to_owned())
    }

    /// The grants of the requests to the token endpoint.
    fn grants(&self) -> Vec<String> {
        let asked = self.webex.asked(scv_bridge::mock::webex::Operation::Token);
        asked.into_iter().filter_map(|asked| asked.grant).collect()
    }
}

/// Follows no redirects; no certificates, for all is plain HTTP here.
fn http() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// The time of every test's beginning, in epoch milliseconds.
fn now() -> i64 {
    NOW.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// A telephony task that ended so many seconds ago.
fn task(id: &str, ended_ago: i64) -> Value {
    serde_json::json!({
        "id": id, "channelType": "telephony", "isActive": false, "status": "ended", "direction": "inbound",
        "createdTime": now() - (ended_ago + 60) * 1000, "endedTime": now() - ended_ago * 1000,
        "origin": "+14693150217", "destination": "+18005550100",
        "connectedCount": 0, "queueCount": 1, "queueDuration": 30_000, "captureRequested": false,
        "lastQueue": { "id": "q1", "name": "Sales", "duration": 30_000 },
    })
}
