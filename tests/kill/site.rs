//! An installation in a folder of its own, in front of an org that forgets nothing.

use std::fs;
use std::path::Path;

use openssl::sha::sha256;
use reqwest::Certificate;
use scv_bridge::certificate::{IssuedPair as Issued, issue};
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::mock::{MockOrg, MockOrgSettings};
use tempfile::TempDir;

use super::authority::Authority;

/// Id and secret of the flow's connector.
pub const CONNECTOR: (&str, &str) = ("webex-flow", "s3cret-of-the-flow");
/// The contact center whose creates fail where Salesforce fails.
pub const CENTER: &str = "WxCCContactCenterSCV";
/// The one of the same org whose creates are made up for.
pub const DEFERRING: &str = "Sandbox";
/// Deadline of every route.
pub const DEADLINE_MILLISECONDS: u64 = 1000;

/// The folder and the org. The folder is kept if the test fails.
pub struct Site {
    folder: TempDir,
    database: String,
    authority: Authority,
    /// The org of the contact center.
    pub org: MockOrg,
}

impl Site {
    /// With this database; `sqlite:` paths are relative to the folder.
    pub async fn open(database: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = issue("WebexCCSCV", 2048, 90, SystemClock.now()).unwrap();
        let org = MockOrg::start(org(&pair), ([127, 0, 0, 1], 0).into(), || SystemClock.now()).await.unwrap();
        let place = format!("sqlite:{}/", folder.path().display());
        let (database, authority) = (database.replace("sqlite:", &place), Authority::new());
        let site = Self { folder, org, database, authority };
        let holder = site.authority.issue("localhost");
        fs::write(site.path().join("tls.crt"), site.authority.chain(&holder)).unwrap();
        fs::write(site.path().join("tls.key"), holder.key_pem()).unwrap();
        fs::write(site.path().join("signing.crt"), &pair.certificate_pem).unwrap();
        fs::write(site.path().join("signing.key"), &pair.key_pem).unwrap();
        fs::write(site.path().join("bridge.toml"), site.configuration()).unwrap();
        site
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whom clients trust.
    pub fn root(&self) -> Certificate {
        Certificate::from_pem(&self.authority.root_pem()).unwrap()
    }

    /// The URL of the database, wherever one stands.
    pub fn database(&self) -> String {
        self.database.clone()
    }

    /// Where to look when something went wrong.
    pub fn evidence(&self) -> String {
        format!("see {}", self.path().display())
    }

    /// Patience is short everywhere, so that the outbox has much to do and little to wait for.
    fn configuration(&self) -> String {
        let (id, secret) = CONNECTOR;
        let digest: String = sha256(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let (telephony, database) = (self.org.telephony_url(), &self.database);
        let deadline = format!("\"{DEADLINE_MILLISECONDS}ms\"");
        format!(
            r#"
            [server]
            workers = 2
            [operations]
            listen = "127.0.0.1:0"
            [deadlines]
            create_voice_call = {deadline}
            execute_omni_flow = {deadline}
            update_voice_call = {deadline}
            clear_routing = {deadline}
            phone_contact_ended = {deadline}
            agent_answered = {deadline}
            [store]
            url = "{database}"
            [outbox]
            schedule = ["100ms", "200ms", "500ms", "1s"]
            lease = "15s"
            [breaker]
            pause = "50ms"
            longest_pause = "200ms"
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
            [call_centers.{CENTER}]
            api = "telephony"
            certificate = "WebexCCSCV"
            org_id = "00D000000000001EAA"
            telephony_url = "{telephony}"
            [call_centers.{DEFERRING}]
            api = "telephony"
            certificate = "WebexCCSCV"
            org_id = "00D000000000001EAA"
            telephony_url = "{telephony}"
            on_create_failure = "defer"
            "#
        )
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.folder.disable_cleanup(std::thread::panicking());
    }
}

fn org(pair: &Issued) -> MockOrgSettings {
    MockOrgSettings {
        creates_per_second: None,
        keep_recorded: usize::MAX,
        keep_voice_calls: usize::MAX,
        ..MockOrgSettings::example(pair.certificate_pem.clone())
    }
}
