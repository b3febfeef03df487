//! A real PostgreSQL, started by the tests themselves in a temporary directory, reachable through a Unix socket
//! only. It ends with the test process, however that ends: a shell waits for its standard input to close.

use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where Debian keeps a folder for each installed version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Starts the server, says where, waits for the end of its standard input and leaves nothing behind.
const SCRIPT: &str = r#"
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$1/initdb" -D "$folder/data" -U bridge -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
binaries=$1
start() {
    "$binaries/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c max_connections=300 >>"$folder/log" 2>&1 &
    server=$!
    tries=0
    until "$binaries/pg_isready" -q -h "$folder"; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { cat "$folder/log" >&2; exit 1; }
        sleep 0.1
    done
    echo "$folder"
}
parts() {
    echo "$server" $(cat "/proc/$server/task/$server/children" 2>/dev/null)
}
stop() {
    kill -CONT $(parts) 2>/dev/null || true
    kill -INT "$server" 2>/dev/null || return 0
    wait "$server" || true
}
start
while read -r command; do
    case $command in
    stop) stop; echo stopped ;;
    start) start ;;
    freeze) kill -STOP "$server"; kill -STOP $(parts) 2>/dev/null || true; echo frozen ;;
    thaw) kill -CONT $(parts) 2>/dev/null || true; echo thawed ;;
    esac
done
stop
"#;

/// A running server.
pub struct Postgres {
    binaries: PathBuf,
    folder: String,
    databases: AtomicU32,
    // Its standard input must stay open.
    watch: Child,
    said: BufReader<ChildStdout>,
}

impl Postgres {
    /// The one server of this test process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own.
    pub fn start() -> Self {
        let binaries = binaries();
        // initdb refuses to run as root.
        let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut watch = command
            .args(["-c", SCRIPT, "sh"])
            .arg(&binaries)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(watch.stdout.take().unwrap());
        let folder = line(&mut said);
        Self { binaries, folder, databases: AtomicU32::new(0), watch, said }
    }

    /// Tells the server to `stop`, `start`, `freeze` or `thaw`; returns when that is done.
    pub fn tell(&mut self, command: &str) {
        writeln!(self.watch.stdin.as_mut().unwrap(), "{command}").unwrap();
        line(&mut self.said);
    }

    /// A new, empty database; its URL.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.ask("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://bridge@localhost/{database}?host={}", self.folder)
    }

    /// Asks as an administrator would; gives the answer's bare lines.
    pub fn ask(&self, database: &str, sql: &str) -> String {
        let asked = Command::new(self.binaries.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "bridge", "-h", &self.folder])
            .args(["-d", database, "-c", sql])
            .output()
            .unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8(asked.stdout).unwrap()
    }
}

fn line(said: &mut impl BufRead) -> String {
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "PostgreSQL did not start");
    line.trim().to_owned()
}

/// The programs of the newest version.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = versions.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").exists());
    let newest = installed.max_by_key(version);
    assert!(newest.is_some(), "PostgreSQL is missing: install the Debian package postgresql");
    newest.unwrap().join("bin")
}
