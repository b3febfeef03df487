//! The interface of flows.

use reqwest::Method;
use serde_json::{Value, json};

use super::Caller;

const BASE: &str = "/flow-store/97cdbf45-ebe2-4687-8341-44d5c7abf101/project/5e5c9ad6d61f870d6d778c1b/v2";

/// The least that is a flow: a call arrives, and ends.
fn least(name: &str) -> Value {
    let node = |name: &str, group: &str, activity: &str| {
        json!({"id": name, "name": name, "activityType": activity, "group": group,
        "properties": {
            "activityName": activity, "description": "x", "flowType": {
                    "eventSourceName": "WebexContactCenter", "eventClassificationName": "VoiceInteractions",
                    "eventSpecificationName": "ContactStartWorkflow",
                },
        }})
    };
    json!({
        "name": name, "flowType": "FLOW", "description": "x", "variables": [],
        "nodes": [node("NewContact", "start", "start"), node("End", "end", "end")],
        "edges": [{"id": "1", "from": "NewContact", "to": "End", "condition": "out", "properties": {}}],
    })
}

#[actix_web::test]
async fn a_flow_is_validated_and_imported_once_by_its_name() {
    let caller = Caller::new().await;
    let post =
        async |path: &str, body: &Value| caller.send(Method::POST, &format!("{BASE}/{path}"), body).await;
    let (status, verdict) = post("flows:validate", &least("A")).await;
    assert_eq!((status, &verdict["valid"]), (200, &json!(true)), "{verdict}");
    assert_eq!(caller.webex.flows(), []);
    let (status, imported) = post("flows:import", &least("A")).await;
    assert_eq!((status, imported["flow"]["status"].as_str()), (201, Some("Draft")));
    assert_eq!(post("flows:import?overwrite=false", &least("A")).await.0, 409);
    assert_eq!(post("flows:import?overwrite=true", &least("A")).await.0, 201);
    assert_eq!(caller.webex.flows().len(), 1);
}

#[actix_web::test]
async fn a_flow_that_is_none_is_told_why_and_not_imported() {
    let caller = Caller::new().await;
    let mut broken = least("A");
    broken["edges"][0]["to"] = json!("Nowhere");
    let (status, verdict) = caller.send(Method::POST, &format!("{BASE}/flows:validate"), &broken).await;
    assert_eq!((status, &verdict["valid"]), (200, &json!(false)));
    assert!(verdict["errors"][0]["message"].as_str().unwrap().contains("Nowhere"), "{verdict}");
    assert_eq!(caller.send(Method::POST, &format!("{BASE}/flows:import"), &broken).await.0, 422);
    let elsewhere = BASE.replace("5e5c", "0000");
    assert_eq!(caller.send(Method::POST, &format!("{elsewhere}/flows:validate"), &broken).await.0, 404);
    assert_eq!(caller.webex.flows(), []);
}
