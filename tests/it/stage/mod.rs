//! What every test stands on: a bridge and a mock org on loopback, and a client with a connector's credentials.

mod bodies;
mod certificates;
mod load;
mod plan;
mod raw;
mod reply;
mod webex;

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use scv_bridge::app::{Handle, Reread};
use scv_bridge::clock::ManualClock;
use scv_bridge::mock::{BadDay, MockOrg, Operation, RecordedRequest, Refusal, Script};
use scv_bridge::settings::Source;
use scv_bridge::store::{Entry, EntryState, Filter};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Executor as _};
use tempfile::TempDir;

pub use bodies::{CENTER, Text, create, ended, omni_flow, reference, with};
pub use certificates::{CERTIFICATE, OTHER_CERTIFICATE, issued};
pub use load::Load;
pub use plan::{NOW, Plan};
pub use raw::{answer_each, answer_once, exchange, silence};
pub use reply::{CANARIES, Reply};
pub use webex::{SECRET, event, sign, webex};

/// Id and secret of the flow's connector, which may use every contact center.
pub const CONNECTOR: (&str, &str) = ("webex-flow", "s3cret-of-the-flow");
/// A client that may use the contact center `Sandbox` only.
pub const RESTRICTED: (&str, &str) = ("sandbox-only", "s3cret-of-the-sandbox");

/// Long enough for anything that comes at all.
pub const BOUND: Duration = Duration::from_secs(30);

/// A running bridge and its org. Dropping it fails the test if the org refused what the test did not expect, or if
/// a scripted bad day never came.
pub struct Stage {
    pub org: MockOrg,
    pub clock: Arc<ManualClock>,
    pub handle: Handle,
    /// Where flows find the bridge.
    pub public: String,
    /// Where operators find it.
    pub operations: String,
    /// The service, until it ends.
    pub running: tokio::task::JoinHandle<std::io::Result<()>>,
    http: reqwest::Client,
    expected_refusals: Cell<usize>,
    folder: TempDir,
}

impl Stage {
    /// The telephony API, everything else as usual.
    pub async fn telephony() -> Self {
        Plan::telephony().start().await
    }

    /// The Apex wrapper, everything else as usual.
    pub async fn apex() -> Self {
        Plan::apex().start().await
    }

    /// One of each.
    pub async fn both() -> [Self; 2] {
        [Self::telephony().await, Self::apex().await]
    }

    /// A request to the public listener, without credentials.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.public))
    }

    /// A POST with the connector's credentials.
    pub fn connector(&self, path: &str) -> RequestBuilder {
        let (id, secret) = CONNECTOR;
        self.request(Method::POST, path).basic_auth(id, Some(secret))
    }

    /// A request of a flow, not yet sent.
    pub fn flow(&self, route: &str, body: impl Into<Text>) -> RequestBuilder {
        self.connector(&format!("/voice/v1/{route}"))
            .header("content-type", "Application/JSON")
            .body(body.into().0)
    }

    /// Sends what a flow sends.
    pub async fn post(&self, route: &str, body: impl Into<Text>) -> Reply {
        Reply::of(self.flow(route, body)).await
    }

    /// Asks the operations listener.
    pub async fn ask(&self, path: &str) -> Reply {
        Reply::of(self.http.get(format!("{}{path}", self.operations))).await
    }

    /// Creates a VoiceCall under the key and tells its id.
    pub async fn call(&self, key: &str) -> String {
        let reply = self.post("createVoiceCall", create(key)).await;
        reply.data()["voiceCallId"].as_str().unwrap().to_owned()
    }

    /// A bad day for the next request of this operation.
    pub fn script(&self, day: BadDay, on: Operation) {
        self.org.script(day.on(on));
    }

    /// A bad day for the next requests of this operation.
    pub fn script_times(&self, day: BadDay, times: u32, on: Operation) {
        self.org.script(Script::on(day.times(times), on));
    }

    /// The org answers this status with this body, once.
    pub fn script_answer(&self, status: u16, body: Value, on: Operation) {
        self.script(BadDay::Status { status, body }, on);
    }

    /// What the org refused so far; the test looks at it, so that it is no surprise any more.
    pub fn refusals(&self) -> Vec<Refusal> {
        let refusals = self.org.refusals();
        self.expected_refusals.set(refusals.len());
        refusals
    }

    /// What the org was asked for this operation.
    pub fn asked(&self, operation: Operation) -> Vec<RecordedRequest> {
        self.org.requests().into_iter().filter(|request| request.operation == operation).collect()
    }

    /// The only request for this operation.
    pub fn asked_once(&self, operation: Operation) -> RecordedRequest {
        let mut asked = self.asked(operation);
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    /// The bodies of all requests for this operation.
    pub fn sent(&self, operation: Operation) -> Vec<Value> {
        self.asked(operation).into_iter().map(|request| request.body.unwrap_or_default()).collect()
    }

    /// Moves the time and lets the outbox deliver until nothing is left to try.
    pub async fn deliver(&self, seconds: u64) {
        self.wait_seconds(seconds);
        let store = self.handle.outbox().store();
        let waits =
            async || store.count().await.unwrap().iter().any(|count| count.state == EntryState::Pending);
        self.work_until(async || !waits().await).await;
    }

    /// A database that was away is used again.
    pub async fn until_ready(&self) {
        let ready = async { while self.ask("/readyz").await.status != 200 {} };
        assert!(tokio::time::timeout(BOUND, ready).await.is_ok(), "it does not recover");
    }

    /// Lets the outbox take up what is due until this holds.
    pub async fn work_until(&self, holds: impl AsyncFn() -> bool) {
        let work = async {
            while !holds().await {
                self.handle.worker().step().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(BOUND, work).await.is_ok(), "the outbox does not come to that");
    }

    /// Another connection to the bridge's database of SQLite.
    pub async fn beside(&self) -> SqliteConnection {
        let file = self.folder.path().join("bridge.db");
        SqliteConnectOptions::new().filename(file).connect().await.unwrap()
    }

    /// Another program holds the lock of the bridge's SQLite, and the bridge waits for it to write: nothing can be read of it
    /// either until that is over.
    pub async fn lock_for_reading_too(&self) -> SqliteConnection {
        let mut other = self.beside().await;
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        let store = self.handle.outbox().store().clone();
        tokio::spawn(async move { store.end_turns("a process that has no turns").await });
        tokio::task::yield_now().await;
        other
    }

    /// Everything that the outbox holds.
    pub async fn entries(&self) -> Vec<Entry> {
        self.handle.outbox().store().list(&Filter::default()).await.unwrap()
    }

    /// The file of the configuration.
    pub fn configuration_file(&self) -> PathBuf {
        self.folder.path().join("bridge.toml")
    }

    /// The configuration as its file says it.
    pub fn configuration(&self) -> String {
        std::fs::read_to_string(self.configuration_file()).unwrap()
    }

    /// Writes another configuration and has it read.
    pub async fn configure(&self, text: &str) -> Reread {
        let file = self.folder.path().join("bridge.toml");
        std::fs::write(&file, text).unwrap();
        self.handle.reread(&Source { file: Some(file), environment: Vec::new() }).await
    }

    /// Writes another configuration, which is taken as it is.
    pub async fn change(&self, from: &str, to: &str) {
        let before = self.configuration();
        let after = before.replace(from, to);
        assert_ne!(before, after, "{from} is not there");
        let reread = self.configure(&after).await;
        assert!(reread.problems.is_empty() && reread.after_restart.is_empty(), "{reread:?}");
    }

    /// A line of the metrics.
    pub async fn metric(&self, name: &str) -> Option<String> {
        let metrics = self.ask("/metrics").await.text;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(line.to_owned())
    }

    /// Whether any file of the bridge's database holds these bytes.
    pub fn database_holds(&self, part: &str) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap().path());
        let database =
            files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with("bridge.db"));
        database
            .map(|file| std::fs::read(file).unwrap())
            .any(|bytes| bytes.windows(part.len()).any(|window| window == part.as_bytes()))
    }

    /// Moves the time of bridge and org.
    pub fn wait_seconds(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let surprises: Vec<_> = self.org.refusals().into_iter().skip(self.expected_refusals.get()).collect();
        assert!(surprises.is_empty(), "the org refused {surprises:#?}");
        let left = self.org.scripted();
        assert!(left.is_empty(), "these bad days never came: {left:#?}");
    }
}

/// Sends all of them at once.
pub async fn at_once(requests: impl IntoIterator<Item = RequestBuilder>) -> Vec<Reply> {
    let sent: Vec<_> = requests.into_iter().map(|request| tokio::spawn(Reply::of(request))).collect();
    let mut replies = Vec::with_capacity(sent.len());
    for reply in sent {
        replies.push(reply.await.unwrap());
    }
    replies
}
