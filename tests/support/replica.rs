//! The program as a process that is killed and started again at the same place.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Certificate;

/// Ports that the system gives to nobody by itself: a client that looks for a killed program never meets itself.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
/// How often it is asked whether it is ready, and how long in between.
const ASKED: (u32, Duration) = (2000, Duration::from_millis(10));

/// A replica of the bridge. Dropping it kills it.
pub struct Replica {
    folder: PathBuf,
    port: u16,
    /// Who issued the certificate of its listener, if that speaks TLS.
    authority: Option<Certificate>,
    /// Keeps the port until the first start.
    reserved: Option<TcpListener>,
    child: Option<Child>,
}

impl Replica {
    /// One that is not running yet.
    pub fn new(folder: &Path) -> Self {
        let (port, reserved) = reserve();
        Self { folder: folder.to_owned(), port, authority: None, reserved: Some(reserved), child: None }
    }

    /// Its listener speaks TLS, with `tls.crt` and `tls.key` of the folder.
    pub fn with_tls(mut self, authority: Certificate) -> Self {
        self.authority = Some(authority);
        self
    }

    /// `http://host:port`, or `https://host:port`.
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Starts it.
    pub fn spawn(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_scv-bridge"));
        command.args(["serve", "--config", "bridge.toml"]).current_dir(&self.folder).env_clear();
        command.env("SCV_BRIDGE__SERVER__LISTEN", format!("127.0.0.1:{}", self.port));
        if self.authority.is_some() {
            command.env("SCV_BRIDGE__SERVER__TLS__CERTIFICATE", "tls.crt");
            command.env("SCV_BRIDGE__SERVER__TLS__PRIVATE_KEY", "tls.key");
        }
        command.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
        self.reserved = None;
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits until it says that requests may come.
    pub async fn ready(&mut self) {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only(self.authority.clone());
        let client = client.build().unwrap();
        let (times, pause) = ASKED;
        for _ in 0..times {
            self.must_run();
            let answer = client.get(format!("{}/readyz", self.url())).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        panic!("it does not get ready, see {}", self.log().display());
    }

    /// SIGKILL: no word, no warning. It is gone when this returns.
    pub fn kill(&mut self) {
        self.must_run();
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn must_run(&mut self) {
        let ended = self.child.as_mut().map(|child| child.try_wait().unwrap());
        assert_eq!(ended, Some(None), "it does not run, see {}", self.log().display());
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("bridge-{}.log", self.port))
    }
}

/// A free port, and what keeps it.
pub fn reserve() -> (u16, TcpListener) {
    // Tests that run at the same time begin to look at different places.
    let first = rand::random_range(PORTS);
    let mut places = (first..PORTS.end).chain(PORTS.start..first);
    let free = places.find_map(|port| Some((port, TcpListener::bind(("127.0.0.1", port)).ok()?)));
    free.unwrap()
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Both fail when it has ended already, which is what they are for.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
