//! The caller's side of a task and the consulted party's, told by webhooks and by Search.

use scv_bridge::mock::Operation as OfOrg;
use scv_bridge::webex::ReconcileStep as Step;
use serde_json::json;

use super::closing::House;
use super::*;
use crate::enrichment::{ENRICHMENT, end, waiting};
use crate::stage::{Plan, event, with};

const LOCATED: &str = "enrichment.recording_location = \"https://player.example.com/{taskId}\"\n";

async fn house() -> House {
    House::of(Plan::telephony().center(&format!("{ENRICHMENT}{LOCATED}")), "").await
}

/// A hundred seconds: the agent consults a queue, whose events stand beside the caller's.
fn consult(task: &str) -> Vec<Value> {
    let told = [
        ("task:new", -100),
        ("task:connected", -95),
        ("task:on-hold", -80),
        ("task:consulting", -79),
        ("task:new", -78),
        ("task:parked", -77),
        ("task:connect", -76),
        ("task:connected", -70),
        ("task:consult-done", -45),
        ("task:ended", -45),
    ];
    told.iter().map(|(kind, second)| event(kind, task, *second)).collect()
}

impl House {
    /// Search shows the task, without activities.
    fn figures(&self, id: &str, figures: Value) {
        let mut record = task(id, 0);
        record["createdTime"] = (now() - 100_000).into();
        self.tenant.webex.put_task(with(record, figures));
    }

    fn told(&self) -> Vec<Value> {
        self.stage.sent(OfOrg::Update)
    }
}

fn assert_whole(update: &Value) {
    let figures = ["numberOfHolds", "longestHoldDuration", "totalHoldDuration", "agentInteractionDuration"];
    assert_eq!(
        figures.map(|name| update[name].as_u64()),
        [Some(1), Some(42), Some(42), Some(53)],
        "{update}"
    );
    assert!(is_at_ten(update), "{update}");
}

fn is_at_ten(update: &Value) -> bool {
    update["endTime"].as_str().unwrap().starts_with("2026-11-21T10:00:00.")
}

#[actix_web::test]
async fn the_end_of_a_consulted_party_completes_no_call_in_the_middle() {
    let house = house().await;
    waiting(&house.stage, "1").await;
    house.stage.tell(consult("1")).await;
    house.stage.conclude(11).await;
    assert_eq!(house.told(), [Value::Null; 0]);
    house.stage.tell([event("task:hold-done", "1", -38), end("1", 0)]).await;
    house.stage.conclude(11).await;
    assert_whole(&house.told()[0]);
    house.stage.conclude(1000).await;
    assert_eq!(house.told().len(), 1);
}

#[actix_web::test]
async fn where_the_callers_own_end_was_lost_search_says_when_it_was_and_what_it_adds_up_to() {
    let house = house().await;
    waiting(&house.stage, "1").await;
    house.stage.tell(consult("1")).await;
    house.stage.conclude(11).await;
    let sums =
        json!({ "connectedCount": 1, "connectedDuration": 53_000, "holdCount": 1, "holdDuration": 42_000 });
    house.figures("1", sums);
    house.wait(300);
    assert_eq!(house.reconcile().await.differed, 1);
    assert_whole(&house.told()[0]);
    house.wait(300);
    let again = house.reconcile().await;
    assert_eq!((again.differed, house.told().len()), (0, 1));
}

#[actix_web::test]
async fn an_end_that_nobody_confirms_is_believed_in_the_end() {
    let house = house().await;
    waiting(&house.stage, "1").await;
    house.stage.tell(consult("1")).await;
    house.stage.conclude(500).await;
    assert_eq!(house.told().len(), 0);
    house.stage.conclude(100).await;
    assert_eq!(house.told()[0]["endTime"], "2026-11-21T09:59:15.000Z");
    // It was not the caller's: that is a correction, which ends nothing.
    house.stage.tell([event("task:hold-done", "1", -38), end("1", 0)]).await;
    house.stage.conclude(11).await;
    assert_whole(&house.told()[1]);
    assert_eq!(house.told()[1]["isActiveCall"], true);
}

#[actix_web::test]
async fn searchs_sums_are_told_without_activities_and_what_it_does_not_know_is_left_out() {
    let house = house().await;
    waiting(&house.stage, "1").await;
    let sums = json!({ "connectedCount": 1, "connectedDuration": 50_000, "holdCount": 2, "holdDuration": 20_000,
        "lastAgent": { "id": "agent-1" } });
    house.figures("1", sums);
    house.wait(300);
    assert_eq!(house.reconcile().await.differed, 1);
    let update = &house.told()[0];
    let figures = ["numberOfHolds", "longestHoldDuration", "totalHoldDuration", "agentInteractionDuration"];
    assert_eq!(figures.map(|name| update[name].as_u64()), [Some(2), None, Some(20), Some(50)], "{update}");
    assert!(update.get("longestHoldDuration").is_none());
    house.wait(300);
    let again = house.reconcile().await;
    assert_eq!((again.differed, house.told().len()), (0, 1));
}

#[actix_web::test]
async fn searchs_sums_win_where_events_were_lost_or_tell_something_else() {
    let house = house().await;
    waiting(&house.stage, "1").await;
    let events = [("task:new", -100), ("task:connected", -95), ("task:on-hold", -80)];
    house.stage.tell(events.iter().map(|(kind, second)| event(kind, "1", *second))).await;
    house.stage.tell([end("1", 0)]).await;
    house.stage.conclude(11).await;
    assert_eq!(house.told()[0]["totalHoldDuration"], 80, "the agent gave the call to an outside number");
    let sums =
        json!({ "connectedCount": 1, "connectedDuration": 53_000, "holdCount": 1, "holdDuration": 42_000 });
    house.figures("1", sums);
    house.wait(300);
    assert_eq!(house.reconcile().await.differed, 1);
    let update = &house.told()[1];
    let figures = ["numberOfHolds", "longestHoldDuration", "totalHoldDuration", "agentInteractionDuration"];
    assert_eq!(
        figures.map(|name| update[name].as_u64()),
        [Some(1), Some(42), Some(42), Some(53)],
        "{update}"
    );
    assert_eq!(update["isActiveCall"], true);
}

#[actix_web::test]
async fn an_acceptance_that_is_stamped_milliseconds_after_the_end_leaves_no_call_open() {
    let house = house().await;
    waiting(&house.stage, "1").await;
    let late = |mut event: Value, milliseconds: i64| {
        let at = event["data"]["createdTime"].as_i64().unwrap() + milliseconds;
        event["data"]["createdTime"] = at.into();
        event
    };
    let accepted = late(event("task:connected", "1", 0), 2);
    house
        .stage
        .tell([event("task:new", "1", -100), event("task:connect", "1", -50), accepted, end("1", 0)])
        .await;
    house.stage.conclude(11).await;
    let call = house.stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!((call.updates, call.call_duration_in_seconds), (1, Some(100)));
    assert_eq!(call.call_accept_date_time.as_deref(), Some("2026-11-21T10:00:00.000Z"));
}

#[actix_web::test]
async fn search_decides_where_a_sign_of_life_is_stamped_long_after_the_end() {
    let house = house().await;
    waiting(&house.stage, "1").await;
    house.stage.tell([event("task:new", "1", -100), event("task:connect", "1", -50), end("1", 0)]).await;
    house.stage.tell([event("task:connected", "1", 5)]).await;
    house.stage.conclude(11).await;
    assert_eq!(house.told().len(), 0, "by its events it goes on");
    house.figures("1", json!({ "connectedCount": 1, "connectedDuration": 0 }));
    house.wait(300);
    assert_eq!(house.reconcile().await.differed, 1);
    assert!(is_at_ten(&house.told()[0]));
    house.wait(300);
    let again = house.stage.handle.reconciler().unwrap().step().await.unwrap();
    assert!(matches!(again, Step::Compared(report) if report.differed == 0));
}

#[actix_web::test]
async fn a_task_that_search_shows_as_active_goes_on() {
    let house = house().await;
    waiting(&house.stage, "1").await;
    // Nothing but an acceptance and an end: whose end it was, no event says.
    house.stage.tell([event("task:connected", "1", -95), event("task:ended", "1", 0)]).await;
    house.figures("1", json!({ "isActive": true, "connectedCount": 1 }));
    house.wait(130);
    let step = house.stage.handle.reconciler().unwrap().step().await.unwrap();
    assert!(matches!(step, Step::Compared(report) if report.differed == 1));
    let known = house.stage.handle.outbox().store();
    let task = known.find_task(&scv_bridge::domain::TaskId::parse("1").unwrap()).await.unwrap().unwrap();
    assert_eq!(task.timeline.ended_at(), None);
}
