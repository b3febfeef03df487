//! A mock Salesforce org and a bridge on free loopback ports, with everything they need, for plays without a configuration.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use openssl::sha::sha256;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::app::{Application, Handle};
use crate::certificate::{IssuedPair, issue};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::mock::{MockOrg, MockOrgSettings};
use crate::settings::{Deadlines, Settings, Source};
use crate::store::{EntryKind, EntryState, Filter};

/// The id of the flow's connector.
const CLIENT: &str = "webex-flow";

/// What the bridge and the org have to know of the flows.
#[derive(Debug, Clone)]
pub struct StageSettings {
    /// Names of certificates (`certDevName`); all are the same one.
    pub certificates: Vec<String>,
    /// API names of contact centers (`callCenterDevName`).
    pub call_centers: Vec<String>,
    /// When the bridge answers at the latest.
    pub deadlines: Deadlines,
}

impl StageSettings {
    /// The names of the vendor's flow.
    #[must_use]
    pub fn of_vendor(deadlines: Deadlines) -> Self {
        Self {
            certificates: vec!["WebexCCSCV".to_owned()],
            call_centers: vec!["WxCCContactCenterSCV".to_owned()],
            deadlines,
        }
    }
}

/// An org, a bridge, a certificate and a secret, which live as long as the plays.
pub struct Stage {
    /// The mock org.
    pub org: MockOrg,
    /// Where the bridge listens.
    pub bridge: String,
    /// Where operators find it.
    pub operations: String,
    /// The secret of the flow's connector.
    secret: String,
    handle: Handle,
    /// Only its owner may read it, and it goes with the stage.
    folder: TempDir,
}

impl Stage {
    /// Starts all of it. What Salesforce did not take is tried again at once instead of after a second: plays do not last long.
    ///
    /// # Errors
    /// When a file, a port or a certificate cannot be had.
    pub async fn set_up(of_flow: &StageSettings, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let ids = Arc::new(Ids::random());
        let folder = tempfile::Builder::new().prefix("scv-bridge-").tempdir();
        let folder = folder.context("no folder for temporary files can be made")?;
        let issued = issue("WebexCCSCV", 2048, 1, clock.now()).context("no certificate could be made")?;
        let mut org_settings = MockOrgSettings::example(issued.certificate_pem.clone());
        org_settings.call_centers.clone_from(&of_flow.call_centers);
        org_settings.known_certificates.clone_from(&of_flow.certificates);
        let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let of_org = Arc::clone(clock);
        let org = MockOrg::start(org_settings, loopback, move || of_org.now()).await?;
        let secret = ids.unique();
        let file = write_configuration(folder.path(), &issued, &org, &secret, of_flow)?;
        let source = Source { file: Some(file), environment: Vec::new() };
        let settings = Settings::load(&source, clock.as_ref())?;
        let application = Application::build(settings, clock, &ids).await?;
        let bridge = format!("http://{}", application.public_address());
        let operations = format!("http://{}", application.operations_address());
        let handle = application.handle();
        actix_web::rt::spawn(application.run());
        Ok(Self { org, bridge, operations, secret, handle, folder })
    }

    /// Id and secret of the flow's connector.
    #[must_use]
    pub fn credentials(&self) -> (String, SecretString) {
        (CLIENT.to_owned(), SecretString::from(self.secret.clone()))
    }

    /// Whether something must still reach Salesforce, besides late clears: they wait by design.
    pub async fn owes(&self) -> bool {
        let pending = Filter { state: Some(EntryState::Pending), ..Filter::default() };
        let entries = self.handle.outbox().store().list(&pending).await.unwrap_or_default();
        entries.iter().any(|entry| entry.kind != EntryKind::LateClear)
    }

    /// Prints how to go on by hand.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn explain(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "\nStill running; end with Ctrl-C.")?;
        writeln!(out, "  bridge         {}   (HTTP Basic: {CLIENT}:{})", self.bridge, self.secret)?;
        writeln!(out, "  operations     {}/metrics", self.operations)?;
        writeln!(out, "  VoiceCalls     {}/mock/voiceCalls", self.org.url())?;
        writeln!(out, "  refusals       {}/mock/refusals", self.org.url())?;
        writeln!(out, "  configuration  {}", self.folder.path().join("bridge.toml").display())
    }

    /// Stops everything and removes its files.
    pub async fn strike(self) {
        self.handle.stop().await;
        self.org.stop().await;
    }
}

fn write_configuration(
    folder: &Path,
    issued: &IssuedPair,
    org: &MockOrg,
    secret: &str,
    of_flow: &StageSettings,
) -> anyhow::Result<PathBuf> {
    let [certificate, key, file] = ["demo.crt", "demo.key", "bridge.toml"].map(|name| folder.join(name));
    std::fs::write(&certificate, &issued.certificate_pem)?;
    std::fs::write(&key, &issued.key_pem)?;
    let digest = hex::encode(sha256(secret.as_bytes()));
    let mut configuration = format!(
        r#"[server]
listen = "127.0.0.1:0"
[operations]
listen = "127.0.0.1:0"
[store]
url = "sqlite:{store}"
[outbox]
schedule = ["200ms", "400ms", "1s"]
[breaker]
pause = "200ms"
longest_pause = "400ms"
[[clients]]
id = "{CLIENT}"
secret_sha256 = "{digest}"
call_centers = ["*"]
"#,
        store = folder.join("bridge.db").display()
    );
    let deadlines = &of_flow.deadlines;
    configuration += "[deadlines]\n";
    for (route, deadline) in [
        ("create_voice_call", deadlines.create_voice_call),
        ("execute_omni_flow", deadlines.execute_omni_flow),
        ("update_voice_call", deadlines.update_voice_call),
        ("clear_routing", deadlines.clear_routing),
        ("phone_contact_ended", deadlines.phone_contact_ended),
        ("agent_answered", deadlines.agent_answered),
    ] {
        configuration += &format!("{route} = \"{}ms\"\n", deadline.as_millis());
    }
    // Names come from flows: as JSON they are TOML's quoted keys too.
    let quoted = |name: &String| serde_json::Value::from(name.as_str()).to_string();
    for name in of_flow.certificates.iter().map(quoted) {
        configuration +=
            &format!("[certificates.{name}]\ncertificate = {certificate:?}\nprivate_key = {key:?}\n");
    }
    let default = of_flow.certificates.first().map(quoted).unwrap_or_default();
    for name in of_flow.call_centers.iter().map(quoted) {
        configuration += &format!(
            r#"[call_centers.{name}]
api = "telephony"
certificate = {default}
org_id = "00D000000000001EAA"
telephony_url = "{url}"
provider_name = "webex-contact-center"
[call_centers.{name}.translations]
from = '{{"US": "[12,12]->(\\+1)(\\d{{3}})(\\d{{3}})(\\d{{4}})->($2) $3-$4"}}'
"#,
            url = org.telephony_url()
        );
    }
    std::fs::write(&file, configuration)?;
    Ok(file)
}
