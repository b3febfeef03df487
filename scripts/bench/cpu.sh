#!/usr/bin/env bash
# CPU that one createVoiceCall costs in the bridge: 32 connections, token cached, an upstream that answers at once;
# beside it the same load through nginx, which only passes it on. The bridge (or nginx) has one core, load and
# upstream the others. Everything listens on loopback and ends by itself.
# Needs: wrk, nginx, taskset, curl, and target/release/scv-bridge.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${SECONDS_EACH:-10} rounds=${ROUNDS:-5} connections=32
binary=${BINARY:-target/release/scv-bridge}
for tool in wrk nginx taskset curl; do command -v "$tool" >/dev/null || { echo "missing: $tool (apt-get install wrk nginx-light util-linux curl)" >&2; exit 1; }; done
[ -x "$binary" ] || { echo "missing: $binary (make build)" >&2; exit 1; }

work=$(mktemp -d)
pids=()
cleanup() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT

# Apart from the configuration, whose folder is watched for changes.
mkdir "$work/data"
"$binary" certificate new WebexCCSCV --out-dir "$work" >/dev/null
secret=bench-secret
export BENCH_BASIC=$(printf 'webex-flow:%s' "$secret" | base64)
# With what the bridge itself would send, so that the upstream does for nginx what it does for the bridge.
base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
claims=$(printf '{"iss":"00D000000000001EAA","sub":"WxCCContactCenterSCV","iat":%d,"exp":%d}' "$(date +%s)" $(($(date +%s) + 3600)) | base64url)
claims=$(printf '{"alg":"RS256","typ":"JWT"}' | base64url).$claims
token=$claims.$(printf %s "$claims" | openssl dgst -sha256 -sign "$work/WebexCCSCV.key" -binary | base64url)
org=127.0.0.1:18090 bridge=127.0.0.1:18080 operations=127.0.0.1:18081 plain=127.0.0.1:18082
cat > "$work/bridge.toml" <<TOML
[server]
listen = "$bridge"
workers = 1
[operations]
listen = "$operations"
[store]
url = "sqlite:$work/data/bridge.db"
[limits]
creates_per_second = 100000
[[clients]]
id = "webex-flow"
secret_sha256 = "$(printf %s "$secret" | sha256sum | cut -d' ' -f1)"
call_centers = ["*"]
[certificates.WebexCCSCV]
certificate = "$work/WebexCCSCV.crt"
private_key = "$work/WebexCCSCV.key"
[call_centers.WxCCContactCenterSCV]
certificate = "WebexCCSCV"
api = "telephony"
org_id = "00D000000000001EAA"
telephony_url = "http://$org/telephony/v1"
provider_name = "webex-contact-center"
[call_centers.WxCCContactCenterSCV.translations]
from = '{"digits": "[1,17]->[^\\\\d]+", "US": "[11,12]->(\\\\d)(\\\\d{3})(\\\\d{3})(\\\\d{4})->+\$1 \$2 \$3 \$4"}'
TOML
cat > "$work/nginx.conf" <<NGINX
worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/nginx.err;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
  upstream org { server $org; keepalive 64; keepalive_requests 100000000; }
  server { listen $plain; location / { proxy_pass http://org; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
NGINX
taskset -c 1 "$binary" mock-salesforce --listen "$org" --certificate "$work/WebexCCSCV.crt" --answer-at-once >"$work/data/org.log" 2>&1 & pids+=($!)
taskset -c 0 "$binary" serve --config "$work/bridge.toml" >"$work/data/bridge.log" 2>&1 & pids+=($!); bridge_pid=$!
taskset -c 0 nginx -c "$work/nginx.conf" -p "$work" >/dev/null 2>&1 & pids+=($!); nginx_pid=$!
for _ in $(seq 100); do curl -sf "http://$operations/readyz" >/dev/null && break; sleep 0.1; done
worker_pid=$(pgrep -P "$nginx_pid" | head -1)

ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
hz=$(getconf CLK_TCK)
# measure NAME PID URL PATH [TOKEN] -> microseconds of CPU per request, requests a second, p99
measure() {
  local before after out requests
  export BENCH_RUN="$1-$RANDOM" BENCH_PATH="$4" BENCH_TOKEN="${5-}"
  before=$(ticks "$2")
  out=$(taskset -c 1 wrk -t1 -c$connections -d"${seconds}s" --latency -s scripts/bench/create.lua "$3")
  after=$(ticks "$2")
  requests=$(awk '/requests in/{print $1}' <<<"$out")
  local failed=$(awk '/Non-2xx/{print $NF}' <<<"$out")
  awk -v n="$1" -v t=$((after - before)) -v hz="$hz" -v r="$requests" -v s="$seconds" -v p99="$(awk '/ 99%/{print $2}' <<<"$out")" -v f="${failed:-0}" \
    'BEGIN{printf "%-8s %6.1f us CPU a call  %7.0f calls/s  p99 %s  failed %s\n", n, t / hz * 1e6 / r, r / s, p99, f}'
}
warm=$seconds; seconds=2
measure bridge "$bridge_pid" "http://$bridge" /voice/v1/createVoiceCall >/dev/null
measure nginx "$worker_pid" "http://$plain" /telephony/v1/voiceCalls "$token" >/dev/null
seconds=$warm
for _ in $(seq "$rounds"); do
  measure bridge "$bridge_pid" "http://$bridge" /voice/v1/createVoiceCall
  measure nginx "$worker_pid" "http://$plain" /telephony/v1/voiceCalls "$token"
done
awk '/VmRSS/{print "bridge resident:", $2 / 1024, "MB"}' "/proc/$bridge_pid/status"
