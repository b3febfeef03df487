//! Pages under `/mock` for people who watch the stand-alone tenant. Not part of Webex.

use serde_json::{Value, json};

use super::super::answer::Answer;
use super::tenant::{Incoming, Tenant};

/// Shows what the tenant has seen, or takes a task that Search then finds.
pub(super) fn attend(tenant: &Tenant, page: &str, incoming: &Incoming) -> Answer {
    match (incoming.method.as_str(), page) {
        ("GET", "subscriptions") => {
            let state = tenant.state();
            let shown = state.subscriptions.iter().map(|known| known.json(&tenant.settings.org_id));
            Answer::json(200, &shown.collect())
        }
        ("GET", "refusals") => Answer::json(200, &json!(tenant.state().refusals.all())),
        ("GET", "requests") => Answer::json(200, &json!(tenant.state().requests.all())),
        ("POST", "tasks") => task(tenant, incoming),
        _ => Answer::json(404, &json!({ "error": "no such page of the mock tenant, or another method" })),
    }
}

fn task(tenant: &Tenant, incoming: &Incoming) -> Answer {
    let body = serde_json::from_slice(&incoming.body);
    let Ok(Value::Object(task)) = body else {
        return Answer::json(400, &json!({ "error": "the body is no JSON object" }));
    };
    let Some(id) = task.get("id").and_then(Value::as_str).map(str::to_owned) else {
        return Answer::json(400, &json!({ "error": "id: missing, or no text" }));
    };
    let answer = Answer::json(200, &Value::Object(task.clone()));
    tenant.state().tasks.insert(id, task);
    answer
}
