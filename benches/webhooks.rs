//! What a signed webhook costs: the whole service on loopback with SQLite, and a client in a process of its own, so that
//! the CPU time of the one is told from that of the other. Events are those of calls, ten each. They are taken in only; with
//! GRACE=1s, calls are concluded beside them, a second after they have ended.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use scv_bridge::app::Application;
use scv_bridge::certificate::issue;
use scv_bridge::clock::{Clock, SystemClock};
use scv_bridge::ids::Ids;
use scv_bridge::settings::{Settings, Source};

const SECRET: &str = "secret-of-the-subscription-32-ch";
/// Connections at once.
const SENDERS: usize = 32;
/// Calls of each connection.
const CALLS: usize = 100;
/// The events of a call.
const EVENTS: [&str; 10] = [
    "task:new",
    "task:parked",
    "task:connect",
    "task:connected",
    "task:on-hold",
    "task:hold-done",
    "task:consulting",
    "task:consult-done",
    "task:ended",
    "capture:available",
];

/// Microseconds of CPU that this process has used: fields 14 and 15 of `proc_pid_stat(5)`, in hundredths of a second.
fn cpu() -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks * 10_000)
}

fn request(run: usize, sender: usize, call: usize, number: usize, kind: &str) -> anyhow::Result<Vec<u8>> {
    let at = SystemClock.now().as_millisecond();
    let mixed = (run + sender * CALLS + call).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let body = format!(
        r#"{{"id":"{mixed:016x}-{number}","specversion":"1.0","type":"{kind}","source":"/com/cisco/wxcc/a1b2c3d4-aaaa-4bbb-8ccc-ddddeeeeffff","comciscoorgid":"f2b1d1f0-1111-4222-8333-444455556666","datacontenttype":"application/json","data":{{"createdTime":{at},"taskId":"{mixed:016x}-5c1d-4b8e-9a55-0a4f3c2b1d10","origin":"+14693150217","destination":"+18005550100","direction":"INBOUND","channelType":"telephony","queueId":"5a6b7c8d-0000-4111-8222-333344445555","outboundType":null}}}}"#
    );
    let key = PKey::hmac(SECRET.as_bytes())?;
    let signature = Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(body.as_bytes())?;
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let head = format!(
        "POST /webhooks/wxcc HTTP/1.1\r\nhost: bridge\r\ncontent-type: application/json\r\nx-webexcc-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Ok([head.into_bytes(), body.into_bytes()].concat())
}

/// Sends one event after the other, and takes the time of each.
fn sender(address: &str, run: usize, sender: usize) -> anyhow::Result<Vec<Duration>> {
    let mut requests = Vec::with_capacity(CALLS * EVENTS.len());
    for call in 0..CALLS {
        for (number, kind) in EVENTS.iter().enumerate() {
            requests.push(request(run, sender, call, number, kind)?);
        }
    }
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut times = Vec::with_capacity(requests.len());
    for request in requests {
        let began = Instant::now();
        stream.write_all(&request)?;
        answer(&mut reader)?;
        times.push(began.elapsed());
    }
    Ok(times)
}

fn answer(reader: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line)?;
    anyhow::ensure!(line.contains(" 200 "), "{line}");
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line)?;
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.trim().parse()?;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    Ok(())
}

/// `run`: so that no task comes twice.
fn client(address: &str, run: usize) -> anyhow::Result<()> {
    let began = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let address = address.to_owned();
            std::thread::spawn(move || sender(&address, run, number))
        })
        .collect();
    let mut times = Vec::new();
    for sender in senders {
        times.extend(sender.join().map_err(|_| anyhow::anyhow!("a sender broke off"))??);
    }
    times.sort();
    let wall = began.elapsed().as_secs_f64();
    let at = |part: usize| times.get(times.len() * part / 1000).copied().unwrap_or_default();
    println!(
        "{} events, {:.0} events/s, p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        times.len(),
        times.len() as f64 / wall,
        at(500),
        at(990),
        times.last().copied().unwrap_or_default()
    );
    Ok(())
}

fn settings(folder: &std::path::Path) -> anyhow::Result<Settings> {
    let pair = issue("Bench", 2048, 30, SystemClock.now())?;
    let [certificate, key] = ["crt", "key"].map(|kind| folder.join(format!("bench.{kind}")));
    std::fs::write(&certificate, pair.certificate_pem)?;
    std::fs::write(&key, pair.key_pem)?;
    let file = folder.join("bridge.toml");
    let grace = std::env::var("GRACE").unwrap_or_else(|_| String::from("10m"));
    let toml = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1\n[operations]\nlisten = \"127.0.0.1:0\"\n\
        [store]\nurl = \"sqlite:{}\"\n[[clients]]\nid = \"flow\"\nsecret_sha256 = \"{}\"\ncall_centers = [\"*\"]\n\
        [certificates.Bench]\ncertificate = {certificate:?}\nprivate_key = {key:?}\n\
        [call_centers.Support]\ncertificate = \"Bench\"\napi = \"telephony\"\norg_id = \"00D000000000001EAA\"\n\
        telephony_url = \"http://127.0.0.1:9\"\n[webex]\nwebhook_secrets = [\"{SECRET}\"]\ngrace = \"{grace}\"\n",
        folder.join("bridge.db").display(),
        // The SHA-256 of "bench-secret".
        "0159438a9235d6abde38e49fb98944660d067d6b9b03d8a8f4ee4e522feb62cb"
    );
    std::fs::write(&file, toml)?;
    let source = Source { file: Some(file), environment: Vec::new() };
    Settings::load(&source, &SystemClock).map_err(|problems| anyhow::anyhow!("{problems}"))
}

async fn serve() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let application = Application::build(settings(folder.path())?, &clock, &Arc::new(Ids::random())).await?;
    let (address, handle) = (application.public_address(), application.handle());
    actix_web::rt::spawn(application.run());
    for run in 0..3 {
        let (before, work) = (cpu()?, handle.outbox().store().work());
        let (began, program) = (Instant::now(), std::env::current_exe()?);
        let client = move || {
            let run = (run * SENDERS * CALLS).to_string();
            Command::new(program).args(["--send", &address.to_string(), &run]).status()
        };
        let status = tokio::task::spawn_blocking(client).await??;
        anyhow::ensure!(status.success(), "the client failed");
        let (used, events) = (cpu()? - before, SENDERS * CALLS * EVENTS.len());
        let commits = handle.outbox().store().work().commits - work.commits;
        println!(
            "  {:.1} us of CPU each, {:.2} cores busy, {} commits",
            used as f64 / events as f64,
            used as f64 / 1e6 / began.elapsed().as_secs_f64(),
            commits
        );
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.as_slice() {
        [_, send, address, run] if send == "--send" => client(address, run.parse()?),
        _ => actix_web::rt::System::new().block_on(serve()),
    }
}
