//! An installation in a folder of its own, with a mock org to talk to.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::symm::Cipher;
use scv_bridge::certificate::{IssuedPair as Issued, issue};
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::mock::{MockOrg, MockOrgSettings};
use tempfile::TempDir;

use super::flow::Flow;
use super::program::{Program, command};

/// The secret of the client `webex-flow`.
pub const SECRET: &str = "canary-client-secret-Zq83";
/// The password of its user.
pub const PASSWORD: &str = "canary-password-Jt62";
/// What access tokens are signed with.
pub const SIGNING_KEY: &str = "canary-signing-key-Hd39-0123456789-0123456789";
/// The passphrase of the signing key.
pub const PASSPHRASE: &str = "canary-passphrase-Xw41";
/// The consumer key of the app in the org.
pub const CONSUMER_KEY: &str = "3MVG9canary.consumer.key.Pl20";

/// The folder and the org.
pub struct Site {
    /// Where everything is; removed at the end.
    pub folder: TempDir,
    /// The org of both contact centers.
    pub org: MockOrg,
    /// The signing key, not encrypted: the file of it is.
    pub key_pem: String,
}

impl Site {
    /// Two contact centers, one for each way to Salesforce, and a signing key that is encrypted.
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Issued { key_pem, certificate_pem } = issue("WebexCCSCV", 2048, 90, SystemClock.now()).unwrap();
        let key = PKey::private_key_from_pem(&key_pem).unwrap();
        let encrypted =
            key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), PASSPHRASE.as_bytes()).unwrap();
        let settings = MockOrgSettings {
            consumer_key: CONSUMER_KEY.into(),
            ..MockOrgSettings::example(certificate_pem.clone())
        };
        let org = MockOrg::start(settings, ([127, 0, 0, 1], 0).into(), || SystemClock.now()).await.unwrap();
        let site = Self { folder, org, key_pem: String::from_utf8(key_pem).unwrap() };
        site.write("signing.crt", certificate_pem);
        site.write("signing.key", encrypted);
        site.write("passphrase", format!("{PASSPHRASE}\n"));
        site.write("consumer_key", CONSUMER_KEY);
        site.write("bridge.toml", site.configuration());
        site
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file there.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    /// What stands in `bridge.toml`; tests change it through the environment.
    pub fn configuration(&self) -> String {
        let hash = |secret: &str| -> String {
            sha256(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let (digest, password) = (hash(SECRET), hash(PASSWORD));
        let (telephony, login) = (self.org.telephony_url(), self.org.login_url());
        format!(
            r#"
            [server]
            listen = "127.0.0.1:0"
            shutdown_timeout = "60s"
            [operations]
            listen = "127.0.0.1:0"
            [oauth]
            signing_key = "{SIGNING_KEY}"
            [[clients]]
            id = "webex-flow"
            secret_sha256 = "{digest}"
            username = "webex@example.com"
            password_sha256 = "{password}"
            call_centers = ["WxCCContactCenterSCV", "Sandbox"]
            [certificates.WebexCCSCV]
            certificate = "signing.crt"
            private_key = "signing.key"
            private_key_passphrase_file = "passphrase"
            [call_centers.WxCCContactCenterSCV]
            api = "telephony"
            certificate = "WebexCCSCV"
            org_id = "00D000000000001EAA"
            telephony_url = "{telephony}"
            [call_centers.Sandbox]
            api = "apex"
            certificate = "WebexCCSCV"
            login_url = "{login}"
            consumer_key_file = "consumer_key"
            username = "scv.integration@example.com"
            "#
        )
    }

    /// Runs the service, with these variables above the file.
    pub async fn serve(&self, variables: &[(&str, &str)]) -> Service {
        let mut command = command(self.path(), &["serve", "--config", "bridge.toml"]);
        command.envs(variables.iter().copied());
        Self::serving(Program::start(command)).await
    }

    /// The service, once it is ready.
    pub async fn serving(mut program: Program) -> Service {
        let ready = program.line_with("ready").await;
        let address = |name: &str| {
            let value = ready.split_once(&format!("{name}=")).or(ready.split_once(&format!("\"{name}\":\"")));
            let value = value.unwrap().1;
            value.split([' ', '"']).next().unwrap().parse().unwrap()
        };
        Service { public: address("public"), operations: address("operations"), program }
    }
}

/// A running service.
pub struct Service {
    /// The process.
    pub program: Program,
    /// Where flows reach it.
    pub public: SocketAddr,
    /// Where operators reach it.
    pub operations: SocketAddr,
}

impl Service {
    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// A flow with a connector to it, and connections of its own.
    pub fn flow(&self) -> Flow {
        Flow::new(reqwest::Client::new(), format!("http://{}", self.public))
    }

    /// The status of a page for operators.
    pub async fn operations(&self, path: &str) -> Option<u16> {
        let answer = reqwest::Client::new().get(format!("http://{}{path}", self.operations)).send().await;
        answer.ok().map(|answer| answer.status().as_u16())
    }

    /// A page for operators.
    pub async fn text(&self, path: &str) -> String {
        let answer = reqwest::Client::new().get(format!("http://{}{path}", self.operations)).send().await;
        answer.unwrap().text().await.unwrap()
    }

    /// Tells it to stop and waits: exit status and all it has said.
    pub async fn stop(self) -> (Option<i32>, String) {
        self.program.terminate();
        self.program.end().await
    }
}
