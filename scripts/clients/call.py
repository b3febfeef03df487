"""What a flow sends to make a call, and what must come back."""

from datetime import datetime, timezone

WRAPPER = "cisco_wxcc_scv/voice/v1/createVoiceCall"


def create_body(key):
    return {
        "callCenterDevName": "WxCCContactCenterSCV",
        "vendorCallKey": f"wxcc_{key}",
        "to": "+18005550100",
        "from": "+14695550101",
        "initiationMethod": "Inbound",
        "startTime": datetime.now(timezone.utc).isoformat(),
        "participants": [{"participantKey": "+14695550101", "type": "END_USER"}],
    }


def expect_created(answer):
    assert answer["success"] is True, answer
    assert answer["data"]["voiceCallId"].startswith("0LQ"), answer
