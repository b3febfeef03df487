//! Calls without a pause, over several connections.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::task::JoinHandle;

use super::{CONNECTOR, Stage, create, omni_flow};

/// Flows that create calls and ask where they shall go until they are told to end.
pub struct Load {
    answered: Arc<AtomicUsize>,
    ending: Arc<AtomicBool>,
    credentials: Arc<Mutex<(String, String)>>,
    flows: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Begins, with a connection for each flow.
    pub fn begin(stage: &Stage, connections: usize) -> Self {
        let (answered, ending) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (id, secret) = CONNECTOR;
        let credentials = Arc::new(Mutex::new((id.to_owned(), secret.to_owned())));
        let flow = |number: usize| {
            let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
            let base = stage.public.clone();
            let flow = Flow { http, base, number, credentials: Arc::clone(&credentials) };
            tokio::spawn(flow.run(Arc::clone(&answered), Arc::clone(&ending)))
        };
        let flows = (0..connections).map(flow).collect();
        Self { answered, ending, credentials, flows }
    }

    /// Waits until so many further requests were answered.
    pub async fn further(&self, requests: usize) {
        let until = self.answered.load(Ordering::Acquire) + requests;
        while self.answered.load(Ordering::Acquire) < until {
            assert!(!self.flows.iter().any(JoinHandle::is_finished), "a flow has ended");
            tokio::task::yield_now().await;
        }
    }

    /// From the next request on the flows have these credentials.
    pub fn use_credentials(&self, id: &str, secret: &str) {
        *self.credentials.lock().unwrap() = (id.to_owned(), secret.to_owned());
    }

    /// Ends: how many requests were answered, and which answers were no success.
    pub async fn end(self) -> (usize, Vec<String>) {
        self.ending.store(true, Ordering::Release);
        let mut failures = Vec::new();
        for flow in self.flows {
            failures.extend(flow.await.unwrap());
        }
        (self.answered.load(Ordering::Acquire), failures)
    }
}

struct Flow {
    http: reqwest::Client,
    base: String,
    number: usize,
    credentials: Arc<Mutex<(String, String)>>,
}

impl Flow {
    async fn run(self, answered: Arc<AtomicUsize>, ending: Arc<AtomicBool>) -> Vec<String> {
        let mut failures = Vec::new();
        for call in 0.. {
            let key = format!("wxcc_load_{}_{call}", self.number);
            for (route, body) in [("createVoiceCall", create(&key)), ("executeOmniFlow", omni_flow(&key))] {
                if ending.load(Ordering::Acquire) {
                    return failures;
                }
                failures.extend(self.send(route, body).await.err());
                answered.fetch_add(1, Ordering::AcqRel);
            }
        }
        failures
    }

    async fn send(&self, route: &str, body: Value) -> Result<(), String> {
        let (id, secret) = self.credentials.lock().unwrap().clone();
        let request = self.http.post(format!("{}/voice/v1/{route}", self.base)).basic_auth(id, Some(secret));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(()) } else { Err(format!("{route}: {status} {body}")) }
    }
}
