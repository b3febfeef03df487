//! A mock Webex Contact Center tenant over real HTTP, as strict as the documents of the real one: tokens that rotate,
//! subscriptions, Search, recordings, and signed webhooks on a way that loses, doubles and shuffles.

mod access;
mod captures;
mod events;
mod flows;
mod graphql;
mod log;
mod oauth;
mod operation;
mod pages;
mod publish;
mod refused;
mod search;
mod serve;
mod settings;
mod subscriptions;
mod tenant;
#[cfg(test)]
mod tests;
mod weather;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, to};
use actix_web::{App, HttpServer};
use jiff::Timestamp;
use serde_json::{Map, Value};

pub use self::captures::Recording;
pub use self::events::{Envelope, Event, Webhook};
pub use self::flows::ImportedFlow;
pub use self::log::{RecordedCall, RefusedCall};
pub use self::operation::Operation;
pub use self::publish::Published;
pub use self::settings::MockWebexSettings;
pub use self::subscriptions::Subscription;
pub use self::tenant::Script;
pub use self::weather::Weather;

use self::tenant::Tenant;
use super::KEEP_ALIVE;
use super::bad_day::BadDay;

/// A running mock tenant. Clones are handles of the same one.
#[derive(Clone)]
pub struct MockWebex {
    tenant: Arc<Tenant>,
    server: ServerHandle,
    http: reqwest::Client,
}

impl fmt::Debug for MockWebex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MockWebex").field("url", &self.tenant.url).finish_non_exhaustive()
    }
}

impl MockWebex {
    /// Starts a tenant on `listen` (port 0: any free one) in the current Tokio runtime. It runs until
    /// [`MockWebex::stop`] or the runtime's end.
    ///
    /// # Errors
    /// The address is taken, or there is no HTTP client for webhooks.
    #[expect(clippy::unused_async, reason = "needs a runtime around it: callers must be asynchronous")]
    pub async fn start(
        settings: MockWebexSettings,
        listen: SocketAddr,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let http = publish::client().map_err(io::Error::other)?;
        let listener = TcpListener::bind(listen)?;
        let url = format!("http://{}", listener.local_addr()?);
        let tenant = Arc::new(Tenant::new(settings, url, Arc::new(now)));
        let data = Data::from(Arc::clone(&tenant));
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).default_service(to(serve::serve)))
                .workers(1)
                .keep_alive(KEEP_ALIVE)
                .disable_signals()
                .listen(listener)?
                .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { tenant, server: handle, http })
    }

    /// Stops the tenant at once.
    pub async fn stop(&self) {
        self.server.stop(false).await;
    }

    /// Base of the APIs.
    #[must_use]
    pub fn url(&self) -> String {
        self.tenant.url.clone()
    }

    /// Where tokens come from.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/v1/access_token", self.tenant.url)
    }

    /// Where an administrator agrees.
    #[must_use]
    pub fn authorize_url(&self) -> String {
        format!("{}/v1/authorize", self.tenant.url)
    }

    /// An administrator has agreed: the answer of the token endpoint, with all the integration's scopes.
    #[must_use]
    pub fn log_in(&self) -> Value {
        self.log_in_with(&self.tenant.settings.scopes)
    }

    /// The same with these scopes.
    #[must_use]
    pub fn log_in_with(&self, scopes: &[String]) -> Value {
        let answer = oauth::grant(&self.tenant, scopes.to_vec());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// All access tokens die; refresh tokens live.
    pub fn revoke_access(&self) {
        self.tenant.state().logins.revoke_access();
    }

    /// All tokens die: an administrator took the agreement back.
    pub fn revoke_logins(&self) {
        self.tenant.state().logins.revoke_all();
    }

    /// Puts a task where Search finds it, or replaces it. Fields are those of Search, times in epoch milliseconds; a
    /// task without an `id` is left out.
    pub fn put_task(&self, task: Value) {
        if let Value::Object(task) = task
            && let Some(id) = task.get("id").and_then(Value::as_str)
        {
            self.tenant.state().tasks.insert(id.to_owned(), task.clone());
        }
    }

    /// Puts a record where Search finds it under a name of its own, whatever its fields are: null, text where a number
    /// belongs, no id.
    pub fn put_odd_task(&self, name: &str, task: Value) {
        if let Value::Object(task) = task {
            self.tenant.state().tasks.insert(name.to_owned(), task);
        }
    }

    /// A task as Search shows it.
    #[must_use]
    pub fn task(&self, id: &str) -> Option<Map<String, Value>> {
        self.tenant.state().tasks.get(id).cloned()
    }

    /// A recording becomes available.
    pub fn put_recording(&self, task: &str, recording: Recording) {
        self.tenant.state().recordings.entry(task.to_owned()).or_default().push(recording);
    }

    /// The flows that were imported, in order.
    #[must_use]
    pub fn flows(&self) -> Vec<ImportedFlow> {
        self.tenant.state().flows.clone()
    }

    /// All subscriptions, the oldest first.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.tenant.state().subscriptions.clone()
    }

    /// Changes a subscription behind its owner's back, as Webex does when it turns one inactive.
    pub fn change_subscription(&self, id: &str, change: impl FnOnce(&mut Subscription)) {
        let mut state = self.tenant.state();
        if let Some(known) = state.subscriptions.iter_mut().find(|known| known.id == id) {
            change(known);
        }
    }

    /// Puts a bad day into the diary.
    pub fn script(&self, day: BadDay, times: u32, on: Operation) {
        self.tenant.state().diary.push(Script { day, times, on });
    }

    /// Bad days that have not come yet.
    #[must_use]
    pub fn scripted(&self) -> Vec<Script> {
        self.tenant.state().diary.iter().filter(|script| script.times > 0).cloned().collect()
    }

    /// What arrived, the oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedCall> {
        self.tenant.state().requests.all()
    }

    /// What arrived of this kind.
    #[must_use]
    pub fn asked(&self, operation: Operation) -> Vec<RecordedCall> {
        self.requests().into_iter().filter(|request| request.operation == operation).collect()
    }

    /// What the tenant refused, the oldest first. Answers of bad days are not among them.
    #[must_use]
    pub fn refusals(&self) -> Vec<RefusedCall> {
        self.tenant.state().refusals.all()
    }
}
