-- createVoiceCall as the vendor's flow sends it, with a key of its own for every call.
local count = 0
local thread_id = 0
function setup(thread) thread:set("thread_id", thread_id); thread_id = thread_id + 1 end
function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "Application/JSON"
  wrk.headers["Authorization"] = "Basic " .. os.getenv("BENCH_BASIC")
  run = os.getenv("BENCH_RUN")
end
function request()
  count = count + 1
  local body = string.format([[{
  "callCenterDevName": "WxCCContactCenterSCV",
  "certDevName": "WebexCCSCV",
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
}]], run, thread_id, count)
  return wrk.format(nil, os.getenv("BENCH_PATH"), nil, body)
end
function response(status) if status ~= 200 and status ~= 201 then failures = (failures or 0) + 1 end end
