//! Real call histories: what the Search API recorded of a tenant.

use serde_json::Value;

const RECORDED: &str = include_str!("../fixtures/webex/search_activities_response.json");

/// A recorded event: name and milliseconds until the next one of its kind of thing.
pub type Recorded = (String, u64);

/// Histories that are whole, oldest event first. The API cuts those off that are longer than a page.
pub fn histories() -> Vec<(String, Vec<Recorded>)> {
    let answer: Value = serde_json::from_str(RECORDED).unwrap();
    let tasks = answer["data"]["taskDetails"]["tasks"].as_array().unwrap();
    let whole = tasks.iter().filter(|task| task["activities"]["pageInfo"]["hasNextPage"] == false);
    whole
        .map(|task| {
            let nodes = task["activities"]["nodes"].as_array().unwrap().iter().rev();
            let read = |node: &Value| {
                let name = node["eventName"].as_str().unwrap().to_owned();
                (name, u64::try_from(node["duration"].as_i64().unwrap().max(0)).unwrap())
            };
            (task["id"].as_str().unwrap().to_owned(), nodes.map(read).collect())
        })
        .collect()
}

/// The caller's way in order, with the time that each step states, as webhooks tell it: a step that passes in silence
/// counts as the one before it. What lies beside it (the consulted party, the wrap-up, recording) is left out, as are
/// steps without a time of their own.
pub fn way(recorded: &[Recorded]) -> Vec<Recorded> {
    let sum_after =
        |at: usize| -> u64 { recorded[at + 1..].iter().filter(|(name, _)| is_step(name)).map(|r| r.1).sum() };
    let mut way: Vec<Recorded> = Vec::new();
    let mut consulting = false;
    for (at, (name, time)) in recorded.iter().enumerate() {
        match name.as_str() {
            "consulting" => consulting = true,
            "consult-done" | "Transferred" => consulting = false,
            _ => {}
        }
        if !is_step(name) || consulting {
            continue;
        }
        // Of some calls `new` states the time before the first step, of others that of the whole call.
        let whole = name == "new" && at == 0 && *time > sum_after(at);
        let time = if whole { time - sum_after(at) } else { *time };
        match way.last_mut() {
            Some(before) if kind(name).is_none() => before.1 += time,
            _ => way.push((name.clone(), time)),
        }
    }
    way
}

/// The times of some steps.
pub fn times(way: &[Recorded], wanted: &[&str]) -> Vec<u64> {
    way.iter().filter(|(name, _)| wanted.contains(&name.as_str())).map(|one| one.1).collect()
}

/// The type of the webhook that tells of a step. `None`: it passes in silence.
pub fn kind(name: &str) -> Option<&'static str> {
    Some(match name {
        "new" => "task:new",
        "parked" => "task:parked",
        "connect" => "task:connect",
        "connected" => "task:connected",
        "on-hold" => "task:on-hold",
        "hold-done" => "task:hold-done",
        // The first agent is rid of the call, and writes it up.
        "blind-transfer" | "vt-transfer" => "agent:state_change",
        _ => return None,
    })
}

/// Whether it is a step of the caller's way.
pub fn is_step(name: &str) -> bool {
    let steps = ["new", "ivr-connected", "parked", "connect", "connected", "on-hold", "hold-done"];
    let gaps = ["blind-transfer", "Transferred", "dequeued", "vt-transfer", "con-to-agent-error"];
    steps.contains(&name) || gaps.contains(&name)
}
