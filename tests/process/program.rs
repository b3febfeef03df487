//! The program as a child process: its lines are read, it is waited for with a limit, and it is ended in any case.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// How long anything may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit status; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The program with these arguments, in this folder, with nothing of our own environment but the path.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scv-bridge"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs a command that ends by itself.
pub fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let output = command(folder, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A program that runs until it is told to stop. Dropping it kills it.
pub struct Program {
    child: Child,
    lines: UnboundedReceiver<String>,
    said: String,
    /// An output that nobody reads any more, kept open.
    _unread: JoinHandle<Option<Box<dyn Send>>>,
}

impl Program {
    /// Starts a command.
    pub fn start(command: Command) -> Self {
        Self::start_heard_until(command, None)
    }

    /// Starts a command of whose standard output nothing more is read after a line with these words, although it stays
    /// open.
    pub fn start_half_heard(command: Command, words: &'static str) -> Self {
        Self::start_heard_until(command, Some(words))
    }

    fn start_heard_until(mut command: Command, last: Option<&'static str>) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = unbounded_channel();
        let unread = read(child.stdout.take().unwrap(), sender.clone(), last);
        read(child.stderr.take().unwrap(), sender, None);
        Self { child, lines, said: String::new(), _unread: unread }
    }

    /// Waits for a line that holds these words, on either output.
    pub async fn line_with(&mut self, words: &str) -> String {
        loop {
            match timeout(PATIENCE, self.lines.recv()).await {
                Ok(Some(line)) => {
                    self.note(&line);
                    if line.contains(words) {
                        return line;
                    }
                }
                Ok(None) => panic!("ended without saying {words:?}:\n{}", self.said),
                Err(_) => panic!("never said {words:?}:\n{}", self.said),
            }
        }
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGHUP.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end: exit status and all it has said on both outputs.
    pub async fn end(mut self) -> (Option<i32>, String) {
        // Both outputs are closed when the process is gone.
        while let Some(line) = timeout(PATIENCE, self.lines.recv()).await.expect("it does not end") {
            self.note(&line);
        }
        let status = self.child.wait().unwrap();
        (status.code(), std::mem::take(&mut self.said))
    }

    fn note(&mut self, line: &str) {
        self.said.push_str(line);
        self.said.push('\n');
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines until the end, or until one with these words: then gives the output back, with all that is still in it.
fn read(
    output: impl Read + Send + 'static,
    lines: UnboundedSender<String>,
    last: Option<&'static str>,
) -> JoinHandle<Option<Box<dyn Send>>> {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        while output.read_line(&mut line).is_ok_and(|read| read > 0) {
            let line = std::mem::take(&mut line).trim_end_matches('\n').to_owned();
            let is_last = last.is_some_and(|words| line.contains(words));
            if lines.send(line).is_err() {
                return None;
            }
            if is_last {
                return Some(Box::new(output) as Box<dyn Send>);
            }
        }
        None
    })
}

/// Asks again and again, a bounded number of times, until it is so.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came about: {what}");
}
