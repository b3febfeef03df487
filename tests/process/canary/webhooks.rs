//! Webhooks with right and wrong signatures.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Value, json};

use super::super::flow::ANI;
use super::{Flow, WEBHOOK_SECRET};

/// `[webex]` with the secret.
pub fn section() -> String {
    format!("\n[webex]\nwebhook_secrets = [\"{WEBHOOK_SECRET}\"]\n")
}

/// Tells of an agent, who has no number, and of a caller, by somebody who does not know the secret.
pub async fn tell(flow: &Flow) {
    let event = |kind: &str, data: Value| json!({ "id": format!("{kind}-1"), "type": kind, "data": data });
    let login = event("agent:login", json!({ "agentId": "7f0a", "createdTime": 1_795_255_200_000_i64 }));
    let (status, answer) = flow.webhook(&login, &sign(&login)).await;
    assert_eq!(status, 200, "{answer}");
    let call = event("task:new", json!({ "taskId": "t-1", "origin": ANI, "channelType": "telephony" }));
    let forged = sign(&login);
    assert_eq!(flow.webhook(&call, &forged).await.0, 401);
    assert_eq!(flow.webhook(&call, WEBHOOK_SECRET).await.0, 401);
}

fn sign(body: &Value) -> String {
    let key = PKey::hmac(WEBHOOK_SECRET.as_bytes()).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(body.to_string().as_bytes()).unwrap();
    signature.iter().map(|byte| format!("{byte:02x}")).collect()
}
