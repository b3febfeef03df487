//! Clients that go away before their answer: what they asked for is done all the same, once.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use scv_bridge::mock::{BadDay, Disposition, Operation};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::postgres::Postgres;
use crate::stage::{BOUND, CONNECTOR, Plan, Stage, create, ended, omni_flow, reference, with};

const SLOW: BadDay = BadDay::Slow { milliseconds: 600 };

/// A request that was sent whole, and whose answer nobody will read.
struct Cut(TcpStream);

impl Cut {
    /// Sends what a flow sends, and waits until the bridge serves it.
    async fn send(stage: &Stage, route: &str, body: &Value) -> Self {
        let before = stage.handle.in_flight();
        let (id, secret) = CONNECTOR;
        let (body, credentials) = (body.to_string(), BASE64_STANDARD.encode(format!("{id}:{secret}")));
        let head = format!(
            "POST /voice/v1/{route} HTTP/1.1\r\nhost: bridge\r\nauthorization: Basic {credentials}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(stage.public.trim_start_matches("http://")).await.unwrap();
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        until(|| stage.handle.in_flight() > before).await;
        Self(stream)
    }

    /// Ends the connection by a reset.
    fn reset(self) {
        self.0.set_zero_linger().unwrap();
    }
}

async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(BOUND, wait).await.is_ok(), "it does not come to that");
}

async fn idle(stage: &Stage) {
    until(|| stage.handle.in_flight() == 0).await;
}

/// The engines of the store; on PostgreSQL a create is leased.
fn engines() -> [Plan; 2] {
    [Plan::telephony(), Plan::telephony().store(Postgres::shared().database())]
}

#[actix_web::test]
async fn a_create_whose_client_resets_is_done_once_and_repeated_it_gives_the_same_voice_call() {
    for plan in engines() {
        let stage = plan.start().await;
        stage.script(SLOW, Operation::Create);
        let cut = Cut::send(&stage, "createVoiceCall", &create("wxcc_1")).await;
        until(|| !stage.asked(Operation::Create).is_empty()).await;
        cut.reset();
        let again = stage.call("wxcc_1").await;
        assert_eq!(stage.org.voice_calls().iter().map(|call| call.id.clone()).collect::<Vec<_>>(), [again]);
        let gone = stage.metric("scv_bridge_clients_gone_total{route=\"createVoiceCall\"}").await;
        assert_eq!(gone.as_deref(), Some("1"));
    }
}

#[actix_web::test]
async fn a_hang_up_whose_client_resets_while_it_waits_for_its_create_is_not_lost() {
    for plan in engines() {
        let stage = plan.start().await;
        stage.script(SLOW, Operation::Create);
        let created = Cut::send(&stage, "createVoiceCall", &create("wxcc_1")).await;
        until(|| !stage.asked(Operation::Create).is_empty()).await;
        Cut::send(&stage, "phoneContactEnded", &ended("wxcc_1")).await.reset();
        created.reset();
        idle(&stage).await;
        stage.deliver(0).await;
        let calls = stage.org.voice_calls();
        assert_eq!(calls.len(), 1);
        assert_eq!((calls[0].call_disposition, calls[0].updates), (Disposition::Completed, 1));
    }
}

#[actix_web::test]
async fn a_hang_up_whose_client_resets_while_salesforce_is_asked_for_an_agent_is_not_lost() {
    let stage = Plan::telephony().ask_salesforce().start().await;
    let id = stage.call("wxcc_1").await;
    assert_eq!(stage.post("executeOmniFlow", omni_flow(&id)).await.status, 200);
    stage.script(SLOW, Operation::Query);
    let cut = Cut::send(&stage, "phoneContactEnded", &ended("wxcc_1")).await;
    until(|| !stage.asked(Operation::Query).is_empty()).await;
    cut.reset();
    idle(&stage).await;
    let call = &stage.org.voice_calls()[0];
    assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1));
    assert!(call.pending_routing.is_none());
}

#[actix_web::test]
async fn a_hang_up_whose_client_resets_during_its_delivery_sends_one_final_update_and_waits_for_no_lease() {
    for day in [Operation::ClearRouting, Operation::Update] {
        for plan in engines() {
            let stage = plan.start().await;
            let id = stage.call("wxcc_1").await;
            assert_eq!(stage.post("executeOmniFlow", omni_flow(&id)).await.status, 200);
            stage.script(SLOW, day);
            let cut = Cut::send(&stage, "phoneContactEnded", &ended("wxcc_1")).await;
            until(|| !stage.asked(day).is_empty()).await;
            cut.reset();
            idle(&stage).await;
            stage.work_until(async || stage.entries().await.is_empty()).await;
            assert_eq!(stage.asked(Operation::Update).len(), 1);
            let call = &stage.org.voice_calls()[0];
            assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1));
            assert!(call.pending_routing.is_none());
        }
    }
}

#[actix_web::test]
async fn a_routing_whose_client_resets_and_whose_caller_hangs_up_leaves_nobody_waiting() {
    for plan in engines() {
        let stage = plan.start().await;
        let id = stage.call("wxcc_1").await;
        stage.script(BadDay::WorksLate { milliseconds: 600 }, Operation::OmniFlow);
        let cut = Cut::send(&stage, "executeOmniFlow", &omni_flow(&id)).await;
        until(|| !stage.asked(Operation::OmniFlow).is_empty()).await;
        cut.reset();
        assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.status, 200);
        // The org has done its work only now.
        until(|| stage.asked(Operation::OmniFlow)[0].answered.is_some()).await;
        idle(&stage).await;
        stage.work_until(async || stage.entries().await.is_empty()).await;
        assert!(stage.org.voice_calls()[0].pending_routing.is_none());
    }
}

#[actix_web::test]
async fn an_update_and_a_clear_whose_clients_reset_are_done_once() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    let update =
        with(reference(&id), json!({ "isActiveCall": true, "callAttributes": { "Step__c": "menu" } }));
    for (route, body, operation) in [
        ("updateVoiceCall", update, Operation::Update),
        ("clearRouting", reference(&id), Operation::ClearRouting),
    ] {
        stage.script(SLOW, operation);
        let cut = Cut::send(&stage, route, &body).await;
        until(|| !stage.asked(operation).is_empty()).await;
        cut.reset();
        idle(&stage).await;
        stage.work_until(async || stage.entries().await.is_empty()).await;
        assert_eq!(stage.asked(operation).len(), 1, "{route}");
    }
}

#[actix_web::test]
async fn a_client_that_resets_in_the_middle_of_its_body_has_asked_for_nothing() {
    let stage = Stage::telephony().await;
    let before = stage.handle.in_flight();
    let (id, secret) = CONNECTOR;
    let credentials = BASE64_STANDARD.encode(format!("{id}:{secret}"));
    let mut stream = TcpStream::connect(stage.public.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /voice/v1/createVoiceCall HTTP/1.1\r\nhost: bridge\r\nauthorization: Basic {credentials}\r\n\
         content-type: application/json\r\ncontent-length: 400\r\n\r\n{{\"half\":"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    until(|| stage.handle.in_flight() > before).await;
    Cut(stream).reset();
    idle(&stage).await;
    assert!(stage.asked(Operation::Create).is_empty());
}
