//! A flow with its connector: sends, repeats, and knows what it was told.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rand::RngExt as _;
use rand::rngs::StdRng;
use reqwest::Certificate;
use serde_json::Value;
use tokio::sync::watch;

use super::breaks::Break;
use super::fleet::Door;
use super::site::CONNECTOR;

/// How long the vendor's flow waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a request is sent over a connection that does not break.
const TRIES: usize = 2;
/// How often, in addition, over one that does.
const BREAKS: usize = 3;
/// How likely a flow takes a broken connection for the last word, and goes on.
const GIVES_UP: f64 = 0.1;

/// A flow. Clones share its connections.
#[derive(Clone)]
pub struct Flow {
    http: reqwest::Client,
    door: Door,
    /// How likely a connection breaks.
    breaks: f64,
    finished: Arc<watch::Sender<usize>>,
    tally: Arc<Tally>,
}

/// What went wrong with requests.
#[derive(Default)]
pub struct Tally {
    /// Connections that were reset before the answer.
    pub resets: AtomicUsize,
    /// Connections that were dropped before the answer.
    pub drops: AtomicUsize,
    /// Requests through a proxy.
    pub by_proxy: AtomicUsize,
    /// Answers with 5xx, the proxies' own among them, and connections that the other side broke.
    pub failures: AtomicUsize,
}

impl Tally {
    /// Connections that broke before the answer.
    pub fn broken(&self) -> usize {
        self.resets.load(Ordering::Relaxed) + self.drops.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [resets, drops, by_proxy, failures] = [&self.resets, &self.drops, &self.by_proxy, &self.failures]
            .map(|count| count.load(Ordering::Relaxed));
        write!(f, "{resets} connections reset and {drops} dropped, {by_proxy} requests through proxies, ")?;
        write!(f, "{failures} failed")
    }
}

/// What came of a request.
#[derive(Debug)]
pub enum Reply {
    /// 200 with this data: the bridge has given its word.
    Accepted(Value),
    /// Not even the repetition was: a connection that broke, or 5xx.
    NotAccepted,
    /// An answer that no flow should get here.
    Strange(String),
}

impl Flow {
    /// `finished` counts the requests that have come to an end, whichever.
    pub fn new(door: Door, root: Certificate, breaks: f64, finished: Arc<watch::Sender<usize>>) -> Self {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([root]).timeout(PATIENCE);
        Self { http: http.build().unwrap(), door, breaks, finished, tally: Arc::default() }
    }

    /// What went wrong until now.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Sends what a flow sends; again after 5xx or a broken connection, the same body, to whichever replica is there.
    pub async fn post(&self, dice: &mut StdRng, route: &str, body: &Value) -> Reply {
        let (mut tries, mut breaks) = (0, 0);
        while tries < TRIES {
            let way = self.door.clone().any(dice).await;
            self.tally.by_proxy.fetch_add(usize::from(way.is_proxy), Ordering::Relaxed);
            let is_broken = breaks < BREAKS && dice.random_bool(self.breaks);
            let answer = if is_broken {
                breaks += 1;
                self.broken(Break::drawn(dice), &way.base, route, body).await
            } else {
                tries += 1;
                self.once(&way.base, route, body).await.ok()
            };
            self.finished.send_modify(|count| *count += 1);
            match answer {
                Some((200, mut body)) => return Reply::Accepted(body["data"].take()),
                Some((status, body)) if status < 500 => {
                    return Reply::Strange(format!("{route} was answered {status}: {}", body["errors"]));
                }
                None if is_broken => {
                    if dice.random_bool(GIVES_UP) {
                        return Reply::NotAccepted;
                    }
                }
                _ => _ = self.tally.failures.fetch_add(1, Ordering::Relaxed),
            }
        }
        Reply::NotAccepted
    }

    async fn once(&self, base: &str, route: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        let (id, secret) = CONNECTOR;
        let request = self.http.post(format!("{base}/voice/v1/{route}")).basic_auth(id, Some(secret));
        let request = request.header("content-type", "Application/JSON").body(body.to_string());
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        // A proxy's own answer is a page.
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(&bytes);
            assert!(status >= 400, "{route} was answered {status}: {text}");
            serde_json::json!({ "errors": text })
        });
        Ok((status, body))
    }

    async fn broken(&self, one: Break, base: &str, route: &str, body: &Value) -> Option<(u16, Value)> {
        let (id, secret) = CONNECTOR;
        let (body, credentials) = (body.to_string(), BASE64_STANDARD.encode(format!("{id}:{secret}")));
        let request = format!(
            "POST /voice/v1/{route} HTTP/1.1\r\nhost: bridge\r\nauthorization: Basic {credentials}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = one.send(base, request.into_bytes()).await;
        if answer.is_none() {
            let count = if one.is_reset { &self.tally.resets } else { &self.tally.drops };
            count.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }
}
