//! Clients that mean harm or are broken: too much, too slow, too many. Whoever can be answered gets an envelope.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use reqwest::Method;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::interval;

use crate::stage::{Plan, Reply, Stage, create, event, exchange, webex};

/// Short, so that no test waits long; long enough for a busy machine to send a request in one piece.
const IMPATIENT: &str = "client_timeout = \"300ms\"\nkeep_alive = \"300ms\"";
/// Between two drops of a slow client: far below the patience of the bridge, so that only a limit of the whole helps.
const PACE: Duration = Duration::from_millis(20);
const GET: &[u8] = b"GET /livez HTTP/1.1\r\nhost: bridge\r\n\r\n";

async fn connect(stage: &Stage) -> TcpStream {
    TcpStream::connect(stage.public.trim_start_matches("http://")).await.unwrap()
}

/// Reads until the other side closes, whichever way it does.
async fn rest(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    String::from_utf8(read).unwrap()
}

/// The envelope of a raw answer with this status.
fn problem(answer: &str, status: &str) -> String {
    let (head, body) = answer.rsplit_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["data"], &body["success"]), (&Value::Null, &Value::Bool(false)));
    body["errors"][0].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_head_that_does_not_come_to_its_end_is_told_so() {
    let stage = Plan::telephony().server(IMPATIENT).start().await;
    let mut stream = connect(&stage).await;
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: bri").await.unwrap();
    assert_eq!(problem(&rest(&mut stream).await, "408 Request Timeout"), "request: did not arrive in time");
}

#[actix_web::test]
async fn a_second_head_on_a_connection_is_no_way_around_that() {
    let stage = Plan::telephony().server(IMPATIENT).start().await;
    let mut stream = connect(&stage).await;
    stream.write_all(&[GET, b"GET"].concat()).await.unwrap();
    stream.write_all(b" /livez").await.unwrap();
    let answers = rest(&mut stream).await;
    assert!(answers.starts_with("HTTP/1.1 200 OK\r\n"), "{answers}");
}

#[actix_web::test]
async fn a_second_head_that_comes_in_drops_is_not_waited_for() {
    let stage = Plan::telephony().server(IMPATIENT).start().await;
    let mut stream = connect(&stage).await;
    stream.write_all(GET).await.unwrap();
    let mut answer = vec![0; 4096];
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    let started = Instant::now();
    let (mut reading, mut writing) = stream.into_split();
    let drops = tokio::spawn(async move {
        let mut pace = interval(PACE);
        while writing.write_all(b"x").await.is_ok() {
            pace.tick().await;
        }
    });
    let mut told = Vec::new();
    let _ = reading.read_to_end(&mut told).await;
    drop(reading);
    drops.abort();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let told = String::from_utf8(told).unwrap();
    assert_eq!(problem(&told, "408 Request Timeout"), "request: did not arrive in time");
}

#[actix_web::test]
async fn a_connection_that_says_nothing_is_closed_without_a_word() {
    let stage = Plan::telephony().server(IMPATIENT).start().await;
    assert_eq!(rest(&mut connect(&stage).await).await, "");
    let mut used = connect(&stage).await;
    used.write_all(GET).await.unwrap();
    let answer = rest(&mut used).await;
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[actix_web::test]
async fn a_refused_body_in_drops_does_not_hold_the_connection() {
    let stage = Plan::telephony().server(IMPATIENT).start().await;
    let (mut reading, mut writing) = connect(&stage).await.into_split();
    let head =
        "POST /voice/v1/createVoiceCall HTTP/1.1\r\nhost: bridge\r\ntransfer-encoding: chunked\r\n\r\n";
    writing.write_all(head.as_bytes()).await.unwrap();
    let drops = tokio::spawn(async move {
        let mut pace = interval(PACE);
        while writing.write_all(b"1\r\nx\r\n").await.is_ok() {
            pace.tick().await;
        }
    });
    let mut told = Vec::new();
    let _ = reading.read_to_end(&mut told).await;
    drops.abort();
    assert!(String::from_utf8(told).unwrap().starts_with("HTTP/1.1 401 Unauthorized\r\n"));
}

#[actix_web::test]
async fn a_body_that_does_not_come_is_not_waited_for_beyond_the_deadline() {
    let stage = Plan::telephony().deadline("200ms").server(IMPATIENT).start().await;
    let mut stream = connect(&stage).await;
    let head = "POST /voice/v1/createVoiceCall HTTP/1.1\r\nhost: bridge\r\ncontent-length: 100\r\n\
                authorization: Basic d2ViZXgtZmxvdzpzM2NyZXQtb2YtdGhlLWZsb3c=\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let told = problem(&rest(&mut stream).await, "504 Gateway Timeout");
    assert_eq!(told, "body: did not arrive before the deadline of this route");
}

#[actix_web::test]
async fn who_asks_and_does_not_listen_is_let_go() {
    let stage = Plan::telephony().server(IMPATIENT).start().await;
    let mut stream = connect(&stage).await;
    // Answers that nobody takes in fill every buffer on the way; then the bridge reads no more.
    let many = GET.repeat(1000);
    let started = Instant::now();
    while stream.write_all(&many).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(20), "still connected");
    }
}

#[actix_web::test]
async fn a_long_head_is_refused_in_our_shape() {
    let stage = Plan::telephony().server("max_head = 4096\nmax_headers = 20").start().await;
    let long = "x".repeat(4096);
    let ask = || stage.request(Method::GET, "/livez");
    let reply = Reply::of(ask().header("x-long", &long)).await;
    assert_eq!(reply.error(431), "headers: path and headers are longer than 4096 bytes");
    let path = Reply::of(stage.request(Method::GET, &format!("/{long}"))).await;
    path.error(431);
    let many = (0..20).fold(ask(), |request, at| request.header(format!("x-{at}"), "1"));
    assert_eq!(Reply::of(many).await.error(431), "headers: more than 20");
    assert_eq!(Reply::of(ask().header("x-short", "x".repeat(3000))).await.status, 200);
}

/// Beyond its own bounds the HTTP library answers by itself: the right status, without a body.
#[actix_web::test]
async fn what_is_no_http_is_answered_by_status_alone() {
    let stage = Stage::telephony().await;
    let head = |lines: &str| format!("GET /livez HTTP/1.1\r\nhost: bridge\r\n{lines}\r\n");
    let headers: String = (0..100).map(|at| format!("x-{at}: 1\r\n")).collect();
    for (request, status) in [
        (head(&headers), "431 Request Header Fields Too Large"),
        (head(&format!("x-long: {}\r\n", "x".repeat(200_000))), "431 Request Header Fields Too Large"),
        (head("x\u{0}y: 1\r\n"), "400 Bad Request"),
        (head("content-length: 1\r\ncontent-length: 2\r\n"), "400 Bad Request"),
        (head("content-length: 1\r\ntransfer-encoding: chunked\r\n"), "400 Bad Request"),
        ("\u{16}\u{3}\u{1}".to_owned(), "400 Bad Request"),
    ] {
        let mut stream = connect(&stage).await;
        // It may close before all is written.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "no body: {answer}");
    }
}

#[actix_web::test]
async fn more_requests_than_may_be_are_turned_away_at_once_but_not_probes() {
    let stage = Plan::telephony().server("max_requests = 2").start().await;
    stage.script_times(BadDay::Slow { milliseconds: 1500 }, 2, Operation::Create);
    let calls =
        ["wxcc_1", "wxcc_2"].map(|key| tokio::spawn(Reply::of(stage.flow("createVoiceCall", create(key)))));
    while stage.asked(Operation::Create).len() < 2 {
        tokio::task::yield_now().await;
    }
    let third = stage.post("createVoiceCall", create("wxcc_3")).await;
    assert_eq!(third.error(503), "the bridge serves as many requests as it can; try again");
    assert_eq!(third.header("retry-after"), "1");
    assert_eq!(Reply::of(stage.request(Method::GET, "/livez")).await.status, 200);
    for call in calls {
        call.await.unwrap().data();
    }
    stage.post("createVoiceCall", create("wxcc_3")).await.data();
}

#[actix_web::test]
async fn bodies_that_do_not_come_take_no_place_of_a_client_or_of_webex() {
    let stage = Plan::telephony().sections(&webex("")).server("max_requests = 1").start().await;
    let mut strangers = Vec::new();
    for path in ["/webhooks/wxcc", "/oauth2/token", "/voice/v1/createVoiceCall"].repeat(2) {
        let mut stream = connect(&stage).await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: bridge\r\ncontent-length: 100\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        strangers.push(stream);
    }
    while stage.handle.in_flight() < 4 {
        tokio::task::yield_now().await;
    }
    stage.post("createVoiceCall", create("wxcc_1")).await.data();
    stage.tell([event("agent:connected", "task-1", 0)]).await;
    assert!(stage.handle.in_flight() >= 4, "they wait still");
    drop(strangers);
}

#[actix_web::test]
async fn the_oldest_connection_of_a_stranger_gives_way_and_no_client_waits() {
    let stage = Plan::telephony().server("max_connections = 3").start().await;
    stage.post("createVoiceCall", create("wxcc_1")).await.data();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(connect(&stage).await);
    }
    let started = Instant::now();
    for mut gone in silent.drain(..18) {
        assert_eq!(rest(&mut gone).await, "");
    }
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "sooner than their time is over: {:?}",
        started.elapsed()
    );
    // By the connection that it has, and by a new one.
    stage.post("createVoiceCall", create("wxcc_2")).await.data();
    let other = reqwest::Client::new().get(format!("{}/livez", stage.public)).send();
    assert_eq!(other.await.unwrap().status(), 200);
}

#[actix_web::test]
async fn a_request_id_that_could_break_a_header_or_a_log_line_is_not_taken_over() {
    let stage = Stage::telephony().await;
    let with_id = |id: &[u8]| {
        stage
            .request(Method::GET, "/livez")
            .header("x-request-id", reqwest::header::HeaderValue::from_bytes(id).unwrap())
    };
    for id in [&b"a b"[..], b"a\tb", b"\xff\xfe", b"{\"a\":1}", b"%0d%0aset-cookie:x", &[b'a'; 65], b""] {
        let given = Reply::of(with_id(id)).await;
        let answered = given.header("x-request-id");
        assert!(answered.len() == 16 && answered.bytes().all(|byte| byte.is_ascii_hexdigit()), "{answered}");
    }
    assert_eq!(Reply::of(with_id(b"7b3c-1.2:3_x")).await.header("x-request-id"), "7b3c-1.2:3_x");
    // A line break ends the header: what follows is another one, and never part of the answer.
    let raw =
        b"GET /livez HTTP/1.1\r\nhost: bridge\r\nconnection: close\r\nx-request-id: a\nset-cookie: x\r\n\r\n";
    assert!(!exchange(&stage.public, raw).await.contains("set-cookie"));
}
