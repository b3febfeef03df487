//! Flows beside flows: the events of a call come in any order and more than once, and its record ends up the same.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scv_bridge::mock::{Disposition, Operation, RecordedRequest};
use serde_json::{Value, json};

use crate::stage::{CENTER, Stage, create, ended, omni_flow, reference, with};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Create,
    Route,
    Answered,
    Update,
    Clear,
    Ended,
}

/// What happens to a call, and whether an agent took it. Webex names the agent with the hang-up.
#[derive(Debug, Clone)]
struct History {
    events: Vec<Event>,
    answered: bool,
}

/// A call that has ended at least once. A caller who is gone is not routed any more.
fn any_history() -> impl Strategy<Value = History> {
    use Event::{Answered, Clear, Create, Ended, Route, Update};
    let events = |answered: bool| {
        let all = [Create, Route, Update, Clear, Ended, Answered];
        let possible = if answered { &all[..] } else { &all[..5] };
        let some = prop::collection::vec(prop::sample::select(possible.to_vec()), 0..8);
        let all = some.prop_map(|mut some| {
            some.push(Ended);
            some
        });
        all.prop_shuffle().prop_map(move |mut events| {
            let end = events.iter().position(|event| *event == Ended);
            let mut at = 0;
            events.retain(|event| {
                at += 1;
                *event != Route || Some(at) < end
            });
            History { events, answered }
        })
    };
    any::<bool>().prop_flat_map(events)
}

/// What must not depend on the order.
#[derive(Debug, PartialEq)]
struct Record {
    disposition: Disposition,
    reason: Option<String>,
    end: Option<String>,
    attributes: Value,
    waits: bool,
}

async fn play(stage: &Stage, key: &str, history: &History) {
    let agent = json!({ "agentId": if history.answered { "7d6a" } else { "" } });
    let hang_up = json!({
        "endTime": "2026-11-21T10:00:30Z", "from": "+14693150217", "to": "+18005550100",
        "disconnectReason": { "value": "Abandoned", "isError": true },
    });
    for event in &history.events {
        let (route, body) = match event {
            Event::Create => ("createVoiceCall", create(key)),
            Event::Route => ("executeOmniFlow", omni_flow(key)),
            Event::Answered => (
                "agentAnswered",
                json!({ "callCenterDevName": CENTER, "vendorCallKey": key, "agentId": "7d6a" }),
            ),
            Event::Update => {
                let more = json!({ "isActiveCall": true, "callAttributes": { "Step__c": "menu" } });
                ("updateVoiceCall", with(reference(key), more))
            }
            Event::Clear => ("clearRouting", reference(key)),
            Event::Ended => ("phoneContactEnded", with(with(ended(key), hang_up.clone()), agent.clone())),
        };
        let reply = stage.post(route, body).await;
        // 422: routing or clearing a call that has no record yet.
        assert!(matches!(reply.status, 200 | 422), "{event:?}: {} {}", reply.status, reply.text);
    }
}

/// The record of the key, once nothing is left to send for it.
async fn record(stage: &Stage, key: &str, history: &History) -> Option<Record> {
    stage.deliver(60).await;
    let call = stage.org.voice_call(key)?;
    Some(Record {
        disposition: call.call_disposition,
        reason: call.disconnect_reason,
        end: call.call_end_date_time,
        attributes: Value::Object(call.attributes),
        // Of an answered call the agent takes it away, in Salesforce.
        waits: !history.answered && call.pending_routing.is_some(),
    })
}

fn sent(stage: &Stage, key: &str, operation: Operation) -> Vec<RecordedRequest> {
    let call = stage.org.voice_call(key);
    let is_of = |request: &RecordedRequest| {
        let body = request.body.as_ref();
        request.path.contains(&format!("/{key}"))
            || call.as_ref().is_some_and(|call| request.path.contains(&call.id))
            || body.is_some_and(|body| body["vendorCallKey"] == key)
    };
    stage.asked(operation).into_iter().filter(is_of).collect()
}

fn finals(stage: &Stage, key: &str) -> usize {
    let is_final = |request: &RecordedRequest| {
        request.body.as_ref().is_none_or(|body| body["isActiveCall"] != Value::Bool(true))
    };
    sent(stage, key, Operation::Update).iter().filter(|request| is_final(request)).count()
}

async fn check(stage: &Stage, number: usize, history: &History) -> Result<(), TestCaseError> {
    let (any, usual) = (format!("wxcc_any-{number}-"), format!("wxcc_usual-{number}-"));
    let mut in_order = history.clone();
    in_order.events.sort_unstable();
    in_order.events.dedup();
    play(stage, &usual, &in_order).await;
    let expected = record(stage, &usual, &in_order).await;
    play(stage, &any, history).await;
    prop_assert_eq!(record(stage, &any, history).await, expected);
    prop_assert!(sent(stage, &any, Operation::Create).len() <= 1, "created twice");
    let records = stage.org.voice_calls().into_iter().filter(|call| call.vendor_call_key == any).count();
    prop_assert!(records <= 1, "two records");
    prop_assert_eq!(finals(stage, &any), usize::from(!history.answered));
    Ok(())
}

#[test]
fn the_order_and_repetition_of_a_calls_events_do_not_matter() {
    let system = actix_web::rt::System::new();
    let stage = system.block_on(Stage::telephony());
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let number = std::cell::Cell::new(0);
    let result = runner.run(&any_history(), |history| {
        number.set(number.get() + 1);
        system.block_on(async {
            stage.org.forget_requests();
            check(&stage, number.get(), &history).await
        })
    });
    system.block_on(async {
        let _looked_at = stage.refusals();
        drop(stage);
    });
    result.unwrap();
}

#[actix_web::test]
async fn a_create_after_the_hang_up_makes_no_second_record() {
    let stage = Stage::telephony().await;
    let hang_up = json!({ "from": "+14693150217", "to": "+18005550100" });
    stage.post("phoneContactEnded", with(ended("wxcc_1"), hang_up)).await.data();
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert_eq!(reply.data(), &json!({ "voiceCallId": "wxcc_1" }));
    assert_eq!(sent(&stage, "wxcc_1", Operation::Create).len(), 0);
    assert_eq!(stage.org.voice_calls().len(), 1);
    // There was no routing to clear.
    assert!(stage.refusals().iter().all(|refusal| refusal.operation == Operation::ClearRouting));
}
