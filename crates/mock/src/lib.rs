//! The mock Salesforce org over real HTTP, as strict as the real one: the double in tests, the org of the demo and a
//! program of its own. It shares no code with the bridge, so that a misunderstanding there is not repeated.
//! Beside it, [`webex`] is a mock Webex tenant.

mod answer;
mod apex;
mod bad_day;
mod bodies;
mod fields;
mod jwt;
mod locate;
mod log;
mod oauth;
mod org;
mod pages;
mod query;
mod records;
mod reply;
mod salesforce_id;
mod server;
mod settings;
mod telephony;
mod token;
mod voice_call;
pub mod webex;
mod work;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, to};
use actix_web::{App, HttpServer};
use jiff::Timestamp;
use openssl::pkey::{PKey, Public};
use openssl::x509::X509;

pub use self::bad_day::{BadDay, Script};
pub use self::bodies::Holds;
pub use self::locate::Operation;
pub use self::log::{RecordedRequest, Refusal};
pub use self::settings::{MockOrgSettings, PhoneChannel, RepeatedCreate};
pub use self::voice_call::{Disposition, PendingServiceRouting, VoiceCall};

use self::org::Org;

/// Where the time comes from.
type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Longer than clients keep idle connections, so that none meets a connection that is just closing.
const KEEP_ALIVE: Duration = Duration::from_secs(120);

/// A running mock org. Clones are handles of the same org.
#[derive(Clone)]
pub struct MockOrg {
    org: Arc<Org>,
    address: SocketAddr,
    server: ServerHandle,
}

impl fmt::Debug for MockOrg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MockOrg").field("address", &self.address).finish_non_exhaustive()
    }
}

impl MockOrg {
    /// Starts an org on `listen` (port 0: any free one) in the current Tokio runtime. It runs until [`MockOrg::stop`] or the
    /// runtime's end.
    ///
    /// # Errors
    /// The address is taken, or the certificate is not an X.509 certificate in PEM.
    #[expect(clippy::unused_async, reason = "needs a runtime around it: callers must be asynchronous")]
    pub async fn start(
        settings: MockOrgSettings,
        listen: SocketAddr,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let key = public_key(&settings.certificate_pem)?;
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let workers = settings.workers.max(1);
        let org = Arc::new(Org::new(settings, key, format!("http://{address}"), Arc::new(now)));
        let data = Data::from(Arc::clone(&org));
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).default_service(to(server::serve)))
                .workers(workers)
                .keep_alive(KEEP_ALIVE)
                .disable_signals()
                .listen(listener)?
                .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { org, address, server: handle })
    }

    /// Stops the org at once: once this returns the port is free, and what still comes over open connections is
    /// neither done nor answered.
    pub async fn stop(&self) {
        self.org.stop();
        self.server.stop(false).await;
    }

    /// `http://127.0.0.1:<port>`: My Domain, `instance_url` and login URL in one.
    #[must_use]
    pub fn url(&self) -> String {
        self.org.url.clone()
    }

    /// Base of the Telephony Integration REST API.
    #[must_use]
    pub fn telephony_url(&self) -> String {
        format!("{}/telephony/v1", self.org.url)
    }

    /// Base of the token endpoint.
    #[must_use]
    pub fn login_url(&self) -> String {
        self.url()
    }

    /// A VoiceCall by id (15 or 18 characters) or vendorCallKey.
    #[must_use]
    pub fn voice_call(&self, id_or_key: &str) -> Option<VoiceCall> {
        self.org.state().records.find(id_or_key).cloned()
    }

    /// All VoiceCalls, the oldest first.
    #[must_use]
    pub fn voice_calls(&self) -> Vec<VoiceCall> {
        self.org.state().records.all()
    }

    /// What the org refused, the oldest first. Answers of bad days are not among them.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        self.org.state().refusals.all()
    }

    /// What arrived, the oldest first, pages apart.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.org.state().requests.all()
    }

    /// Forgets recorded requests and refusals; records stay.
    pub fn forget_requests(&self) {
        let mut state = self.org.state();
        state.requests.clear();
        state.refusals.clear();
    }

    /// An agent accepts the work in Omni-Channel: accept time set, disposition `in-progress`, pending routing gone. `false` if
    /// there is no such VoiceCall or it is over.
    pub fn agent_accepts(&self, id_or_key: &str, agent: &str) -> bool {
        let now = self.org.now();
        let mut state = self.org.state();
        state.records.find_mut(id_or_key).is_some_and(|call| call.accept(agent, now))
    }

    /// Puts a bad day into the diary: `org.script(BadDay::HalfBody.times(2).on(Operation::Create))`.
    pub fn script(&self, script: impl Into<Script>) {
        self.org.state().diary.push(script.into());
    }

    /// Bad days that have not come yet.
    #[must_use]
    pub fn scripted(&self) -> Vec<Script> {
        pages::to_come(&self.org)
    }

    /// Bad days that have not come yet never will.
    pub fn forget_scripts(&self) {
        self.org.state().diary.clear();
    }

    /// From now on the org knows these certificates and no other: an administrator changes them, for a while perhaps by
    /// knowing both.
    ///
    /// # Errors
    /// One of them is not an X.509 certificate in PEM.
    pub fn know_certificates(&self, pem: &[&[u8]]) -> io::Result<()> {
        let keys = pem.iter().map(|pem| public_key(pem)).collect::<io::Result<Vec<_>>>()?;
        let mut state = self.org.state();
        state.keys = keys;
        state.believed.clear();
        Ok(())
    }

    /// Ends all OAuth sessions.
    pub fn revoke_sessions(&self) {
        self.org.state().sessions.clear();
    }
}

fn public_key(pem: &[u8]) -> io::Result<PKey<Public>> {
    X509::from_pem(pem).and_then(|certificate| certificate.public_key()).map_err(|error| {
        let problem = format!("the mock org needs an X.509 certificate in PEM: {error}");
        io::Error::new(io::ErrorKind::InvalidInput, problem)
    })
}
