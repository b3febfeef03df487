//! Connections that break under a request, as those of clients without patience and of networks do.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use openssl::ssl::{Ssl, SslContext, SslMethod};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::task::spawn_blocking;

use super::site::DEADLINE_MILLISECONDS;

/// When a connection breaks, and how.
#[derive(Debug, Clone, Copy)]
pub struct Break {
    moment: Moment,
    /// By a reset, or else without a word: closed below TLS, with no alert before.
    pub is_reset: bool,
}

#[derive(Debug, Clone, Copy)]
enum Moment {
    /// When so many thousandths of the request were sent.
    Within(usize),
    /// So long after all of it was sent.
    After(Duration),
}

impl Break {
    /// Any: within the request, in the few milliseconds that the bridge has for itself, or while Salesforce works.
    pub fn drawn(dice: &mut StdRng) -> Self {
        let moment = match dice.random_range(0..10) {
            0 => Moment::Within(dice.random_range(0..1000)),
            1..=5 => Moment::After(Duration::from_micros(dice.random_range(0..20_000))),
            _ => Moment::After(Duration::from_millis(dice.random_range(0..DEADLINE_MILLISECONDS))),
        };
        Self { moment, is_reset: dice.random_bool(0.5) }
    }

    /// Sends a request to `host:port` over a connection of its own; the answer, if it was there before the break.
    pub async fn send(self, base: &str, request: Vec<u8>) -> Option<(u16, Value)> {
        let (scheme, address) = base.split_once("://")?;
        let is_tls = scheme == "https";
        let socket = TcpSocket::new_v4().unwrap();
        if self.is_reset {
            // Whenever it is closed.
            socket.set_zero_linger().unwrap();
        }
        let stream = socket.connect(address.parse().unwrap()).await.ok()?.into_std().unwrap();
        spawn_blocking(move || self.talk(stream, is_tls, &request).ok().flatten()).await.unwrap()
    }

    fn talk(self, stream: TcpStream, is_tls: bool, request: &[u8]) -> io::Result<Option<(u16, Value)>> {
        stream.set_nonblocking(false)?;
        if !is_tls {
            return self.exchange(&stream, &stream, request);
        }
        let below = stream.try_clone()?;
        // Whose certificate that is does not matter here.
        let context = SslContext::builder(SslMethod::tls_client()).unwrap().build();
        let stream = Ssl::new(&context).unwrap().connect(stream).map_err(io::Error::other)?;
        // Dropping it closes the connection below and says nothing.
        self.exchange(stream, &below, request)
    }

    fn exchange(
        self,
        mut stream: impl Read + Write,
        below: &TcpStream,
        request: &[u8],
    ) -> io::Result<Option<(u16, Value)>> {
        let time = match self.moment {
            Moment::Within(per_mille) => {
                let sent = request.len() * per_mille / 1000;
                stream.write_all(&request[..sent])?;
                return Ok(None);
            }
            Moment::After(time) => time,
        };
        stream.write_all(request)?;
        let broken = Instant::now() + time;
        let (mut answer, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let left = broken.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            below.set_read_timeout(Some(left))?;
            let length = stream.read(&mut part)?;
            answer.extend_from_slice(&part[..length]);
            let whole = read(&answer);
            if whole.is_some() || length == 0 {
                return Ok(whole);
            }
        }
    }
}

/// Status and body of an answer that is whole.
fn read(answer: &[u8]) -> Option<(u16, Value)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    // What is cut off is no JSON.
    Some((status, serde_json::from_str(body).ok()?))
}
