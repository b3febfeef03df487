#!/usr/bin/env bash
# curl: every grant, in every encoding, with credentials wherever they may stand; then a call with each token.
set -euo pipefail

made=0
# ask NAME CURL-ARGUMENTS...: gets a token and makes a call with it. OWN-ASSERTION and USER-ASSERTION in an argument stand for a new
# assertion each time: the bridge takes each one once.
ask() {
    local name=$1 path answer token call arguments
    shift
    for path in /oauth2/token /services/oauth2/token; do
        arguments=("${@//OWN-ASSERTION/$(assertion "$CLIENT_ID")}")
        arguments=("${arguments[@]//USER-ASSERTION/$(assertion "$USERNAME")}")
        answer=$(curl --silent --show-error --fail-with-body "$BRIDGE$path" "${arguments[@]}") || { echo "curl, $name: $answer" >&2; return 1; }
        token=$(sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p' <<<"$answer")
        made=$((made + 1))
        call=$(curl --silent --show-error --fail-with-body -H "Authorization: Bearer $token" -H 'Content-Type: Application/JSON' \
            "$BRIDGE/services/apexrest/cisco_wxcc_scv/voice/v1/createVoiceCall" -d "$(body "wxcc_curl_$made")") ||
            { echo "curl, $name: $call" >&2; return 1; }
        grep -q '"voiceCallId":"0LQ' <<<"$call" || { echo "curl, $name: $call" >&2; return 1; }
    done
    echo "curl: $name"
}

body() {
    printf '{"callCenterDevName":"WxCCContactCenterSCV","vendorCallKey":"%s","to":"+18005550100","from":"+14695550101",' "$1"
    printf '"initiationMethod":"Inbound","startTime":"2026-11-21T10:00:00Z","participants":[{"participantKey":"+14695550101","type":"END_USER"}]}'
}

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d =; }

# An assertion as the client's connector would sign it.
assertion() {
    local now head claims
    now=$(date +%s)
    head=$(printf '{"alg":"RS256","typ":"JWT"}' | base64url)
    claims=$(printf '{"iss":"%s","sub":"%s","aud":"%s/services/oauth2/token","iat":%s,"exp":%s,"jti":"%s"}' \
        "$CLIENT_ID" "$1" "$BRIDGE" "$now" $((now + 180)) "$(openssl rand -hex 8)" | base64url)
    printf '%s.%s.%s' "$head" "$claims" \
        "$(printf '%s.%s' "$head" "$claims" | openssl dgst -sha256 -sign "$WORK/connector.key" -binary | base64url)"
}

json() { node -e 'console.log(JSON.stringify(Object.fromEntries(process.argv.slice(1).map(p => [p.slice(0, p.indexOf("=")), p.slice(p.indexOf("=") + 1)]))))' "$@"; }

# both NAME PARAMETER=VALUE... [-- CURL-ARGUMENTS...]: as form and as JSON.
both() {
    local name=$1 parameters=() form=()
    shift
    while (($#)) && [[ $1 != -- ]]; do
        parameters+=("$1")
        form+=(--data-urlencode "$1")
        shift
    done
    shift || true
    ask "$name, form" "${form[@]}" "$@"
    ask "$name, JSON" -H 'Content-Type: application/json' -d "$(json "${parameters[@]}")" "$@"
}

secret=("client_id=$CLIENT_ID" "client_secret=$CLIENT_SECRET")
user=("username=$USERNAME" "password=$PASSWORD")
header=(-- --user "$CLIENT_ID:$CLIENT_SECRET")
bearer=urn:ietf:params:oauth:grant-type:jwt-bearer
kind=client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer

both "client credentials, secret in the body" grant_type=client_credentials "${secret[@]}"
both "client credentials, secret in the header" grant_type=client_credentials "${header[@]}"
both "client credentials, secret in both" grant_type=client_credentials "${secret[@]}" "${header[@]}"
both "client credentials, assertion" grant_type=client_credentials "$kind" client_assertion=OWN-ASSERTION
both "password, secret in the body" grant_type=password "${user[@]}" "${secret[@]}"
both "password, secret in the header" grant_type=password "${user[@]}" "${header[@]}"
both "JWT bearer" "grant_type=$bearer" assertion=USER-ASSERTION

status() { curl --silent --output /dev/null --write-out '%{http_code}' "$@"; }
for method in GET HEAD POST; do
    arguments=(-X "$method")
    [[ $method == HEAD ]] && arguments=(--head)
    [[ $(status "${arguments[@]}" --user "$CLIENT_ID:$CLIENT_SECRET" "$BRIDGE/voice/v1/validate") == 200 ]]
    [[ $(status "${arguments[@]}" --user "$CLIENT_ID:wrong" "$BRIDGE/voice/v1/validate") == 401 ]]
done
[[ $(status --user "$CLIENT_ID:wrong" -d grant_type=client_credentials "$BRIDGE/oauth2/token") == 401 ]]
[[ $(status --user "$CLIENT_ID:$CLIENT_SECRET" -d grant_type=client_credentials -d client_id=other "$BRIDGE/oauth2/token") == 400 ]]
echo "curl: validate, wrong credentials"
