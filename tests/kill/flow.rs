//! A flow with its connector: sends, repeats once, and knows what it was told.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use serde_json::Value;
use tokio::sync::watch;

use super::fleet::Door;
use super::site::CONNECTOR;

/// How long the vendor's flow waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// A flow. Clones share its connections.
#[derive(Clone)]
pub struct Flow {
    http: reqwest::Client,
    door: Door,
    finished: Arc<watch::Sender<usize>>,
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
    pub fn new(door: Door, finished: Arc<watch::Sender<usize>>) -> Self {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE);
        Self { http: http.build().unwrap(), door, finished }
    }

    /// Sends what a flow sends; once more after 5xx or a broken connection, the same body, to whichever replica
    /// is there.
    pub async fn post(&self, dice: &mut StdRng, route: &str, body: &Value) -> Reply {
        for _ in 0..2 {
            let base = self.door.clone().any(dice).await;
            let answer = self.once(&format!("{base}/voice/v1/{route}"), body).await;
            self.finished.send_modify(|count| *count += 1);
            match answer {
                Ok((200, mut body)) => return Reply::Accepted(body["data"].take()),
                Ok((status, body)) if status < 500 => {
                    return Reply::Strange(format!("{route} was answered {status}: {}", body["errors"]));
                }
                Ok(_) | Err(_) => {}
            }
        }
        Reply::NotAccepted
    }

    async fn once(&self, url: &str, body: &Value) -> reqwest::Result<(u16, Value)> {
        let (id, secret) = CONNECTOR;
        let request = self.http.post(url).basic_auth(id, Some(secret));
        let request = request.header("content-type", "Application/JSON").body(body.to_string());
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap()))
    }
}
