//! An installation in a folder of its own, between an org and a tenant that forget nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use openssl::sha::sha256;
use scv_bridge::certificate::{IssuedPair as Issued, issue};
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::mock::webex::MockWebex;
use scv_bridge::mock::{MockOrg, MockOrgSettings};
use tempfile::TempDir;

use super::webex::{self, SECRET};

/// Id and secret of the flows' connector.
pub const CONNECTOR: (&str, &str) = ("webex-flow", "s3cret-of-the-flow");
/// The contact centers: one that leaves final updates to its agents' desktops, and [`ENRICHED`].
pub const CENTERS: [&str; 2] = ["Support", ENRICHED];
/// The contact center whose final updates come from the bridge.
pub const ENRICHED: &str = "Sales";
/// Queues and agents are numbered.
pub const QUEUES: usize = 5;
pub const AGENTS: usize = 43;

/// The folder, the org and the tenant. The folder is kept if the test fails.
pub struct Site {
    folder: TempDir,
    /// The org of both contact centers.
    pub org: MockOrg,
    /// The tenant.
    pub webex: MockWebex,
}

impl Site {
    /// With nothing in the database.
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = issue("WebexCCSCV", 2048, 90, SystemClock.now()).unwrap();
        let now = || SystemClock.now();
        let org = MockOrg::start(org(&pair), ([127, 0, 0, 1], 0).into(), now).await.unwrap();
        let site = Self { folder, org, webex: webex::start().await };
        fs::write(site.path().join("signing.crt"), &pair.certificate_pem).unwrap();
        fs::write(site.path().join("signing.key"), &pair.key_pem).unwrap();
        fs::write(site.path().join("bridge.toml"), site.configuration()).unwrap();
        site
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file of the database.
    pub fn database(&self) -> PathBuf {
        self.path().join("bridge.db")
    }

    /// Runs a command of the program to its end; what it printed.
    pub async fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scv-bridge"));
        command.args(arguments).args(["--config", "bridge.toml"]);
        command.current_dir(self.path()).env_clear().stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        out
    }

    /// `grace` is as short as the delays of the weather allow; all else is as in earnest, but for a busy machine.
    fn configuration(&self) -> String {
        let (id, secret) = CONNECTOR;
        let digest: String = sha256(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let database = self.database();
        let (api, token) = (self.webex.url(), self.webex.token_url());
        let centers: String = CENTERS.iter().map(|center| self.center(center)).collect();
        format!(
            r#"
            [server]
            workers = 1
            [operations]
            listen = "127.0.0.1:0"
            [deadlines]
            clear_routing = "4500ms"
            phone_contact_ended = "4500ms"
            [store]
            url = "sqlite:{}"
            [outbox]
            schedule = ["200ms", "500ms", "1s"]
            [limits]
            creates_per_second = 10000
            [logs]
            level = "warn"
            [[clients]]
            id = "{id}"
            secret_sha256 = "{digest}"
            call_centers = ["*"]
            [certificates.WebexCCSCV]
            certificate = "signing.crt"
            private_key = "signing.key"
            [webex]
            org_id = "97cdbf45-ebe2-4687-8341-44d5c7abf101"
            webhook_secrets = ["{SECRET}"]
            grace = "2s"
            api_url = "{api}"
            token_url = "{token}"
            client_id = "C0123456789abcdef"
            client_secret = "the-secret-of-the-integration"
            reconcile_every = "0s"
            call_center = "{}"
            log_unknown_calls = true
            {centers}
            [call_centers.{ENRICHED}.enrichment]
            enabled = true
            recording_location = "https://player.example.com/{{taskId}}/{{fileName}}"
            queues = {{ {} }}
            agents = {{ {} }}
            "#,
            database.display(),
            ENRICHED,
            names("queue", QUEUES),
            names("agent", AGENTS),
        )
    }

    /// Salesforce is asked before an abandonment: where every sign of an agent was lost, it alone knows of one.
    fn center(&self, name: &str) -> String {
        let (telephony, login) = (self.org.telephony_url(), self.org.login_url());
        format!(
            r#"
            [call_centers.{name}]
            api = "telephony"
            certificate = "WebexCCSCV"
            org_id = "00D000000000001EAA"
            telephony_url = "{telephony}"
            abandonment.ask_salesforce = true
            oauth.login_url = "{login}"
            oauth.consumer_key = "3MVG9example.consumer.key"
            oauth.username = "scv.integration@example.com"
            "#
        )
    }
}

/// What Salesforce calls a queue or an agent of Webex.
pub fn name_of(id: &str) -> String {
    format!("{id}@example.com")
}

fn names(kind: &str, count: usize) -> String {
    let name = |number: usize| {
        let id = format!("{kind}-{number}");
        format!("{id} = \"{}\"", name_of(&id))
    };
    (0..count).map(name).collect::<Vec<_>>().join(", ")
}

impl Drop for Site {
    fn drop(&mut self) {
        self.folder.disable_cleanup(std::thread::panicking());
    }
}

fn org(pair: &Issued) -> MockOrgSettings {
    MockOrgSettings {
        call_centers: CENTERS.map(str::to_owned).to_vec(),
        creates_per_second: None,
        keep_recorded: usize::MAX,
        keep_voice_calls: usize::MAX,
        verify_every_token: false,
        ..MockOrgSettings::example(pair.certificate_pem.clone())
    }
}
