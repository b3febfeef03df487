//! Search, recordings and subscriptions as the client asks for them.

use scv_bridge::mock::BadDay;
use scv_bridge::mock::webex::{Operation, Recording};
use scv_bridge::webex::{
    NewSubscription, SubscriptionWatch as Watch, TimeSpan as Span, WebexError as AskError,
    WebhookResource as Resource,
};
use serde_json::json;

use super::*;

fn last_day() -> Span {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    Span { from: now.checked_sub(Duration::from_secs(86_400)).unwrap(), to: now }
}

#[actix_web::test]
async fn pages_follow_each_other_until_the_last_and_every_request_has_a_tracking_id_of_its_own() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    for number in 0..600 {
        tenant.webex.put_task(task(&format!("t{number}"), 10 + number));
    }
    tenant
        .webex
        .put_task(json!({ "id": "chat", "channelType": "chat", "isActive": false, "endedTime": now() - 1 }));
    tenant.webex.put_task(task("long ago", 90_000));
    let (mut cursor, mut sizes, mut ids) = (None, Vec::new(), std::collections::BTreeSet::new());
    loop {
        let page = client.ended_tasks(last_day(), cursor.as_ref()).await.unwrap();
        sizes.push(page.tasks.len());
        ids.extend(page.tasks.into_iter().map(|task| task.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((sizes, ids.len()), (vec![250, 250, 100], 600));
    let tracked: std::collections::BTreeSet<_> =
        tenant.webex.asked(Operation::Search).into_iter().filter_map(|asked| asked.tracking_id).collect();
    assert_eq!(tracked.len(), 3);
    assert_eq!(tenant.webex.refusals(), []);
}

#[actix_web::test]
async fn a_task_keeps_its_figures_and_no_log_its_numbers() {
    let tenant = Tenant::new().await;
    tenant.webex.put_task(task("t1", 10));
    let page = tenant.client().await.ended_tasks(last_day(), None).await.unwrap();
    let task = &page.tasks[0];
    assert_eq!(
        (task.queue_count, task.queue_duration, task.connected_count),
        (Some(1), Some(30_000), Some(0))
    );
    assert_eq!(task.last_queue.as_ref().unwrap().id.as_deref(), Some("q1"));
    assert_eq!(task.origin.as_ref().unwrap().expose(), "+14693150217");
    assert!(!format!("{task:?}").contains("4693150217"));
}

#[actix_web::test]
async fn the_recorded_answers_of_a_real_tenant_go_through_unchanged() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    for (text, tasks) in [
        (include_str!("../../fixtures/webex/search_activities_response.json"), "activities"),
        (include_str!("../../fixtures/webex/search_page_response.json"), "lastAgent"),
        (include_str!("../../fixtures/webex/search_simple_response.json"), "status"),
    ] {
        let body: Value = serde_json::from_str(text).unwrap();
        let recorded = body["data"]["taskDetails"]["tasks"].as_array().unwrap().clone();
        assert!(recorded.iter().all(|task| task.get(tasks).is_some()));
        tenant.webex.script(BadDay::Body { body }, 1, Operation::Search);
        let page = client.ended_tasks(last_day(), None).await.unwrap();
        let ids: Vec<_> = page.tasks.iter().map(|task| task.id.as_deref().unwrap()).collect();
        let wanted: Vec<_> = recorded.iter().map(|task| task["id"].as_str().unwrap()).collect();
        assert_eq!(ids, wanted);
    }
}

#[actix_web::test]
async fn after_a_429_nothing_is_sent_until_webex_wants_it() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    tenant.webex.script(BadDay::TooMany { retry_after: Some(30) }, 1, Operation::Search);
    for wait in [10, 19, 1] {
        let limited = client.ended_tasks(last_day(), None).await.unwrap_err();
        assert!(matches!(limited, AskError::Limited { .. }), "{limited}");
        tenant.wait(wait);
    }
    client.ended_tasks(last_day(), None).await.unwrap();
    assert_eq!(tenant.webex.asked(Operation::Search).len(), 2);
}

#[actix_web::test]
async fn the_client_never_meets_the_limit_of_300_a_minute_by_itself() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    for _ in 0..300 {
        client.subscriptions().await.unwrap();
    }
    let limited = client.subscriptions().await.unwrap_err();
    assert_eq!(limited.to_string(), "Webex limits our requests; again in 60 s");
    tenant.wait(60);
    client.subscriptions().await.unwrap();
    assert_eq!(tenant.webex.refusals(), []);
}

#[actix_web::test]
async fn a_token_that_died_early_is_renewed_once() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    client.subscriptions().await.unwrap();
    tenant.webex.revoke_access();
    client.subscriptions().await.unwrap();
    assert_eq!(tenant.grants(), ["authorization_code", "refresh_token"]);
    tenant.webex.script(BadDay::Unauthorized, 2, Operation::Subscriptions);
    let refused = client.subscriptions().await.unwrap_err();
    assert!(matches!(refused, AskError::Refused { status: 401, .. }), "{refused}");
}

#[actix_web::test]
async fn whatever_webex_answers_instead_is_an_error_that_says_what_to_do() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    let forbidden = json!({ "error": { "key": "k", "message": [{ "description": "not your role" }] } });
    for (day, words) in [
        (BadDay::Forbidden { body: forbidden }, "HTTP 403: not your role; the integration needs the scopes"),
        (BadDay::Unavailable { retry_after: None }, "Webex does not answer: HTTP 503"),
        (BadDay::Garbage, "something unexpected: POST /search: line 1"),
        (BadDay::HalfBody, "Webex does not answer: "),
        (BadDay::DropConnection { after_work: false }, "Webex does not answer: "),
        (BadDay::Html { status: 404 }, "HTTP 404; look at webex.api_url"),
        (BadDay::HugeBody { bytes: 9 << 20 }, "longer than 8388608 bytes"),
        (
            BadDay::Body { body: json!({ "errors": [{ "message": "bad query" }], "data": null }) },
            "says bad query",
        ),
        (BadDay::Body { body: json!({ "data": { "taskDetails": null } }) }, "no taskDetails"),
    ] {
        tenant.webex.script(day, 1, Operation::Search);
        let error = client.ended_tasks(last_day(), None).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    client.ended_tasks(last_day(), None).await.unwrap();
}

#[actix_web::test]
async fn recordings_are_asked_for_ten_tasks_at_once_and_their_addresses_are_not_kept() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    let tasks: Vec<String> = (0..25).map(|number| format!("t{number}")).collect();
    for number in [0, 1, 24] {
        let recording = Recording {
            file_name: format!("{number}.wav"),
            start_time: now() - 70_000,
            stop_time: now() - 10_000,
        };
        tenant.webex.put_recording(&format!("t{number}"), recording);
    }
    let recordings = client.recordings("97cdbf45-ebe2-4687-8341-44d5c7abf101", &tasks).await.unwrap();
    assert_eq!(recordings.keys().collect::<Vec<_>>(), ["t0", "t1", "t24"]);
    assert_eq!(recordings["t24"][0].milliseconds(), Some(60_000));
    assert!(!format!("{recordings:?}").contains("signature"));
    assert_eq!(tenant.webex.asked(Operation::Captures).len(), 3);
}

fn subscription(resource: &str) -> NewSubscription {
    NewSubscription {
        name: "scv-bridge".into(),
        resource: resource.parse().unwrap(),
        destination_url: "https://bridge.example.com/webhooks/wxcc".into(),
        secret: "s".repeat(32).into(),
    }
}

#[actix_web::test]
async fn every_resource_can_be_subscribed_to_and_removed() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    for resource in ["task:1.0.0", "agent:1.0.0", "capture:1.0.0", "task:2.0.0", "agent:2.0.0"] {
        let made = client.subscribe(&subscription(resource)).await.unwrap();
        let resource: Resource = resource.parse().unwrap();
        assert!(made.is_active() && made.serves(&resource, "https://bridge.example.com/webhooks/wxcc"));
        assert_eq!(made.event_types, resource.event_types());
    }
    for known in client.subscriptions().await.unwrap() {
        client.unsubscribe(&known.id).await.unwrap();
    }
    assert_eq!(client.subscriptions().await.unwrap(), []);
    assert_eq!(tenant.webex.refusals(), []);
}

#[actix_web::test]
async fn inactive_subscriptions_of_ours_are_found_and_made_active_if_allowed() {
    let tenant = Tenant::new().await;
    let client = tenant.client().await;
    for resource in ["task:1.0.0", "agent:1.0.0"] {
        client.subscribe(&subscription(resource)).await.unwrap();
    }
    let other = NewSubscription {
        destination_url: "https://other.example.com/".into(),
        ..subscription("task:1.0.0")
    };
    client.subscribe(&other).await.unwrap();
    for known in tenant.webex.subscriptions().iter().skip(1) {
        tenant.webex.change_subscription(&known.id, |known| known.active = false);
    }
    let active = || tenant.webex.subscriptions().iter().map(|known| known.active).collect::<Vec<_>>();
    let watch = |reactivate| Watch { destination: subscription("task:1.0.0").destination_url, reactivate };
    let watched = watch(false).look(&client).await.unwrap();
    assert_eq!((watched.active, watched.inactive, active()), (1, 1, vec![true, false, false]));
    let watched = watch(true).look(&client).await.unwrap();
    assert_eq!((watched.active, watched.reactivated, active()), (1, 1, vec![true, true, false]));
}
