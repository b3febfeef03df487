//! Recordings: where they are goes into the final update if that is known in time, else into one more.

mod transfers;

use std::time::Duration as Span;

use scv_bridge::mock::webex::{Operation, Recording};
use scv_bridge::mock::{BadDay, Operation as OfOrg, VoiceCall};
use serde_json::json;
use sqlx::Executor as _;

use super::closing::House;
use super::*;
use crate::enrichment::{ENRICHMENT, assert_told, history, waiting};
use crate::postgres::Postgres;
use crate::stage::{Plan, event, with};

const ORG: &str = "97cdbf45-ebe2-4687-8341-44d5c7abf101";
const LOCATION: &str = "enrichment.recording_location = \"https://player.example.com/{taskId}/{fileName}\"\n";

async fn house(more: &str) -> House {
    house_of(Plan::telephony(), more).await
}

async fn house_of(plan: Plan, more: &str) -> House {
    let center = format!("{ENRICHMENT}{LOCATION}{more}");
    House::of(plan.center(&center), &format!("org_id = \"{ORG}\"\nlog_unknown_calls = true")).await
}

impl House {
    async fn keep_event(&self, events: impl IntoIterator<Item = Value>) {
        self.stage.tell(events.into_iter().map(|event| with(event, json!({ "comciscoorgid": ORG })))).await;
    }

    /// A whole answered call; not yet concluded.
    async fn answered(&self, task: &str) {
        waiting(&self.stage, task).await;
        self.keep_event(history(task, "agent-1")).await;
    }

    async fn conclude(&self, seconds: u64) {
        self.tenant.wait(seconds);
        self.stage.conclude(seconds).await;
    }

    async fn announced(&self, task: &str) {
        self.keep_event([event("capture:available", task, 5)]).await;
    }

    /// 60 s and 5 s.
    fn recorded(&self, task: &str) {
        let begin = now() - 65_000;
        for (file, start_time, stop_time) in
            [("late part.wav", begin + 60_000, begin + 65_000), ("14693150217.wav", begin, begin + 60_000)]
        {
            let recording = Recording { file_name: file.into(), start_time, stop_time };
            self.tenant.webex.put_recording(task, recording);
        }
    }

    fn sent(&self) -> Vec<Value> {
        self.stage.sent(OfOrg::Update)
    }

    fn record_of(&self, task: &str) -> VoiceCall {
        self.stage.org.voice_call(&format!("wxcc_{task}")).unwrap()
    }

    fn asked(&self) -> usize {
        self.tenant.webex.asked(Operation::Captures).len()
    }

    /// Everything of the story, and the recording with it.
    fn assert_located(&self, task: &str) {
        let call = self.record_of(task);
        assert_told(&call);
        let wanted = format!("https://player.example.com/{task}/14693150217.wav");
        assert_eq!(call.recording_location, Some(wanted));
        let durations = (call.holds.total_recording_duration, call.holds.agent_interaction_duration);
        assert_eq!(durations, (Some(65), Some(50)));
        assert!(self.sent().iter().all(|sent| !sent.to_string().contains("signature")));
        assert!(!self.stage.database_holds("signature="), "a signed address is not even read");
    }
}

#[actix_web::test]
async fn a_recording_that_comes_in_time_goes_into_the_final_update() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let house = house_of(plan, "").await;
        house.answered("1").await;
        house.recorded("1");
        house.announced("1").await;
        house.conclude(11).await;
        house.assert_located("1");
        house.keep_event(history("1", "agent-1")).await;
        house.conclude(100_000).await;
        assert_eq!((house.sent().len(), house.asked()), (1, 1));
        assert_eq!(house.tenant.webex.refusals(), []);
    }
}

#[actix_web::test]
async fn a_recording_that_comes_late_gets_one_more_update_and_nothing_becomes_0() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let house = house_of(plan, "").await;
        house.answered("1").await;
        house.conclude(11).await;
        assert_told(&house.record_of("1"));
        assert_eq!((house.record_of("1").recording_location, house.asked()), (None, 0));
        house.recorded("1");
        house.announced("1").await;
        house.conclude(11).await;
        house.assert_located("1");
        let sent = house.sent();
        let active: Vec<_> = sent.iter().map(|sent| sent.get("isActiveCall")).collect();
        assert_eq!(active, [None, Some(&json!(true))]);
        assert!(sent[1].get("startTime").is_none() && sent[1].get("endTime").is_none());
        house.announced("1").await;
        house.keep_event([with(event("capture:available", "1", 9), json!({ "id": "again" }))]).await;
        house.conclude(100_000).await;
        assert_eq!(house.sent().len(), 2, "the same again is nothing new");
    }
}

#[actix_web::test]
async fn while_webex_gives_no_recording_the_final_update_goes_out_and_the_recording_follows() {
    let garbage = || BadDay::Garbage;
    let unavailable = || BadDay::Unavailable { retry_after: None };
    for day in [garbage(), unavailable(), BadDay::TooMany { retry_after: Some(90) }] {
        let house = house("").await;
        house.answered("1").await;
        house.recorded("1");
        house.announced("1").await;
        house.tenant.webex.script(day.clone(), 1, Operation::Captures);
        house.conclude(11).await;
        assert_told(&house.record_of("1"));
        assert_eq!((house.sent().len(), house.asked()), (1, 1));
        house.conclude(29).await;
        assert_eq!(house.asked(), 1, "Webex is left alone");
        house.conclude(if matches!(day, BadDay::TooMany { .. }) { 61 } else { 2 }).await;
        house.assert_located("1");
        assert_eq!((house.sent().len(), house.asked()), (2, 2));
    }
}

#[actix_web::test]
async fn a_recording_that_never_comes_is_given_up_after_a_day() {
    let house = house("").await;
    house.answered("1").await;
    house.announced("1").await;
    for _ in 0..60 {
        house.conclude(1800).await;
    }
    assert!((10..30).contains(&house.asked()), "{}", house.asked());
    assert_eq!(house.sent().len(), 1);
    let count = async |outcome: &str| {
        let name = format!("scv_bridge_recording_queries_total{{outcome=\"{outcome}\"}}");
        house.stage.metric(&name).await
    };
    assert_eq!(count("given_up").await.as_deref(), Some("1"));
    assert_eq!(count("nothing").await, Some(house.asked().to_string()));
    assert_eq!(house.stage.handle.outbox().store().next_task().await.unwrap(), None);
}

#[actix_web::test]
async fn the_final_update_waits_for_a_recording_as_long_as_it_is_told_to() {
    let house = house("enrichment.wait_for_recording = \"2m\"").await;
    house.answered("1").await;
    house.answered("2").await;
    // One that no flow has told of keeps its numbers meanwhile.
    house.keep_event(history("3", "agent-1")).await;
    house.conclude(11).await;
    assert_eq!(house.sent().len(), 0);
    for task in ["1", "3"] {
        house.recorded(task);
        house.announced(task).await;
    }
    house.conclude(11).await;
    assert_eq!(house.sent().len(), 2);
    house.assert_located("1");
    house.assert_located("3");
    assert_eq!(house.record_of("3").missing_when_created, [""; 0]);
    house.conclude(90).await;
    assert_eq!(house.sent().len(), 2, "the other waits on");
    house.conclude(20).await;
    assert_told(&house.record_of("2"));
    assert_eq!((house.sent().len(), house.asked()), (3, 1));
    house.stage.handle.tidy_store().await.unwrap();
    assert!(!house.stage.database_holds("+14693150217"));
}

#[actix_web::test]
async fn recordings_of_many_calls_are_asked_for_together() {
    let house = house("").await;
    for task in 0..13 {
        house.answered(&task.to_string()).await;
        house.recorded(&task.to_string());
        house.announced(&task.to_string()).await;
    }
    house.conclude(11).await;
    for task in 0..13 {
        house.assert_located(&task.to_string());
    }
    assert!((2..=4).contains(&house.asked()), "{}", house.asked());
    assert_eq!(house.sent().len(), 13);
}

#[actix_web::test]
async fn nobody_is_asked_for_what_no_final_update_of_ours_could_say() {
    let house = house("").await;
    // The flow has sent its own.
    let id = waiting(&house.stage, "1").await;
    house.keep_event(history("1", "agent-1")).await;
    let own = json!({ "callCenterDevName": crate::stage::CENTER, "voiceCallId": id, "numberOfHolds": 7 });
    house.stage.post("updateVoiceCall", own).await.data();
    house.conclude(11).await;
    house.recorded("1");
    house.announced("1").await;
    // Nobody spoke.
    waiting(&house.stage, "2").await;
    house.keep_event([event("task:new", "2", -60), event("task:ended", "2", 0)]).await;
    house.announced("2").await;
    house.conclude(100_000).await;
    assert_eq!((house.asked(), house.sent().len()), (0, 2));
    assert_eq!(house.record_of("1").holds.number_of_holds, Some(7));
}

#[actix_web::test]
async fn a_kill_after_an_update_was_kept_sends_none_twice() {
    let house = house("").await;
    house.answered("1").await;
    let mut database = house.stage.beside().await;
    let kill =
        "CREATE TRIGGER killed BEFORE UPDATE OF timeline ON tasks BEGIN SELECT RAISE(ABORT, 'killed'); END";
    database.execute(kill).await.unwrap();
    house.conclude(11).await;
    assert_eq!(house.sent().len(), 1);
    house.recorded("1");
    house.announced("1").await;
    house.conclude(40).await;
    assert_eq!(house.sent().len(), 2);
    // Webex gives nothing any more: what was told of the recording stays told.
    house.tenant.webex.script(BadDay::Unavailable { retry_after: None }, 9, Operation::Captures);
    house.conclude(40).await;
    database.execute("DROP TRIGGER killed").await.unwrap();
    house.conclude(40).await;
    house.conclude(100_000).await;
    house.assert_located("1");
    assert_eq!((house.sent().len(), house.asked()), (2, 1));
}

#[actix_web::test]
async fn on_postgresql_a_recording_follows_too() {
    let plan = Plan::telephony().store(Postgres::shared().database());
    let house = house_of(plan, "enrichment.wait_for_recording = \"1m\"").await;
    house.answered("1").await;
    house.answered("2").await;
    house.recorded("1");
    house.announced("1").await;
    house.conclude(11).await;
    assert_eq!(house.sent().len(), 1);
    house.assert_located("1");
    house.conclude(60).await;
    assert_eq!(house.sent().len(), 2);
    house.recorded("2");
    house.announced("2").await;
    house.conclude(11).await;
    house.assert_located("2");
    assert_eq!(house.sent().len(), 3);
    let none = tokio::time::timeout(Span::from_secs(5), house.stage.handle.outbox().store().next_task());
    assert_eq!(none.await.unwrap().unwrap(), None);
}

#[actix_web::test]
async fn without_an_integration_everything_but_the_recording_is_told() {
    let plan = Plan::telephony().center(&format!("{ENRICHMENT}{LOCATION}"));
    let stage = plan.sections(&crate::stage::webex("")).start().await;
    waiting(&stage, "1").await;
    stage.tell(history("1", "agent-1")).await;
    stage.tell([event("capture:available", "1", 5)]).await;
    stage.conclude(11).await;
    let call = stage.org.voice_call("wxcc_1").unwrap();
    assert_told(&call);
    assert_eq!((call.recording_location, call.updates), (None, 1));
    let warnings = stage.handle.settings().warnings(NOW.parse().unwrap());
    assert!(warnings.iter().any(|line| line.contains("webex.client_id is not set")), "{warnings:?}");
}
