//! Real call histories, played as signed webhooks: the final update says what their own events state.

use scv_bridge::mock::{Disposition, Operation};
use serde_json::{Value, json};

use crate::enrichment::{ENRICHMENT, waiting};
use crate::histories::{Recorded, histories, kind, times, way};
use crate::stage::{Plan, Stage, event, webex, with};

/// When the calls end, in epoch milliseconds.
const END: u64 = 1_795_255_200_000;

fn webhooks(task: &str, way: &[Recorded]) -> Vec<Value> {
    let total: u64 = way.iter().map(|step| step.1).sum();
    let mut now = END - total;
    let mut all = Vec::new();
    let told = |kind: &str, at: u64| {
        let mut webhook = with(event(kind, task, 0), json!({ "id": format!("{task}-{kind}-{at}") }));
        webhook["data"]["createdTime"] = at.into();
        webhook["data"]["currentState"] = "wrapup".into();
        webhook
    };
    for (name, time) in way {
        all.extend(kind(name).map(|kind| told(kind, now)));
        now += time;
    }
    all.push(told("task:ended", END));
    all
}

fn seconds(milliseconds: u64) -> u64 {
    milliseconds.saturating_add(500) / 1000
}

fn assert_stated(stage: &Stage, task: &str, way: &[Recorded]) {
    let call = stage.org.voice_call(&format!("wxcc_{task}")).unwrap();
    assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1), "{task}");
    let (holds, talk) = (times(way, &["on-hold"]), times(way, &["connected", "hold-done"]));
    let is_answered = !talk.is_empty();
    let told = call.holds;
    assert_eq!(told.number_of_holds, Some(holds.len() as u64), "{task}");
    assert_eq!(told.longest_hold_duration, Some(seconds(holds.iter().copied().max().unwrap_or(0))), "{task}");
    assert_eq!(told.total_hold_duration, Some(seconds(holds.iter().sum())), "{task}");
    let interaction = is_answered.then(|| seconds(talk.iter().sum()));
    assert_eq!(told.agent_interaction_duration, interaction, "{task}");
    assert_eq!(call.call_accept_date_time.is_some(), is_answered, "{task}");
    let abandoned = call.disconnect_reason.as_deref().is_some_and(|reason| reason.starts_with("Abandoned"));
    assert_eq!(abandoned, !is_answered, "{task}");
}

#[actix_web::test]
async fn real_histories_in_order_backwards_and_mixed_are_told_as_their_own_events_state_them() {
    let location = "enrichment.recording_location = \"https://player.example.com/{taskId}\"";
    let center = format!("{ENRICHMENT}{location}");
    let sections = format!("{}\n[limits]\ncreates_per_second = 1000", webex(""));
    let stage = Plan::telephony().center(&center).sections(&sections).start().await;
    let ways: Vec<Vec<Recorded>> = histories().iter().map(|(_, recorded)| way(recorded)).collect();
    assert_eq!(ways.len(), 23);
    for (number, way) in ways.iter().enumerate() {
        for order in ["forward", "backward", "mixed"] {
            let task = format!("{order}-{number}");
            waiting(&stage, &task).await;
            let mut webhooks = webhooks(&task, way);
            match order {
                "backward" => webhooks.reverse(),
                // As if drawn: by a hash of their ids.
                "mixed" => {
                    webhooks.sort_by_key(|webhook| openssl::sha::sha1(webhook["id"].to_string().as_bytes()));
                }
                _ => {}
            }
            stage.tell(webhooks).await;
        }
    }
    stage.conclude(11).await;
    for (number, way) in ways.iter().enumerate() {
        for order in ["forward", "backward", "mixed"] {
            assert_stated(&stage, &format!("{order}-{number}"), way);
        }
    }
    assert_eq!(stage.asked(Operation::Update).len(), 69);
}
