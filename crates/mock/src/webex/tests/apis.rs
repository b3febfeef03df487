use super::*;
use crate::BadDay;
use crate::webex::{Operation, Recording};

const NOW: i64 = 1_795_255_200_000;

fn task(number: i64, channel: &str) -> Value {
    json!({
        "id": format!("task-{number:04}"), "channelType": channel, "isActive": false,
        "createdTime": NOW - 100_000 + number, "endedTime": NOW - 50_000 + number,
        "lastQueue": { "id": "q1", "name": "Sales", "duration": 7 },
    })
}

fn query(arguments: &str) -> String {
    format!(
        "{{ taskDetails({arguments}) {{ tasks {{ id lastQueue {{ name }} holdCount }} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
}

#[actix_web::test]
async fn search_pages_over_the_tasks_of_a_time_and_a_channel() {
    let caller = Caller::new().await;
    for number in 0..600 {
        caller.webex.put_task(task(number, if number % 3 == 0 { "chat" } else { "telephony" }));
    }
    let arguments = format!(
        "from: {}, to: {NOW}, timeComparator: endedTime, filter: {{ and: [{{isActive: {{equals: false}}}} {{channelType: {{equals: telephony}}}}] }}",
        NOW - 50_000
    );
    let (status, body) = caller.search(&query(&arguments)).await;
    assert_eq!(status, 200, "{body}");
    let details = &body["data"]["taskDetails"];
    assert_eq!(details["tasks"].as_array().unwrap().len(), 250);
    assert_eq!(
        details["tasks"][0],
        json!({ "id": "task-0001", "lastQueue": { "name": "Sales" }, "holdCount": null })
    );
    let cursor = &details["pageInfo"]["endCursor"];
    let next = format!("{arguments}, pagination: {{ cursor: {cursor} }}");
    let (_, body) = caller.search(&query(&next)).await;
    let details = &body["data"]["taskDetails"];
    assert_eq!(details["tasks"].as_array().unwrap().len(), 150);
    assert_eq!(details["pageInfo"], json!({ "hasNextPage": false, "endCursor": null }));
    let foreign = format!("from: {}, to: {NOW}, pagination: {{ cursor: {cursor} }}", NOW - 1);
    assert_eq!(said(&caller.search(&query(&foreign)).await.1), "cursor: not one of this query");
}

#[actix_web::test]
async fn a_task_shows_its_25_newest_activities_unless_asked_for_more() {
    let caller = Caller::new().await;
    let nodes: Vec<_> = (0..40).map(|number| json!({ "eventName": "on-hold", "duration": number })).collect();
    let mut told = task(1, "telephony");
    told["activities"] = json!({ "totalCount": 40, "nodes": nodes });
    caller.webex.put_task(told);
    for (arguments, shown) in [("", 25), ("(first: 100)", 40), ("(first: 3)", 3)] {
        let query = format!(
            "{{ taskDetails(from: {}, to: {NOW}) {{ tasks {{ activities{arguments} {{ totalCount nodes {{ duration }} }} }} pageInfo {{ hasNextPage }} }} }}",
            NOW - 200_000
        );
        let (status, body) = caller.search(&query).await;
        assert_eq!(status, 200, "{body}");
        let activities = &body["data"]["taskDetails"]["tasks"][0]["activities"];
        assert_eq!(
            (&activities["totalCount"], activities["nodes"].as_array().unwrap().len()),
            (&40.into(), shown)
        );
    }
}

#[actix_web::test]
async fn search_is_strict_about_arguments_and_fields() {
    let caller = Caller::new().await;
    for (arguments, problem) in [
        ("to: 1795255200000", "from, to: required, in epoch milliseconds"),
        ("from: \"1\", to: 2", "from: no such argument, or not of its type"),
        ("from: 1, to: 1795255200000", "from: must be before to, and not older than 36 months"),
        ("from: 1795255200000, to: 1795255200000", "from: must be before to, and not older than 36 months"),
        ("timeComparator: ended", "timeComparator: no such argument, or not of its type"),
        ("pagination: { cursor: 1 }", "pagination: takes a cursor, a string"),
        ("limit: 5", "limit: no such argument, or not of its type"),
    ] {
        let (status, body) = caller.search(&query(arguments)).await;
        assert_eq!((status, said(&body)), (400, problem), "{arguments}");
    }
    let times = format!("from: {}, to: {NOW}", NOW - 1);
    for (query, problem) in [
        (format!("{{ tasks({times}) {{ id }} }}"), "query: unknown field tasks"),
        (
            format!("{{ taskDetails({times}) {{ tasks {{ id }} }} }}"),
            "taskDetails: pageInfo must be selected",
        ),
        (query(&times).replace("holdCount", "holds"), "query: holds is no such field here"),
        (query(&times).replace("lastQueue { name }", "lastQueue"), "query: lastQueue is no such field here"),
        (query(&times).replace("{ name }", "{ signInId }"), "query: signInId is no such field here"),
    ] {
        let (status, body) = caller.search(&query).await;
        assert_eq!((status, said(&body)), (400, problem), "{query}");
    }
}

#[actix_web::test]
async fn the_door_wants_a_living_token_its_scope_and_a_tracking_id() {
    let caller = Caller::new().await;
    let request = |path: &str| caller.http.get(format!("{}{path}", caller.webex.url()));
    assert_eq!(answered(request("/v2/subscriptions")).await.0, 400);
    assert_eq!(answered(request("/v2/subscriptions").bearer_auth("access-guessed")).await.0, 401);
    let (status, body) = answered(request("/v2/subscriptions").bearer_auth(&caller.token)).await;
    assert_eq!((status, said(&body)), (400, "TrackingId: must be sent"));
    let reader = caller.webex.log_in_with(&["cjp:config_read".to_owned()]);
    let reader = reader["access_token"].as_str().unwrap();
    let write = caller.http.post(format!("{}/v2/subscriptions", caller.webex.url())).bearer_auth(reader);
    let (status, body) = answered(write).await;
    assert_eq!((status, said(&body)), (403, "scope: cjp:config_write is needed"));
    assert_eq!(caller.webex.refusals().len(), 4);
}

#[actix_web::test]
async fn more_than_300_requests_in_a_minute_are_told_when_to_come_again() {
    let caller = Caller::new().await;
    for _ in 0..300 {
        assert_eq!(caller.request(Method::GET, "/v2/subscriptions").send().await.unwrap().status(), 200);
    }
    caller.wait(20);
    let answer = caller.request(Method::GET, "/v2/subscriptions").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"40".parse().unwrap()));
    caller.wait(40);
    assert_eq!(caller.request(Method::GET, "/v2/subscriptions").send().await.unwrap().status(), 200);
}

#[actix_web::test]
async fn subscriptions_follow_their_rules_and_never_show_the_secret() {
    let caller = Caller::new().await;
    let good = json!({
        "name": "bridge", "eventTypes": ["task:ended"], "resourceVersion": "task:1.0.0",
        "destinationUrl": "https://bridge.example.com/webhooks/wxcc", "secret": "s".repeat(32),
    });
    for (field, value) in [
        ("name", json!("abc")),
        ("eventTypes", json!([])),
        ("eventTypes", json!(["agent:login"])),
        ("resourceVersion", json!("task:1")),
        ("destinationUrl", json!("http://bridge.example.com/")),
        ("destinationUrl", json!("https://bridge.example.com:8443/")),
        ("destinationUrl", json!("https://bridge.example.com/?a=b")),
        ("secret", json!("short")),
        ("status", json!("active")),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let (status, body) = caller.send(Method::POST, "/v2/subscriptions", &bad).await;
        assert!(status == 400 && said(&body).starts_with(field), "{body}");
    }
    let (status, body) = caller.send(Method::POST, "/v2/subscriptions", &good).await;
    assert_eq!(
        (status, &body["data"]["status"], body.to_string().contains("ssss")),
        (201, &"active".into(), false)
    );
    let path = format!("/v2/subscriptions/{}", body["data"]["id"].as_str().unwrap());
    let patched = caller.send(Method::PATCH, &path, &json!({ "status": "inactive" })).await.1;
    assert_eq!(patched["data"]["status"], "inactive");
    assert_eq!(caller.send(Method::GET, "/v2/subscriptions", &json!({})).await.1["data"][0], patched["data"]);
    assert_eq!(caller.send(Method::DELETE, &path, &json!({})).await.0, 204);
    assert_eq!(caller.send(Method::DELETE, &path, &json!({})).await.0, 404);
}

#[actix_web::test]
async fn addresses_of_recordings_die() {
    let caller = Caller::new().await;
    let recording = Recording { file_name: "a.wav".into(), start_time: 1, stop_time: 2 };
    caller.webex.put_recording("task-1", recording);
    let body = |tasks: Value, minutes: i64| json!({ "query": { "orgId": "97cdbf45-ebe2-4687-8341-44d5c7abf101", "taskIds": tasks, "urlExpiration": minutes } });
    let eleven: Vec<_> = (0..11).map(|number| number.to_string()).collect();
    for wrong in [body(json!(eleven), 1), body(json!([]), 1), body(json!(["a"]), 61), body(json!(["a"]), 0)] {
        assert_eq!(caller.send(Method::POST, "/v1/captures/query", &wrong).await.0, 400);
    }
    let body = body(json!(["task-0", "task-1"]), 1);
    let (status, body) = caller.send(Method::POST, "/v1/captures/query", &body).await;
    assert_eq!((status, body["data"].as_array().unwrap().len()), (200, 1));
    let attributes = &body["data"][0]["recording"][0]["attributes"];
    assert_eq!((&attributes["fileName"], &attributes["stopTime"]), (&"a.wav".into(), &2.into()));
    let address = attributes["filePath"].as_str().unwrap();
    assert_eq!(answered(caller.http.get(address)).await.0, 200);
    assert_eq!(answered(caller.http.get(address.replace("a.wav", "b.wav"))).await.0, 403);
    caller.wait(60);
    assert_eq!(answered(caller.http.get(address)).await.0, 403);
}

#[actix_web::test]
async fn bad_days_come_as_often_as_scripted_and_to_their_operation() {
    let caller = Caller::new().await;
    caller.webex.script(BadDay::TooMany { retry_after: Some(7) }, 1, Operation::Search);
    assert_eq!(caller.send(Method::GET, "/v2/subscriptions", &json!({})).await.0, 200);
    assert_eq!(caller.search("").await.0, 429);
    assert_eq!(caller.search("").await.0, 400);
    assert_eq!(caller.webex.scripted(), []);
    caller.webex.script(BadDay::DropConnection { after_work: true }, 1, Operation::Search);
    assert!(caller.request(Method::POST, "/search").send().await.is_err());
    let answered: Vec<_> = caller.webex.asked(Operation::Search).iter().map(|call| call.answered).collect();
    assert_eq!(answered, [Some(429), Some(400), None]);
}
