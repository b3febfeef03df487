//! Configurations on disk, read as the program reads them.

mod durable;
mod enrichment;
mod layers;
mod problems;
mod reference;
mod rotation;
mod typed;
mod values;
mod ways_in;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use openssl::pkey::PKey;
use openssl::symm::Cipher;
use tempfile::TempDir;

use super::*;
use crate::certificate::{IssuedPair, issue};
use crate::clock::ManualClock;

/// Stands in every place where somebody may have written a secret.
const CANARY: &str = "CaNaRyCaNaRyCaNaRyCaNaRyCaNaRyCaNaRy";

/// The least that loads.
const SMALL: &str = r#"
[[clients]]
id = "webex-flow"
secret_sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
call_centers = ["*"]

[certificates.WebexCCSCV]
certificate = "{dir}/good.crt"
private_key = "{dir}/good.key"

[call_centers.Main]
certificate = "WebexCCSCV"
api = "telephony"
org_id = "00D5g000007AbCdEAK"
telephony_url = "https://acme.my.salesforce-scrt.com/telephony/v1"
"#;

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

/// Keys and certificates, made once for all tests.
fn pairs() -> &'static [IssuedPair; 3] {
    static PAIRS: OnceLock<[IssuedPair; 3]> = OnceLock::new();
    PAIRS.get_or_init(|| {
        let long_ago = "2020-01-01T00:00:00Z".parse().unwrap();
        [
            issue("good", 2048, 730, now()).unwrap(),
            issue("other", 2048, 20, now()).unwrap(),
            issue("expired", 2048, 30, long_ago).unwrap(),
        ]
    })
}

/// A folder with `good`, `other` and `expired` pairs, and `encrypted.key`, the good key with a passphrase.
struct Folder {
    dir: TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = Self { dir: TempDir::new().unwrap() };
        folder.allow(0o700);
        for (name, pair) in ["good", "other", "expired"].iter().zip(pairs()) {
            folder.write(&format!("{name}.key"), &pair.key_pem);
            folder.write(&format!("{name}.crt"), &pair.certificate_pem);
        }
        let key = PKey::private_key_from_pem(&pairs()[0].key_pem).unwrap();
        let encrypted = key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"sesame").unwrap();
        folder.write("encrypted.key", &encrypted);
        folder.write("sesame", b"sesame\n");
        folder
    }

    /// Who may look into it.
    fn allow(&self, mode: u32) {
        fs::set_permissions(self.dir.path(), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes a configuration, `{dir}` standing for this folder.
    fn source(&self, toml: &str) -> Source {
        let dir = self.dir.path().display().to_string();
        Source {
            file: Some(self.write("bridge.toml", toml.replace("{dir}", &dir).as_bytes())),
            environment: Vec::new(),
        }
    }

    fn load(&self, toml: &str) -> Result<Settings, Problems> {
        load(&self.source(toml))
    }

    /// A text with the folder's own path taken out, for snapshots.
    fn neutral(&self, text: &str) -> String {
        let here = std::env::current_dir().unwrap().display().to_string();
        text.replace(&self.dir.path().display().to_string(), "[dir]").replace(&here, "[here]")
    }

    /// All problems of a configuration as `check` prints them.
    fn problems(&self, toml: &str) -> String {
        self.neutral(&self.load(toml).unwrap_err().to_string())
    }
}

fn load(source: &Source) -> Result<Settings, Problems> {
    Settings::load(source, &ManualClock::new(now()))
}

fn load_with(folder: &Folder, variables: &[(&str, &str)]) -> Result<Settings, Problems> {
    let mut source = folder.source(SMALL);
    source.environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load(&source)
}

/// What a configuration asked for, for the test of the reference.
fn read_with_report(source: &Source) -> (Vec<Problem>, BTreeSet<String>) {
    let (mut problems, mut files) = (Vec::new(), Files::default());
    let tree = source.tree(&mut problems, &mut files).unwrap();
    let report = Report::new(now(), tree.variables, problems, files);
    Section::root(&report, tree.root).read(Settings::read);
    let asked = report.asked.borrow().clone();
    (report.finish().0, asked)
}

#[test]
fn settings_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Arc<Settings>>();
}
