//! The addresses on which the service listens.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::engine::Check;
use super::site::Site;
use super::{CheckId, Code, Finding};
use crate::domain::printable;
use crate::listener::{could_listen, reached_here, remedy};

/// How long whoever listens there may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

const PUBLIC: &str = "server.listen";
const OPERATIONS: &str = "operations.listen";

/// The id of the check of the public listener.
pub(super) fn public() -> CheckId {
    CheckId::new(Code::Listener, PUBLIC)
}

pub(super) fn checks(site: &Arc<Site>) -> Vec<Check> {
    let (server, operations) = (&site.settings.server, &site.settings.operations);
    let tls = server.tls.is_some();
    [(PUBLIC, server.listen, tls), (OPERATIONS, operations.listen, tls && operations.wants_tls())]
        .into_iter()
        .map(|(key, address, tls)| {
            let work = listener(Arc::clone(site), key, address, tls);
            Check::new(CheckId::new(Code::Listener, key), work)
        })
        .collect()
}

async fn listener(site: Arc<Site>, key: &'static str, address: SocketAddr, tls: bool) -> Finding {
    let note = |serves: bool| {
        if key == PUBLIC {
            // It was not set before: there is one such check.
            let _ = site.serves.set(serves);
        }
    };
    match could_listen(address) {
        Ok(()) => {
            note(false);
            Finding::ok(format!("{address} is free: no service listens there"))
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_bridge(address, tls).await => {
            note(true);
            running(address, &told(address, tls).await)
        }
        Err(error) => {
            note(false);
            Finding::fail("address", format!("{key}: nobody can listen on {address}"))
                .means("the service does not start")
                .step(match remedy(&error) {
                    "" => "name another address",
                    remedy => remedy,
                })
                .step(format!("`ss -ltnp | grep ':{}'` shows who listens there", address.port()))
                .seen(format!("the system says: {error}"))
        }
    }
}

/// Whether a bridge answers there.
async fn is_bridge(address: SocketAddr, tls: bool) -> bool {
    match ask(address, tls, "livez").await {
        Some(answer) => is_alive(answer).await,
        None => false,
    }
}

/// What the bridge there tells of itself: only operators learn why it is not ready, and what it takes after a restart.
async fn told(address: SocketAddr, tls: bool) -> Value {
    let Some(mut answer) = ask(address, tls, "readyz").await else { return Value::Null };
    let body = answer.chunk().await.ok().flatten().unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or_default()
}

/// What is found of a service that runs, by what it tells of itself.
fn running(address: SocketAddr, told: &Value) -> Finding {
    let words = |pointer: &str| -> Vec<String> {
        let list = told.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(|word| printable(word).to_string()).collect()
    };
    let (reasons, keys) = (words("/not_ready"), words("/configuration/after_restart"));
    if !reasons.is_empty() {
        return Finding::fail("not-ready", "the service that runs is not ready")
            .means("it answers flows 503 where it must keep what they ask")
            .cause("its database has failed, or it is stopping: see below")
            .step("mend what is named: it recovers by itself")
            .seen(reasons.join("; "));
    }
    if !keys.is_empty() {
        return Finding::warn(
            "restart",
            format!("the service that runs goes by an older {}", keys.join(", ")),
        )
        .means("what doctor finds of that is not what calls meet")
        .cause("it was changed, and the service takes it after a restart only")
        .step("restart the service: `systemctl restart scv-bridge`");
    }
    Finding::ok(format!("the service that runs listens on {address}"))
}

/// What answers there. Its certificate is for the public name, and is looked at by another check.
async fn ask(address: SocketAddr, tls: bool, path: &str) -> Option<reqwest::Response> {
    let scheme = if tls { "https" } else { "http" };
    let url = format!("{scheme}://{}/{path}", reached_here(address));
    let client = reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    client.ok()?.get(url).send().await.ok()
}

/// Whether this is the answer of a bridge's `/livez`.
pub(super) async fn is_alive(mut answer: reqwest::Response) -> bool {
    let is_ok = answer.status().as_u16() == 200;
    let body = answer.chunk().await.ok().flatten().unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    is_ok && body.get("status").and_then(Value::as_str) == Some("alive")
}
