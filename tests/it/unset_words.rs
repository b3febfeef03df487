//! What flows send for variables that nobody has set, and for callers who withhold their number.

use scv_bridge::mock::{Disposition, Operation};
use serde_json::json;

use crate::stage::{CENTER, Stage, create, ended, omni_flow, reference, with};

/// Whatever its case.
const WORDS: [&str; 5] = ["null", "undefined", "None", "NULL", " null "];
/// In ids, keys, agents, numbers and times.
const NAMES: [&str; 4] = ["NA", "n/a", "uninitialized", "N/A"];

#[actix_web::test]
async fn an_id_that_is_the_word_of_an_unset_variable_names_no_call() {
    for stage in Stage::both().await {
        for word in WORDS.into_iter().chain(NAMES) {
            let body =
                json!({ "callCenterDevName": CENTER, "voiceCallId": word, "dialedNumber": "+18005550100" });
            let told = stage.post("executeOmniFlow", body).await;
            assert!(told.error(400).contains("voiceCallId: missing or empty"), "{word}: {}", told.text);
            for route in ["updateVoiceCall", "clearRouting"] {
                let told =
                    stage.post(route, json!({ "callCenterDevName": CENTER, "voiceCallId": word })).await;
                assert!(told.text.contains("voiceCallId"), "{route} {word}: {}", told.text);
            }
        }
        assert_eq!(stage.org.requests().len(), 0);
        // The key of the call takes its place.
        stage.call("wxcc_1").await;
        let update = json!({
            "callCenterDevName": CENTER, "voiceCallId": "null", "vendorCallKey": "wxcc_1", "isActiveCall": true,
        });
        stage.post("updateVoiceCall", update).await.data();
        assert_eq!(stage.org.voice_call("wxcc_1").unwrap().updates, 1);
    }
}

#[actix_web::test]
async fn a_parent_that_is_the_word_of_an_unset_variable_makes_no_transfer() {
    for word in WORDS.into_iter().chain(NAMES) {
        let stage = Stage::telephony().await;
        let parents = json!({ "parentInteractionId": word, "parentVoiceCallId": word });
        stage.post("createVoiceCall", with(create("wxcc_1"), parents)).await.data();
        let sent = &stage.sent(Operation::Create)[0];
        assert_eq!(
            (&sent["initiationMethod"], &sent["parentVoiceCallId"]),
            (&json!("Inbound"), &json!(null))
        );
    }
}

#[actix_web::test]
async fn an_agent_who_is_the_word_of_an_unset_variable_has_answered_nothing() {
    for word in WORDS.into_iter().chain(NAMES) {
        let stage = Stage::telephony().await;
        let id = stage.call("wxcc_1").await;
        stage.post("executeOmniFlow", omni_flow(&id)).await.data();
        let hang_up = with(ended("wxcc_1"), json!({ "agentId": word, "voiceCallId": word }));
        assert_eq!(stage.post("phoneContactEnded", hang_up).await.data()["outcome"], "abandoned", "{word}");
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert_eq!(call.call_disposition, Disposition::Completed);
    }
}

#[actix_web::test]
async fn a_number_and_a_time_that_are_such_words_are_missing() {
    let stage = Stage::telephony().await;
    for word in WORDS.into_iter().chain(NAMES) {
        let told = stage
            .post("createVoiceCall", with(create("wxcc_1"), json!({ "from": word, "startTime": word })))
            .await;
        let told = told.errors(400).join("; ");
        assert!(
            told.contains("from: missing or empty") && told.contains("startTime: missing or empty"),
            "{told}"
        );
    }
}

#[actix_web::test]
async fn words_that_somebody_may_mean_stay_where_no_name_is_expected() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    let reason = json!({ "disconnectReason": { "value": "NA", "isError": "false" } });
    stage.post("updateVoiceCall", with(reference(&id), reason)).await.data();
    assert_eq!(stage.org.voice_call("wxcc_1").unwrap().disconnect_reason.as_deref(), Some("NA"));
}

#[actix_web::test]
async fn a_caller_who_withholds_the_number_by_sip_is_anonymous_whatever_the_host() {
    for stage in Stage::both().await {
        for (at, (from, sent)) in [
            ("sip:anonymous@10.1.2.3", "anonymous"),
            ("anonymous@anonymous.invalid", "anonymous"),
            ("sip:%2B14155550101@pbx.example.com", "(415) 555-0101"),
        ]
        .into_iter()
        .enumerate()
        {
            let participants = json!([{ "participantKey": from, "type": "END_USER" }]);
            let body =
                with(create(&format!("wxcc_{at}")), json!({ "from": from, "participants": participants }));
            stage.post("createVoiceCall", body).await.data();
            let body = stage.sent(Operation::Create).remove(at);
            assert_eq!(
                (&body["from"], &body["participants"][0]["participantKey"]),
                (&json!(sent), &json!(sent))
            );
        }
    }
}
