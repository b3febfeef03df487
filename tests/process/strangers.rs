//! What clients without credentials can do to the program: fill no memory, and keep nobody out.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::program::{Program, command};
use super::site::{Service, Site};

/// The most that the program may need under any attack.
const MOST: usize = 150 * 1024;
/// What one client sends at most.
const EACH: usize = 4 * 1024 * 1024;
/// How long it waits for that before it takes it that nobody reads.
const NOT_TAKEN: Duration = Duration::from_secs(3);

impl Service {
    /// The most memory that the process had, in KiB.
    fn peak(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// Sends the same again and again until nobody takes it any more, and reads nothing. Keeps the connection.
async fn flood(to: SocketAddr, request: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // Answers shall wait in the program and not here.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let many = request.repeat(64 * 1024 / request.len());
    for _ in 0..EACH / many.len() {
        let taken = timeout(NOT_TAKEN, stream.write_all(many.as_bytes())).await;
        if !matches!(taken, Ok(Ok(()))) {
            break;
        }
    }
    stream
}

/// Many at once.
async fn floods(count: usize, to: SocketAddr, request: &'static str) -> Vec<TcpStream> {
    let all: Vec<_> = (0..count).map(|_| tokio::spawn(flood(to, request))).collect();
    let mut streams = Vec::new();
    for one in all {
        streams.push(one.await.unwrap());
    }
    streams
}

#[actix_web::test]
async fn clients_that_ask_and_take_no_answers_do_not_fill_memory() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let _clients = tokio::join!(
        floods(40, service.public, "GET /livez HTTP/1.1\r\nhost:x\r\n\r\n"),
        floods(10, service.public, "POST /voice/v1/createVoiceCall HTTP/1.1\nhost:x\n\n"),
        floods(20, service.operations, "GET /metrics HTTP/1.1\r\nhost:x\r\n\r\n"),
    );
    assert!(service.peak() < MOST, "{} KiB", service.peak());
    let mut other = TcpStream::connect(service.public).await.unwrap();
    other.write_all(b"GET /livez HTTP/1.1\r\nhost:x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[actix_web::test]
async fn silent_connections_leave_room_for_clients_and_probes_however_few_files_may_be_open() {
    let site = Site::open().await;
    let (program, arguments) = ("sh", ["-c", "ulimit -n 256; exec \"$0\" \"$@\""]);
    let inner = command(site.path(), &["serve", "--config", "bridge.toml"]);
    let mut limited = Command::new(program);
    limited.args(arguments).arg(inner.get_program()).args(inner.get_args()).current_dir(site.path());
    let mut program = Program::start(limited);
    program.line_with("the limit of open files is too low").await;
    let service = Site::serving(program).await;
    let mut silent = Vec::new();
    for address in [service.public, service.operations].repeat(300) {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(service.flow().create("wxcc_1").await.0, 200);
    assert_eq!(service.operations("/readyz").await, Some(200));
    drop(silent);
}
