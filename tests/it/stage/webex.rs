//! Webex's side: signed webhooks, and the time that follows them.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{CENTER, Reply, Stage};

/// The secret of the subscription.
pub const SECRET: &str = "s3cret-of-the-subscription-32chars";

/// `[webex]` with this secret and these keys.
pub fn webex(keys: &str) -> String {
    format!("[webex]\nwebhook_secrets = [\"{SECRET}\"]\ncall_center = \"{CENTER}\"\n{keys}")
}

/// A webhook of the first version: what happened to a task, so many seconds after 10:00.
pub fn event(kind: &str, task: &str, second: i64) -> Value {
    json!({
        "id": format!("{kind}-{task}-{second}"),
        "specversion": "1.0",
        "type": kind,
        "source": "/com/cisco/wxcc/a1b2c3d4",
        "comciscoorgid": "f2b1d1f0-1111-4222-8333-444455556666",
        "datacontenttype": "application/json",
        "data": {
            "createdTime": 1_795_255_200_000_i64 + second * 1000,
            "taskId": task,
            "origin": "+14693150217",
            "destination": "+18005550100",
            "direction": "INBOUND",
            "channelType": "telephony",
            "queueId": "queue-1",
        },
    })
}

/// The signature of a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let key = PKey::hmac(secret.as_bytes()).unwrap();
    let signature = Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(body).unwrap();
    signature.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Stage {
    /// A webhook, not yet sent.
    pub fn webhook(&self, body: &str) -> RequestBuilder {
        self.request(Method::POST, "/webhooks/wxcc")
            .header("content-type", "application/json")
            .header("X-WebexCC-Signature", sign(SECRET, body.as_bytes()))
            .body(body.to_owned())
    }

    /// Sends webhooks, each of which is taken.
    pub async fn tell(&self, events: impl IntoIterator<Item = Value>) {
        for event in events {
            Reply::of(self.webhook(&event.to_string())).await.data();
        }
    }

    /// Moves the time, and lets all conclusions be drawn that are due then.
    pub async fn conclude(&self, seconds: u64) {
        self.wait_seconds(seconds);
        for _ in 0..10_000 {
            // The service's own loop takes steps too: one that finds nothing once all looks have ended found all done.
            let found = self.handle.task_worker().unwrap().step_when_idle().await.unwrap();
            let next = self.handle.outbox().store().next_task().await.unwrap();
            if found == 0 && next.is_none_or(|due| due > self.handle.outbox().now()) {
                return;
            }
            tokio::task::yield_now().await;
        }
        unreachable!("there is always another task");
    }
}
