//! The end: what is in flight ends well, and nothing idle holds it up.

use std::net::TcpStream;

use scv_bridge::mock::{BadDay, Operation};

use super::program::eventually;
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
