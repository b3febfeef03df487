//! Bodies as they come and go; a test sends each of them and compares the answers.

use serde_json::{Value, json};

use super::super::Route;

const CENTER: &str = "WxCCContactCenterSCV";
const INTERACTION: &str = "7b3c1d52-8a1e-4c0f-9d2b-5e6f7a8b9c0d";
const KEY: &str = "wxcc_7b3c1d52-8a1e-4c0f-9d2b-5e6f7a8b9c0d";
const ID: &str = "0LQ000000000001AAA";

/// The request of a route.
pub(super) fn request(route: Route) -> Value {
    match route {
        Route::CreateVoiceCall => json!({
            "callCenterDevName": CENTER,
            "certDevName": "WebexCCSCV",
            "vendorCallKey": KEY,
            "to": "+18005550100",
            "from": "+14695550101",
            "initiationMethod": "Inbound",
            "startTime": "2026-11-21T10:00:00.123Z",
            "participants": [{ "participantKey": "+14695550101", "type": "END_USER" }],
            "callAttributes": { "Call_Origin__c": "Webex Contact Center" },
        }),
        Route::UpdateVoiceCall => json!({
            "callCenterDevName": CENTER,
            "voiceCallId": KEY,
            "endTime": "2026-11-21T10:04:00Z",
            "acceptTime": "2026-11-21T10:00:31Z",
            "agent": "agent@example.com",
            "queue": "Sales",
            "numberOfHolds": 1,
            "isActiveCall": false,
        }),
        Route::ExecuteOmniFlow => json!({
            "callCenterDevName": CENTER,
            "voiceCallId": KEY,
            "dialedNumber": "+18005550100",
            "flowDevName": "WxCC_Routing_Flow",
            "flowInputParameters": { "param1": "EN" },
        }),
        Route::ClearRouting => json!({ "callCenterDevName": CENTER, "voiceCallId": KEY }),
        Route::PhoneContactEnded => json!({
            "callCenterDevName": CENTER,
            "vendorCallKey": KEY,
            "voiceCallId": "",
            "startTime": "2026-11-21T10:00:00.123Z",
            "agentId": "",
        }),
        Route::AgentAnswered => json!({
            "callCenterDevName": CENTER,
            "interactionId": INTERACTION,
            "agentId": "0e1d2c3b-4a59-4687-8796-a5b4c3d2e1f0",
        }),
    }
}

fn enveloped(data: &Value) -> Value {
    json!({ "data": data, "errors": null, "success": true })
}

/// The answer to it.
pub(super) fn answer(route: Route) -> Value {
    let data = match route {
        Route::CreateVoiceCall => json!({ "voiceCallId": ID }),
        Route::UpdateVoiceCall => json!({ "status": "pending" }),
        Route::ExecuteOmniFlow => json!({ "queue": "Service", "agent": null }),
        Route::PhoneContactEnded => json!({ "outcome": "abandoned", "status": "Success" }),
        Route::ClearRouting | Route::AgentAnswered => return success(),
    };
    enveloped(&data)
}

pub(super) fn success() -> Value {
    enveloped(&json!({ "status": "Success" }))
}

pub(super) fn token_request() -> Value {
    json!({ "grant_type": "client_credentials", "client_id": "webex-flow", "client_secret": "SECRET" })
}

pub(super) fn token() -> Value {
    json!({
        "access_token": "scvb_...",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "api",
        "instance_url": super::SAMPLE_URL,
        "id": format!("{}/id/scv-bridge/webex%2Dflow", super::SAMPLE_URL),
        "issued_at": "1795255200250",
        "signature": "...",
    })
}

pub(super) fn webhook() -> Value {
    json!({
        "id": "0d7a0012-3c2b-4f1e-8d9c-100000000000",
        "specversion": "1.0",
        "type": "task:ended",
        "source": "/com/cisco/wxcc/a1b2c3d4-aaaa-4bbb-8ccc-ddddeeeeffff",
        "comciscoorgid": "f2b1d1f0-1111-4222-8333-444455556666",
        "datacontenttype": "application/json",
        "data": {
            "createdTime": 1_795_000_000_000_u64,
            "taskId": INTERACTION,
            "channelType": "telephony",
            "direction": "INBOUND",
            "terminatingParty": "Customer",
        },
    })
}

pub(super) fn alive() -> Value {
    json!({ "status": "alive" })
}

/// Ready, and not.
pub(super) fn readiness() -> [Value; 2] {
    let configuration = json!({ "status": "current", "problems": [], "after_restart": [] });
    [
        json!({ "status": "ready", "not_ready": [], "configuration": configuration }),
        json!({ "status": "not ready", "not_ready": ["the service is stopping"], "configuration": configuration }),
    ]
}

pub(super) fn version() -> Value {
    json!({ "name": "scv-bridge", "version": env!("CARGO_PKG_VERSION") })
}
