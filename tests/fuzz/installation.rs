//! What the targets read inputs for: a configuration with a contact center for each way to Salesforce.

use std::fs;
use std::sync::Arc;

use jiff::Timestamp;
use scv_bridge::api::{Callers, Throttle};
use scv_bridge::certificate::issue;
use scv_bridge::clock::ManualClock;
use scv_bridge::settings::{Problems, Settings, Source};
use tempfile::TempDir;

/// When it is: 2026-11-21T10:00:00Z.
pub const NOW: Timestamp = Timestamp::constant(1_795_255_200, 0);

/// The corpus names the folder of keys and certificates so, because it has another name each time.
const FOLDER: &str = "@DIR@";

/// Made once for a process.
pub struct Installation {
    /// What `corpus/configuration/whole.toml` says.
    pub settings: Settings,
    /// Its clients.
    pub callers: Callers,
    folder: TempDir,
    clock: ManualClock,
}

impl Installation {
    /// Writes a key, a certificate and a secret, and loads the configuration that names them.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = issue("WebexCCSCV", 2048, 90, NOW).unwrap();
        fs::write(folder.path().join("signing.key"), pair.key_pem).unwrap();
        fs::write(folder.path().join("signing.crt"), pair.certificate_pem).unwrap();
        fs::write(folder.path().join("secret"), "3MVG9.consumer.key\n").unwrap();
        let clock = ManualClock::new(NOW);
        let whole = include_bytes!("corpus/configuration/whole.toml");
        let settings = load(&folder, &clock, whole).unwrap_or_else(|problems| panic!("{problems}"));
        let (logins, proxies) = (&settings.limits.failed_logins, settings.server.proxies.clone());
        let throttle = Throttle::new(logins, proxies, Arc::new(ManualClock::new(NOW)));
        let base_url = "https://bridge.example.com".to_owned();
        let callers = Callers::new(&settings, base_url, Arc::default(), Arc::new(throttle)).unwrap();
        Self { settings, callers, folder, clock }
    }

    /// Loads a configuration file.
    pub fn load(&self, file: &[u8]) -> Result<Settings, Problems> {
        load(&self.folder, &self.clock, file)
    }
}

fn load(folder: &TempDir, clock: &ManualClock, file: &[u8]) -> Result<Settings, Problems> {
    let place = folder.path().display().to_string();
    let file = match std::str::from_utf8(file) {
        Ok(text) => text.replace(FOLDER, &place).into_bytes(),
        Err(_) => file.to_vec(),
    };
    let path = folder.path().join("bridge.toml");
    fs::write(&path, file).unwrap();
    Settings::load(&Source { file: Some(path), environment: Vec::new() }, clock)
}
