//! Does the time of a refusal tell anything about the secret or the client? A statistical smoke test: it measures, prints,
//! and ends with 1 if a difference is plain to see. For a quiet machine, not for CI; docs/performance.md has figures.

use std::hint::black_box;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::sha::sha256;
use scv_bridge::api::{Callers, Peer, Throttle};
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::ids::Ids;
use scv_bridge::settings::{Access, Client, FailedLogins, Proxies, TokenEndpoint};

const ID: &str = "webex-flow";
/// As `scv-bridge secret new` prints one: such a secret is always compared, however many were wrong before.
const SECRET: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJC";
const ROUNDS: usize = 400_000;
/// Beyond this, a difference of means is no chance (Welch's t).
const PLAIN: f64 = 10.0;
/// A difference that nobody can see through a network, in nanoseconds.
const INVISIBLE: f64 = 100.0;

/// What an attacker may try; the first is what the others are compared with.
fn attempts() -> [(&'static str, String); 5] {
    let changed = |at: usize| {
        let mut bytes = SECRET.as_bytes().to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = b'A';
        }
        format!("{ID}:{}", String::from_utf8_lossy(&bytes))
    };
    [
        ("wrong throughout", format!("{ID}:{}", "A".repeat(SECRET.len()))),
        ("first letter wrong", changed(0)),
        ("last letter wrong", changed(SECRET.len() - 1)),
        ("the same once more", format!("{ID}:{}", "A".repeat(SECRET.len()))),
        ("unknown client", format!("webex-flaw:{}", "A".repeat(SECRET.len()))),
    ]
}

/// Mean and variance of the lower nine tenths: what is above was interrupted.
fn moments(mut times: Vec<f64>) -> (f64, f64, f64) {
    times.sort_by(f64::total_cmp);
    times.truncate(times.len() / 10 * 9);
    #[expect(clippy::cast_precision_loss, reason = "a number of measurements")]
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance, count)
}

fn main() -> ExitCode {
    // `cargo test --benches` and `cargo clippy` only want to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let client = Client {
        id: ID.into(),
        secrets: vec![sha256(SECRET.as_bytes())],
        user: None,
        assertion_keys: Vec::new(),
        certificate_names: Default::default(),
        call_centers: Access::All,
    };
    let oauth = TokenEndpoint { token_life: Duration::from_secs(3600), keys: None, audiences: Vec::new() };
    let limits = FailedLogins { per_address: 20, per_client: 100, window: Duration::from_secs(60) };
    let proxies = Proxies { header: None, networks: Vec::new() };
    let throttle = Arc::new(Throttle::new(&limits, proxies, Arc::new(SystemClock)));
    let base_url = String::from("https://bridge.example.com");
    let Ok(callers) = Callers::of(&[client], &oauth, base_url, Arc::default(), throttle) else {
        return ExitCode::FAILURE;
    };
    let attempts = attempts();
    let headers = attempts.each_ref().map(|(_, credentials)| {
        let value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(credentials)));
        HeaderMap::from_iter(value.map(|value| (AUTHORIZATION, value)))
    });
    let address = Some(SocketAddr::from(([192, 0, 2, 1], 4711)));
    let now = SystemClock.now();
    let mut times = attempts.each_ref().map(|_| Vec::with_capacity(ROUNDS));
    let chance = Ids::new(1);
    for _ in 0..ROUNDS * attempts.len() {
        // By chance, so that neither a disturbance of the machine nor what came before favours any of them.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4")]
        let which = (chance.fraction() * 5.0) as usize;
        let (Some(headers), Some(times)) = (headers.get(which), times.get_mut(which)) else { continue };
        let peer = Peer { address, headers, names: &[] };
        let started = Instant::now();
        let known = black_box(callers.identify(black_box(&peer), now).is_ok());
        let took = started.elapsed();
        assert!(!known, "all of them are wrong");
        times.push(took.as_secs_f64() * 1e9);
    }
    report(attempts.map(|(name, _)| name), times.map(moments))
}

fn report(names: [&str; 5], moments: [(f64, f64, f64); 5]) -> ExitCode {
    let [first, ..] = moments;
    let mut plain = false;
    for (name, (mean, variance, count)) in names.into_iter().zip(moments) {
        let difference = mean - first.0;
        let t = difference / (variance / count + first.1 / first.2).sqrt();
        println!("{name:20} {mean:8.1} ns  {difference:+6.1} ns  t {t:+6.1}");
        plain |= t.abs() > PLAIN && difference.abs() > INVISIBLE;
    }
    if plain {
        println!("a refusal tells something by its time");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
