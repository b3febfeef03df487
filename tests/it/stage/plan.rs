//! How a stage is to be set up: a configuration file as an administrator writes it.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use openssl::sha::sha256;
use scv_bridge::app::Application;
use scv_bridge::clock::{Clock, ManualClock};
use scv_bridge::ids::Ids;
use scv_bridge::mock::{MockOrg, MockOrgSettings};
use scv_bridge::settings::{Settings, Source};

use super::{CENTER, CERTIFICATE, CONNECTOR, OTHER_CERTIFICATE, RESTRICTED, Stage, issued};

/// When every test begins.
pub const NOW: &str = "2026-11-21T10:00:00.250Z";

/// North American numbers of callers are sent in brackets, dialed numbers as bare digits.
const TRANSLATIONS: &str = r#"
from = '{"US":"[12,12]->(\\+1)(\\d{3})(\\d{3})(\\d{4})->($2) $3-$4"}'
to = '{"digits":"[1,17]->[^\\d]+"}'
"#;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Telephony,
    Apex,
}

/// A stage before it is set up.
pub struct Plan {
    way: Way,
    certificate: &'static str,
    salesforce: Option<String>,
    store: Option<String>,
    workers: usize,
    server: String,
    public_url: &'static str,
    asks: bool,
    center: String,
    sections: String,
    org: MockOrgSettings,
    seed: u64,
}

impl Plan {
    /// The contact center is reached by the telephony API.
    pub fn telephony() -> Self {
        Self::new(Way::Telephony)
    }

    /// The contact center is reached by the Apex wrapper.
    pub fn apex() -> Self {
        Self::new(Way::Apex)
    }

    fn new(way: Way) -> Self {
        let mut org = MockOrgSettings::example(issued(CERTIFICATE).certificate_pem.clone());
        // The clock stands still, so that every test would run into the limit of its one second.
        org.creates_per_second = None;
        let (server, center, sections) = (String::new(), String::new(), String::new());
        Self {
            seed: 1,
            way,
            certificate: CERTIFICATE,
            salesforce: None,
            store: None,
            workers: 1,
            server,
            public_url: "",
            asks: false,
            center,
            sections,
            org,
        }
    }

    /// More keys for the contact center.
    pub fn center(mut self, keys: &str) -> Self {
        self.center.push_str(keys);
        self.center.push('\n');
        self
    }

    /// More keys for the public listener.
    pub fn server(mut self, keys: &str) -> Self {
        self.server.push_str(keys);
        self.server.push('\n');
        self
    }

    /// More sections; `{folder}` is where everything of the bridge lies.
    pub fn sections(mut self, sections: &str) -> Self {
        self.sections.push_str(sections);
        self.sections.push('\n');
        self
    }

    /// Salesforce itself is asked whether an agent had a call.
    pub fn ask_salesforce(mut self) -> Self {
        self.asks = true;
        self
    }

    /// The deadline of all routes.
    pub fn deadline(self, deadline: &str) -> Self {
        let keys = [
            "create_voice_call",
            "execute_omni_flow",
            "update_voice_call",
            "clear_routing",
            "phone_contact_ended",
            "agent_answered",
        ];
        let lines = keys.map(|key| format!("{key} = \"{deadline}\"")).join("\n");
        self.sections(&format!("[deadlines]\n{lines}"))
    }

    /// The contact center's own certificate.
    pub fn certificate(mut self, name: &'static str) -> Self {
        self.certificate = name;
        self
    }

    /// The address that the configuration gives for Salesforce, instead of the org's.
    pub fn salesforce_at(mut self, url: impl Into<String>) -> Self {
        self.salesforce = Some(url.into());
        self
    }

    /// What the world calls the bridge.
    pub fn public_url(mut self, url: &'static str) -> Self {
        self.public_url = url;
        self
    }

    /// The bridge's database, instead of a file of SQLite.
    pub fn store(mut self, url: String) -> Self {
        self.store = Some(url);
        self
    }

    /// Another replica on the database of one: by another name.
    pub fn replica(mut self, number: u64) -> Self {
        self.seed = number;
        self
    }

    /// Worker threads of the bridge, each with connections of its own, instead of one.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Another org.
    pub fn org(mut self, adjust: impl FnOnce(&mut MockOrgSettings)) -> Self {
        adjust(&mut self.org);
        self
    }

    /// Starts org and bridge.
    pub async fn start(self) -> Stage {
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let shared: Arc<dyn Clock> = clock.clone();
        let loopback = "127.0.0.1:0".parse().unwrap();
        let of_org = clock.clone();
        let org = MockOrg::start(self.org.clone(), loopback, move || of_org.now()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bridge.toml");
        std::fs::write(&file, self.configuration(&org, folder.path())).unwrap();
        let source = Source { file: Some(file), environment: Vec::new() };
        let settings = Settings::load(&source, shared.as_ref()).unwrap();
        let application =
            Application::build(settings, &shared, &Arc::new(Ids::new(self.seed))).await.unwrap();
        let public = format!("http://{}", application.public_address());
        let operations = format!("http://{}", application.operations_address());
        let handle = application.handle();
        let running = actix_web::rt::spawn(application.run());
        // No certificates: reading the system's takes longer than most tests, and all is plain HTTP here.
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let expected_refusals = Cell::new(0);
        Stage { org, clock, handle, public, operations, running, http, expected_refusals, folder }
    }

    fn configuration(&self, org: &MockOrg, folder: &Path) -> String {
        let url = |own: String| self.salesforce.clone().unwrap_or(own);
        let way = match self.way {
            Way::Telephony => telephony(&url(org.telephony_url())),
            Way::Apex => apex(&url(org.login_url()), CONSUMER_KEY),
        };
        let file = format!("sqlite:{}", folder.join("bridge.db").display());
        let asks = match (self.asks, self.way) {
            (false, _) => String::new(),
            (true, Way::Apex) => String::from("abandonment.ask_salesforce = true"),
            (true, Way::Telephony) => {
                format!("abandonment.ask_salesforce = true\n{}", oauth(&org.login_url()))
            }
        };
        let parts = [
            format!(
                "[server]\nlisten = \"127.0.0.1:0\"\nworkers = {}\npublic_url = \"{}\"\n{}",
                self.workers, self.public_url, self.server
            ),
            String::from("[operations]\nlisten = \"127.0.0.1:0\""),
            format!("[store]\nurl = {:?}", self.store.as_ref().unwrap_or(&file)),
            client(CONNECTOR, "*"),
            client(RESTRICTED, "Sandbox"),
            certificate(CERTIFICATE, folder),
            certificate(OTHER_CERTIFICATE, folder),
            format!(
                "[call_centers.Sandbox]\ncertificate = \"{CERTIFICATE}\"\n{}",
                telephony(&org.telephony_url())
            ),
            format!(
                "[call_centers.{CENTER}]\ncertificate = \"{}\"\n{way}\n{asks}\n{}",
                self.certificate, self.center
            ),
            format!("[call_centers.{CENTER}.translations]{TRANSLATIONS}"),
            self.sections.replace("{folder}", &folder.display().to_string()),
        ];
        parts.join("\n")
    }
}

const CONSUMER_KEY: &str = "3MVG9example.consumer.key";

fn telephony(url: &str) -> String {
    format!("api = \"telephony\"\norg_id = \"00D000000000001EAA\"\ntelephony_url = \"{url}\"")
}

fn apex(url: &str, consumer_key: &str) -> String {
    format!(
        "api = \"apex\"\nlogin_url = \"{url}\"\nconsumer_key = \"{consumer_key}\"\nusername = \"scv.integration@example.com\""
    )
}

/// The session that the telephony way needs for questions only.
fn oauth(url: &str) -> String {
    format!(
        "oauth.login_url = \"{url}\"\noauth.consumer_key = \"{CONSUMER_KEY}\"\noauth.username = \"scv.integration@example.com\""
    )
}

fn client((id, secret): (&str, &str), call_centers: &str) -> String {
    let digest: String = sha256(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[clients]]\nid = \"{id}\"\nsecret_sha256 = \"{digest}\"\ncall_centers = [\"{call_centers}\"]")
}

/// Writes the pair and names it.
fn certificate(name: &str, folder: &Path) -> String {
    let pair = issued(name);
    let [certificate, key] = ["crt", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
    std::fs::write(&certificate, &pair.certificate_pem).unwrap();
    std::fs::write(&key, &pair.key_pem).unwrap();
    format!("[certificates.{name}]\ncertificate = {certificate:?}\nprivate_key = {key:?}")
}
