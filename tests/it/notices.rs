//! Notices: what an operator has to act on is told once, and that it is over; a receiver that is no good costs a line.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use scv_bridge::mock::{BadDay, Operation};
use scv_bridge::notices::{SIGNATURE, signature};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::stage::{Plan, Stage, create, ended, omni_flow};

const SECRET: &str = "secret-of-the-receiver-of-notices";

/// What a receiver has got: the head and the body of each request.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<(String, String)>>>);

impl Received {
    fn bodies(&self) -> Vec<Value> {
        self.0.lock().unwrap().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    fn notices(&self) -> Vec<(Value, Value, Value)> {
        let bodies = self.bodies();
        let notices = bodies.iter().flat_map(|body| body["notices"].as_array().unwrap());
        notices.map(|one| (one["state"].clone(), one["kind"].clone(), one["subject"].clone())).collect()
    }
}

/// Takes one request for each answer.
async fn receive(answers: Vec<&'static str>) -> (u16, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, received) = (listener.local_addr().unwrap().port(), Received::default());
    let keep = received.clone();
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let request = read_request(&mut socket).await;
            keep.0.lock().unwrap().push(request);
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, received)
}

async fn read_request(socket: &mut TcpStream) -> (String, String) {
    let (mut reader, mut head, mut length) = (BufReader::new(socket), String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

const TAKEN: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

async fn stage(port: u16) -> Stage {
    let notices = format!(
        "[notices]\nwebhook_url = \"http://127.0.0.1:{port}/hook?token=1\"\nwebhook_secret = \"{SECRET}\"\nrepeat_every = \"1h\"\n\
         [rotation]\nwarn_before = \"1d\"\n[breaker]\nfailures = 1000\nslow_calls = 1000"
    );
    Plan::telephony().sections(&notices).start().await
}

#[actix_web::test]
async fn a_set_up_that_salesforce_refuses_is_told_signed_once_and_that_it_is_over() {
    let (port, received) = receive(vec![TAKEN; 3]).await;
    let stage = stage(port).await;
    stage.handle.send_notices().await;
    assert_eq!(received.bodies().len(), 0, "there is nothing to tell");
    stage.script_answer(405, json!({}), Operation::Create);
    assert_eq!(stage.post("createVoiceCall", create("wxcc_1")).await.status, 424);
    for _ in 0..2 {
        stage.handle.send_notices().await;
    }
    let told = (json!("begun"), json!("set_up_refused"), json!(crate::stage::CENTER));
    assert_eq!(received.notices(), [told]);
    let (head, body) = received.0.lock().unwrap()[0].clone();
    assert!(head.starts_with("POST /hook?token=1 HTTP/1.1"), "{head}");
    let expected = signature(&SECRET.into(), stage.handle.outbox().now(), &body).unwrap();
    assert!(head.contains(&format!("{SIGNATURE}: {expected}")), "{head}");
    stage.wait_seconds(3600);
    stage.handle.send_notices().await;
    stage.call("wxcc_2").await;
    stage.handle.send_notices().await;
    let states: Vec<Value> = received.notices().into_iter().map(|(state, _, _)| state).collect();
    assert_eq!(states, [json!("begun"), json!("goes_on"), json!("over")]);
}

#[actix_web::test]
async fn callers_that_are_not_cleared_for_a_minute_are_told() {
    let (port, received) = receive(vec![TAKEN; 2]).await;
    let stage = stage(port).await;
    let id = stage.call("wxcc_1").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
    }
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    stage.handle.send_notices().await;
    assert_eq!(received.bodies().len(), 0);
    stage.wait_seconds(61);
    stage.handle.send_notices().await;
    let bodies = received.bodies();
    let text = bodies[0]["notices"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("1 callers of") && text.contains("have hung up and may still wait"), "{text}");
    stage.org.forget_scripts();
}

#[actix_web::test]
async fn what_a_receiver_refuses_or_redirects_is_told_the_next_time() {
    let refuses = "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let redirects = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (port, received) = receive(vec![refuses, redirects, "", TAKEN]).await;
    let stage = stage(port).await;
    stage.script_answer(405, json!({}), Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await;
    for _ in 0..5 {
        stage.handle.send_notices().await;
    }
    let states: Vec<Value> = received.notices().into_iter().map(|(state, _, _)| state).collect();
    assert_eq!(states, vec![json!("begun"); 4], "until it is taken, and then no more");
}

/// A relay that takes one message.
async fn relay() -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, mail) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(String::new())));
    let keep = Arc::clone(&mail);
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = BufReader::new(socket);
        socket.write_all(b"220 relay\r\n").await.unwrap();
        let mut is_data = false;
        let mut line = String::new();
        while socket.read_line(&mut line).await.unwrap() > 0 {
            keep.lock().unwrap().push_str(&line);
            let answer: &[u8] = match line.trim_end() {
                "." => {
                    is_data = false;
                    b"250 taken\r\n"
                }
                _ if is_data => b"",
                "DATA" => {
                    is_data = true;
                    b"354 go on\r\n"
                }
                _ => b"250 ok\r\n",
            };
            socket.write_all(answer).await.unwrap();
            line.clear();
        }
    });
    (port, mail)
}

#[actix_web::test]
async fn notices_go_by_mail_too() {
    let (port, mail) = relay().await;
    let notices = format!(
        "[notices]\nmail_relay = \"smtp://127.0.0.1:{port}\"\nmail_from = \"scv-bridge@example.com\"\n\
         mail_to = [\"Night Shift <oncall@example.com>\"]\n[rotation]\nwarn_before = \"1d\""
    );
    let stage = Plan::telephony().sections(&notices).start().await;
    stage.script_answer(405, json!({}), Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await;
    let sent = tokio::time::timeout(Duration::from_secs(30), stage.handle.send_notices());
    sent.await.unwrap();
    let mail = mail.lock().unwrap().clone();
    assert!(mail.contains("RCPT TO:<oncall@example.com>"), "{mail}");
    assert!(mail.contains("Subject: scv-bridge: Salesforce refuses the set-up of"), "{mail}");
}
