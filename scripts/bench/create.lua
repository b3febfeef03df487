-- createVoiceCall with a key of its own for every call: as the vendor's flow sends it to the bridge or, with BENCH_TOKEN, as
-- the bridge sends it to Salesforce.
local count = 0
local thread_id = 0
local token = os.getenv("BENCH_TOKEN")
if token == "" then token = nil end
local center = token and '"callCenterApiName": "WxCCContactCenterSCV"'
  or '"callCenterDevName": "WxCCContactCenterSCV",\n  "certDevName": "WebexCCSCV"'
function setup(thread) thread:set("thread_id", thread_id); thread_id = thread_id + 1 end
function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = token and "Bearer " .. token or "Basic " .. os.getenv("BENCH_BASIC")
  if token then wrk.headers["Telephony-Provider-Name"] = "webex-contact-center" end
  run = os.getenv("BENCH_RUN")
end
function request()
  count = count + 1
  local body = string.format([[{
  %s,
  "vendorCallKey": "wxcc_%s-%d-%08d",
  "to": "+18005550100",
  "from": "+14693150217",
  "initiationMethod": "Inbound",
  "startTime": "2026-11-21T10:00:00.123Z",
  "participants": [
    {
      "participantKey": "+14693150217",
      "type" : "END_USER"
    }
  ],
  "callAttributes": "{\"Call_Origin__c\": \"Webex Contact Center\",\"Service__c\": \"New Lead\", \"Language__c\": \"English\", \"Customer_ID__c\": \"12345\"}"
}]], center, run, thread_id, count)
  return wrk.format(nil, os.getenv("BENCH_PATH"), nil, body)
end
