// What a flow sends to make a call, and what must come back.
import assert from 'node:assert/strict';

export const WRAPPER = '/cisco_wxcc_scv/voice/v1/createVoiceCall';

export function createBody(key) {
  return {
    callCenterDevName: 'WxCCContactCenterSCV',
    vendorCallKey: `wxcc_${key}`,
    to: '+18005550100',
    from: '+14695550101',
    initiationMethod: 'Inbound',
    startTime: new Date().toISOString(),
    participants: [{ participantKey: '+14695550101', type: 'END_USER' }],
  };
}

export function expectCreated(answer) {
  assert.equal(answer.success, true);
  assert.match(answer.data.voiceCallId, /^0LQ/);
}

// Makes a call with an access token.
export async function call(token, key) {
  const answer = await fetch(`${process.env.BRIDGE}/services/apexrest${WRAPPER}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'Application/JSON' },
    body: JSON.stringify(createBody(key)),
  });
  assert.equal(answer.status, 200);
  expectCreated(await answer.json());
}
