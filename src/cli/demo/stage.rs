//! What the play stands on: an org, a bridge, a certificate and a secret, all made on the spot.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use openssl::sha::sha256;

use crate::app::{Application, Handle};
use crate::certificate::{IssuedPair, issue};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::mock::{MockOrg, MockOrgSettings};
use crate::settings::{Settings, Source};
use crate::webex::Flow;

/// The vendor's published flow.
const FLOW: &str = include_str!("../../../tests/fixtures/flows/ServiceCloudVoice_Template.json");
/// The names that the vendor's flow sends.
const CERTIFICATE: &str = "WebexCCSCV";
const CLIENT: &str = "webex-flow";

/// Everything that runs.
pub struct DemoSetup {
    /// The mock org.
    pub org: MockOrg,
    /// The vendor's flow.
    pub flow: Flow,
    /// Where the bridge listens.
    pub bridge: String,
    /// Where operators find it.
    pub operations: String,
    /// Id and secret of the flow's connector.
    pub credentials: (String, String),
    /// Time.
    pub clock: Arc<dyn Clock>,
    handle: Handle,
    folder: PathBuf,
}

impl DemoSetup {
    /// Starts all of it.
    ///
    /// # Errors
    /// When a file, a port or a certificate cannot be had.
    pub async fn set_up(clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let ids = Arc::new(Ids::random());
        let folder = std::env::temp_dir().join(format!("scv-bridge-demo-{}", ids.unique()));
        std::fs::create_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let issued = issue(CERTIFICATE, 2048, 1, clock.now()).context("no certificate could be made")?;
        let org_settings = MockOrgSettings::example(issued.certificate_pem.clone());
        let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let of_org = Arc::clone(clock);
        let org = MockOrg::start(org_settings, loopback, move || of_org.now()).await?;
        let secret = ids.unique();
        let file = write_configuration(&folder, &issued, &org, &secret)?;
        let source = Source { file: Some(file), environment: Vec::new() };
        let settings = Settings::load(&source, clock.as_ref())?;
        let application = Application::build(settings, clock, &ids).await?;
        let bridge = format!("http://{}", application.public_address());
        let operations = format!("http://{}", application.operations_address());
        let handle = application.handle();
        actix_web::rt::spawn(application.run());
        let flow = Flow::parse(FLOW)?;
        let (credentials, clock) = ((CLIENT.to_owned(), secret), Arc::clone(clock));
        Ok(Self { org, flow, bridge, operations, credentials, clock, handle, folder })
    }

    /// Says what was started.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn announce(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(
            out,
            "scv-bridge demo: the vendor's flow, the bridge and a mock Salesforce org, all on this machine"
        )?;
        writeln!(out, "  bridge    {}", self.bridge)?;
        writeln!(out, "  org       {}", self.org.url())
    }

    /// Says how to go on by hand.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn explain(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let (id, secret) = &self.credentials;
        writeln!(out, "\nStill running; end with Ctrl-C.")?;
        writeln!(out, "  bridge         {}   (HTTP Basic: {id}:{secret})", self.bridge)?;
        writeln!(out, "  operations     {}/metrics", self.operations)?;
        writeln!(out, "  VoiceCalls     {}/mock/voiceCalls", self.org.url())?;
        writeln!(out, "  refusals       {}/mock/refusals", self.org.url())?;
        writeln!(out, "  configuration  {}", self.folder.join("bridge.toml").display())
    }

    /// Stops everything and removes its files.
    pub async fn strike(self) {
        self.handle.stop().await;
        self.org.stop().await;
        // What cannot be removed is a key that opens nothing but the org that has just gone.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn write_configuration(
    folder: &std::path::Path,
    issued: &IssuedPair,
    org: &MockOrg,
    secret: &str,
) -> anyhow::Result<PathBuf> {
    let [certificate, key, file] = ["demo.crt", "demo.key", "bridge.toml"].map(|name| folder.join(name));
    std::fs::write(&certificate, &issued.certificate_pem)?;
    std::fs::write(&key, &issued.key_pem)?;
    let digest = hex::encode(sha256(secret.as_bytes()));
    let configuration = format!(
        r#"[server]
listen = "127.0.0.1:0"
[operations]
listen = "127.0.0.1:0"
[store]
url = "sqlite:{store}"
[[clients]]
id = "{CLIENT}"
secret_sha256 = "{digest}"
call_centers = ["*"]
[certificates.{CERTIFICATE}]
certificate = {certificate:?}
private_key = {key:?}
[call_centers.WxCCContactCenterSCV]
api = "telephony"
certificate = "{CERTIFICATE}"
org_id = "00D000000000001EAA"
telephony_url = "{url}"
provider_name = "webex-contact-center"
[call_centers.WxCCContactCenterSCV.translations]
from = '{{"US": "[12,12]->(\\+1)(\\d{{3}})(\\d{{3}})(\\d{{4}})->($2) $3-$4"}}'
"#,
        url = org.telephony_url(),
        store = folder.join("bridge.db").display()
    );
    std::fs::write(&file, configuration)?;
    Ok(file)
}
