use Operation::{ClearRouting, Create, OmniFlow, Query, Update};
use SalesforceApi::{Apex, Rest, Telephony};

use super::*;

fn answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer { status, retry_after: None, html: false, body: body.into() }
}

/// One word for an outcome.
fn word(outcome: &AnswerOutcome) -> &'static str {
    match outcome {
        AnswerOutcome::Done(_) => "done",
        AnswerOutcome::Again { .. } => "again",
        AnswerOutcome::Unknown { .. } => "unknown",
        AnswerOutcome::Reauthenticate { .. } => "reauthenticate",
        AnswerOutcome::Refused { .. } => "refused",
        AnswerOutcome::Misconfigured { .. } => "misconfigured",
    }
}

#[test]
fn every_answer_means_one_thing() {
    let page = "<html><title>Maintenance</title></html>";
    let expired = r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;
    let limit = r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
    let lock =
        r#"{"data":null,"errors":["UNABLE_TO_LOCK_ROW: unable to obtain exclusive access"],"success":false}"#;
    let exception = r#"[{"errorCode":"APEX_ERROR","message":"System.NullPointerException"}]"#;
    let missing = r#"[{"errorCode":"NOT_FOUND","message":"Could not find a match for URL"}]"#;
    let spring =
        r#"{"timestamp":"2026-11-21T10:00:00Z","status":404,"error":"Not Found","path":"/voiceCalls/k"}"#;
    let failed = r#"{"data":null,"errors":["Status: bad value"],"success":false}"#;
    for (way, operation, status, body, expected) in [
        (Telephony, Create, 201, r#"{"voiceCallId":"0LQ1","errors":[]}"#, "done"),
        (Telephony, Create, 200, r#"{"voiceCallRecordId":"0LQ1"}"#, "done"),
        (Telephony, Create, 200, r#"{"voiceCallId":"0LQ1","errors":"a trigger complained"}"#, "done"),
        (Telephony, Create, 200, r#"{"voiceCallId":"","errors":["no"]}"#, "refused"),
        (Telephony, Create, 200, r#"{"errors":["UNABLE_TO_LOCK_ROW"]}"#, "again"),
        (Telephony, Create, 200, "{}", "unknown"),
        (Telephony, Create, 200, "", "unknown"),
        (Telephony, Create, 200, "OK", "unknown"),
        (Telephony, Create, 200, page, "again"),
        (Telephony, OmniFlow, 200, r#"{"queue":"Q"}"#, "done"),
        (Telephony, OmniFlow, 200, r#"{"errors":["no channel"]}"#, "refused"),
        (Telephony, OmniFlow, 200, "", "done"),
        (Telephony, Update, 200, r#"{"status":"pending"}"#, "done"),
        (Telephony, Update, 204, "", "done"),
        (Telephony, Update, 200, r#"{"errors":["bad field"]}"#, "refused"),
        (Telephony, ClearRouting, 204, "", "done"),
        (Telephony, ClearRouting, 200, "whatever", "done"),
        (Telephony, ClearRouting, 200, page, "again"),
        (Telephony, Create, 302, "", "misconfigured"),
        (Telephony, Create, 400, r#"{"message":"startTime"}"#, "refused"),
        (Telephony, Update, 400, lock, "again"),
        (Telephony, Create, 401, "", "reauthenticate"),
        (Telephony, Create, 403, page, "reauthenticate"),
        (Telephony, Create, 404, "", "misconfigured"),
        (Telephony, Update, 404, r#"{"message":"no such call"}"#, "refused"),
        (Telephony, Update, 404, page, "misconfigured"),
        (Telephony, Update, 404, "", "misconfigured"),
        (Telephony, Update, 404, "Not Found", "misconfigured"),
        (Telephony, Update, 404, "{}", "misconfigured"),
        (Telephony, Update, 404, missing, "misconfigured"),
        (Telephony, Update, 404, spring, "misconfigured"),
        (Telephony, OmniFlow, 404, "", "misconfigured"),
        (Telephony, ClearRouting, 404, "", "misconfigured"),
        (Telephony, ClearRouting, 404, r#"{"message":"no such call"}"#, "refused"),
        (Telephony, Create, 405, "", "misconfigured"),
        (Telephony, Update, 405, r#"{"message":"Method Not Allowed"}"#, "misconfigured"),
        (Telephony, ClearRouting, 405, page, "misconfigured"),
        (Telephony, Update, 400, page, "misconfigured"),
        (Telephony, Create, 408, "", "again"),
        (Telephony, Create, 429, "", "again"),
        (Telephony, Create, 500, "", "again"),
        (Telephony, Create, 502, page, "again"),
        (Telephony, Create, 503, page, "again"),
        (Telephony, Create, 504, page, "unknown"),
        (Apex, OmniFlow, 504, "", "unknown"),
        (Telephony, Update, 504, "", "again"),
        (Apex, Create, 200, r#"{"data":{"voiceCallId":"0LQ1"},"errors":null,"success":true}"#, "done"),
        (Apex, Create, 200, failed, "refused"),
        (Apex, Update, 200, failed, "refused"),
        (Apex, ClearRouting, 200, failed, "refused"),
        (Apex, Update, 200, lock, "again"),
        (Apex, Create, 400, failed, "refused"),
        (Apex, Create, 401, expired, "reauthenticate"),
        (Apex, Create, 403, limit, "again"),
        (Apex, Create, 404, missing, "misconfigured"),
        (Apex, Update, 405, "", "misconfigured"),
        (Apex, Update, 400, page, "misconfigured"),
        (Apex, Create, 500, exception, "refused"),
        (Apex, OmniFlow, 500, exception, "refused"),
        (Apex, Update, 500, exception, "again"),
        (Apex, ClearRouting, 500, exception, "again"),
        (Apex, Create, 502, page, "again"),
        (Rest, Query, 200, r#"{"totalSize":0,"done":true,"records":[]}"#, "done"),
        (Rest, Query, 200, r#"{"totalSize":0}"#, "again"),
        (Rest, Query, 200, "", "again"),
        (Rest, Query, 200, page, "again"),
        (Rest, Query, 400, r#"[{"errorCode":"INVALID_TYPE","message":"VoiceCall"}]"#, "refused"),
        (Rest, Query, 401, expired, "reauthenticate"),
        (Rest, Query, 403, limit, "again"),
        (Rest, Query, 404, missing, "refused"),
        (Rest, Query, 500, "", "again"),
    ] {
        let outcome = judge(way, operation, &answer(status, body));
        assert_eq!(word(&outcome), expected, "{way:?} {operation:?} {status} {body}: {outcome:?}");
    }
}

#[test]
fn the_wrappers_envelope_is_taken_off() {
    let body = r#"{"data":{"voiceCallId":"0LQ1"},"errors":["a trigger complained"],"success":true}"#;
    let AnswerOutcome::Done(data) = judge(Apex, Create, &answer(200, body)) else { panic!("not done") };
    assert_eq!(voice_call_id(&data), Some("0LQ1"));
    assert_eq!(data["errors"][0], "a trigger complained");
}

#[test]
fn a_pause_that_salesforce_asks_for_is_passed_on() {
    let after = Some(Duration::from_secs(7));
    let answer = HttpAnswer { retry_after: after, ..answer(429, "") };
    let again = AnswerOutcome::Again { after, words: "HTTP 429 without a reason".into() };
    assert_eq!(judge(Telephony, Create, &answer), again);
}

#[test]
fn a_fault_of_the_connection_means_later() {
    for (fault, expected) in [
        (HttpFault::Late, Failure::Late),
        (
            HttpFault::Connect("refused".into()),
            Failure::Again { after: None, words: "it cannot be reached".into() },
        ),
    ] {
        assert_eq!(Failure::from(fault), expected);
    }
}
