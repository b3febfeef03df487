//! The end: what is in flight ends well, and nothing idle holds it up.

use std::fmt::Write as _;
use std::net::TcpStream;

use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use super::program::{Program, command, eventually};
use super::site::Site;

/// Less than [`super::program::Program::end`] waits, and less than the site's `shutdown_timeout`.
const SLOW: BadDay = BadDay::Slow { milliseconds: 1500 };

#[actix_web::test]
async fn sigterm_lets_a_request_in_flight_end_and_says_not_ready_meanwhile() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    site.org.script(SLOW.on(Operation::Create));
    let flow = service.flow();
    let slow = actix_web::rt::spawn(async move { flow.create("wxcc_slow").await });
    eventually("the org has the request", async || site.org.scripted().is_empty()).await;
    service.program.terminate();
    eventually("not ready", async || service.operations("/readyz").await == Some(503)).await;
    assert_eq!(slow.await.unwrap().0, 200);
    let (code, said) = service.program.end().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("told to stop by SIGTERM") && said.contains("\"stopped\""), "{said}");
}

#[actix_web::test]
async fn connections_without_a_request_do_not_hold_up_the_end() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let flow = service.flow();
    assert_eq!(flow.create("wxcc_1").await.0, 200);
    let silent = TcpStream::connect(service.public).unwrap();
    // It would take `shutdown_timeout`, 60 s, if it waited for them; `stop` is not that patient.
    let (code, _) = service.stop().await;
    assert_eq!(code, Some(0));
    drop((flow, silent));
}

#[actix_web::test]
async fn a_second_signal_ends_it_at_once_whatever_is_in_flight() {
    let site = Site::open().await;
    let mut service = site.serve(&[("SCV_BRIDGE__DEADLINES__CREATE_VOICE_CALL", "20s")]).await;
    site.org.script(BadDay::NeverAnswers.on(Operation::Create));
    let flow = service.flow();
    let cut = actix_web::rt::spawn(async move { flow.create("wxcc_1").await });
    eventually("the org has the request", async || site.org.scripted().is_empty()).await;
    service.program.terminate();
    service.program.line_with("told to stop by SIGTERM").await;
    service.program.terminate();
    let (code, said) = service.program.end().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("told to stop by SIGTERM again") && !said.contains("\"stopped\""), "{said}");
    cut.abort();
}

#[actix_web::test]
async fn sigterm_lets_what_the_outbox_is_sending_end_so_that_it_is_not_sent_again() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let flow = service.flow();
    assert_eq!(flow.create("wxcc_1").await.0, 200);
    site.org.script(BadDay::Unavailable { retry_after: None }.on(Operation::Update));
    site.org.script(SLOW.on(Operation::Update));
    let update = json!({
        "callCenterDevName": "WxCCContactCenterSCV", "voiceCallId": "wxcc_1", "isActiveCall": true,
    });
    assert_eq!(flow.post("updateVoiceCall", &update).await.1["data"]["status"], "pending");
    eventually("the org has it from the outbox", async || site.org.scripted().is_empty()).await;
    let (code, said) = service.stop().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("delivered from the outbox"), "{said}");
    let (_, said) = site.serve(&[]).await.stop().await;
    assert!(!said.contains("delivered from the outbox"), "{said}");
    assert_eq!(site.org.voice_call("wxcc_1").unwrap().updates, 1);
}

#[actix_web::test]
async fn a_reader_who_takes_no_more_of_its_lines_does_not_keep_it_from_ending() {
    let site = Site::open().await;
    let serve = command(site.path(), &["serve", "--config", "bridge.toml"]);
    let service = Site::serving(Program::start_half_heard(serve, "\"ready\"")).await;
    // One line each, more than are held back for a reader.
    let mut wrong = site.configuration();
    for number in 0..130_000 {
        let _ = write!(wrong, "\n[certificates.{number}]");
    }
    site.write("bridge.toml", wrong);
    service.program.hang_up();
    let refused = "scv_bridge_configuration_reads_total{result=\"refused\"} 1";
    eventually("it was refused", async || service.text("/metrics").await.contains(refused)).await;
    service.program.terminate();
    assert_eq!(service.program.end().await.0, Some(0));
}

#[actix_web::test]
async fn sighup_as_soon_as_the_port_is_open_does_not_end_it() {
    let site = Site::open().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut serve = command(site.path(), &["serve", "--config", "bridge.toml"]);
    serve.env("SCV_BRIDGE__SERVER__LISTEN", port.to_string());
    let program = Program::start(serve);
    while TcpStream::connect(port).is_err() {
        tokio::task::yield_now().await;
    }
    program.hang_up();
    let service = Site::serving(program).await;
    let (code, said) = service.stop().await;
    assert_eq!(code, Some(0), "{said}");
}
