use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use std::sync::Mutex;

use super::*;
use crate::webex::{Event, Weather};

type Taken = Mutex<Vec<(Vec<(String, String)>, String)>>;

/// A receiver that answers `status` and keeps what it got.
fn receiver(status: u16) -> (String, Data<Taken>) {
    let taken: Data<Taken> = Data::new(Mutex::default());
    let data = taken.clone();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhooks/wxcc", listener.local_addr().unwrap());
    let handler = move |request: HttpRequest, body: Bytes, taken: Data<Taken>| async move {
        let ours = request.headers().iter().filter(|(name, _)| name.as_str().starts_with("x-webexcc"));
        let headers =
            ours.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        taken.lock().unwrap().push((headers, String::from_utf8(body.to_vec()).unwrap()));
        HttpResponse::build(status.try_into().unwrap()).finish()
    };
    let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(handler)));
    tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
    (url, taken)
}

async fn subscribed(status: u16, version: &str) -> (Caller, Data<Taken>) {
    let (url, taken) = receiver(status);
    let settings =
        MockWebexSettings { deliver_to: Some(url), misspelled_org_key: true, ..Default::default() };
    let caller = Caller::of(settings).await;
    let body = json!({
        "name": "bridge", "eventTypes": ["task:ended"], "resourceVersion": version,
        "destinationUrl": "https://bridge.example.com/webhooks/wxcc", "secret": "s".repeat(32),
    });
    assert_eq!(caller.send(Method::POST, "/v2/subscriptions", &body).await.0, 201);
    (caller, taken)
}

fn events(count: usize) -> Vec<Event> {
    let event = |number| {
        Event::new(format!("e{number}"), "task:ended", json!({ "taskId": "t1", "createdTime": number }))
    };
    (0..count).map(event).collect()
}

#[actix_web::test]
async fn a_webhook_is_signed_over_its_raw_body_and_version_2_says_when() {
    for (version, names) in [
        ("task:1.0.0", vec!["x-webexcc-signature"]),
        ("task:2.0.0", vec!["x-webexcc-signature", "x-webexcc-timestamp", "x-webexcc-webhook-version"]),
    ] {
        let (caller, taken) = subscribed(204, version).await;
        let published = caller.webex.publish(&events(1), &Weather::FINE).await;
        assert_eq!((published.sent, published.taken), (1, 1));
        let (mut headers, body) = taken.lock().unwrap().remove(0);
        headers.sort();
        assert_eq!(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
        let key = PKey::hmac("s".repeat(32).as_bytes()).unwrap();
        let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
        let signature = signer.sign_oneshot_to_vec(body.as_bytes()).unwrap();
        let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(headers[0].1, hex);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["type"], &body["data"]["taskId"]), (&"task:ended".into(), &"t1".into()));
        assert_eq!(body["comciscocorgid"], "97cdbf45-ebe2-4687-8341-44d5c7abf101");
        let at = body.get("comciscotimestamp").map(ToString::to_string);
        assert_eq!(at, headers.get(1).map(|(_, at)| at.clone()));
    }
}

#[actix_web::test]
async fn weather_decides_what_arrives() {
    let (caller, taken) = subscribed(200, "task:1.0.0").await;
    let storm = Weather { lost: 0.2, doubled: 0.2, delayed: 0.5, places: 5, seed: 1 };
    let published = caller.webex.publish(&events(50), &storm).await;
    let ids = |body: &str| serde_json::from_str::<Value>(body).unwrap()["id"].as_str().unwrap().to_owned();
    let arrived: Vec<_> = taken.lock().unwrap().iter().map(|(_, body)| ids(body)).collect();
    let expected: Vec<_> = storm.blow(events(50)).into_iter().map(|event| event.id).collect();
    assert_eq!((published.taken, &arrived), (expected.len(), &expected));
    assert_ne!(arrived, events(50).into_iter().map(|event| event.id).collect::<Vec<_>>());
}

#[actix_web::test]
async fn a_receiver_that_fails_loses_its_subscription_and_others_events_are_not_sent() {
    let (caller, taken) = subscribed(401, "task:1.0.0").await;
    let published = caller.webex.publish(&events(7), &Weather::FINE).await;
    assert_eq!((published.taken, published.refused), (0, vec![401; 7]));
    assert!(!caller.webex.subscriptions()[0].active);
    assert_eq!(caller.webex.publish(&events(7), &Weather::FINE).await.sent, 0);
    let id = caller.webex.subscriptions()[0].id.clone();
    caller.webex.change_subscription(&id, |known| known.active = true);
    let other = [Event::new("e", "task:new", json!({}))];
    assert_eq!(caller.webex.publish(&other, &Weather::FINE).await.sent, 0);
    assert_eq!(taken.lock().unwrap().len(), 7);
}
