#!/usr/bin/env bash
# Real clients against a running bridge with the mock org behind it: curl for every grant and encoding, published OAuth 2.0
# clients, and published Salesforce clients used as they are against the wrapper; then schemathesis, which holds the bridge against its
# own description. Clients are installed into a temporary
# folder, at the versions named here. Everything listens on loopback and ends by itself.
# Needs: curl, openssl, npm (Node.js 20 or newer: later versions of jsforce need 22), python3 with venv, and the program: PROGRAM, or target/debug/scv-bridge.
set -euo pipefail
cd "$(dirname "$0")/../.."

node_clients=(simple-oauth2@5.1.0 openid-client@6.8.9 jsforce@3.10.16)
python_clients=(requests-oauthlib==2.0.0 simple-salesforce==1.12.10)
schemathesis=schemathesis==4.32.5

program=${PROGRAM:-target/debug/scv-bridge}
for tool in curl openssl npm node python3; do
    command -v "$tool" >/dev/null || { echo "missing: $tool" >&2; exit 1; }
done
[[ -x $program ]] || { echo "missing: $program (cargo build)" >&2; exit 1; }

export WORK
WORK=$(mktemp -d)
pids=()
cleanup() {
    local status=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    if ((status)); then
        tail -n 20 "$WORK"/*.log >&2 || true
    fi
    rm -rf "$WORK"
}
trap cleanup EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
digest() { printf %s "$1" | openssl dgst -sha256 -r | cut -d' ' -f1; }

# Certificates: an authority of our own for TLS, a pair for Salesforce, a pair for the client's assertions.
pair() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$WORK/$1.key" -out "$WORK/$1.crt" "${@:2}" 2>>"$WORK/openssl.log"; }
pair authority -subj /CN=authority
pair tls -CA "$WORK/authority.crt" -CAkey "$WORK/authority.key" -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -addext basicConstraints=critical,CA:FALSE
pair connector -subj /CN=connector
"$program" certificate new WebexCCSCV --out-dir "$WORK" >/dev/null
"$program" secret signing-key >"$WORK/signing.key"

port=$(free_port) org=127.0.0.1:$(free_port) operations=127.0.0.1:$(free_port)
export BRIDGE=https://localhost:$port ORG=http://$org OPERATIONS=$operations
export CLIENT_ID=connector CLIENT_SECRET='s:ecret+of 100% &more' USERNAME=webex@example.com PASSWORD='pass+word %41&='
cat >"$WORK/bridge.toml" <<TOML
[server]
listen = "127.0.0.1:$port"
public_url = "$BRIDGE"
[server.tls]
certificate = "$WORK/tls.crt"
private_key = "$WORK/tls.key"
[operations]
listen = "$operations"
[limits]
# All clients call from one address, and try wrong secrets on purpose.
failed_logins_per_address = 1000
failed_logins_per_client = 1000
# More than schemathesis can ask for.
creates_per_second = 1000
[webex]
webhook_secrets = ["$(openssl rand -hex 32)"]
[store]
url = "sqlite:$WORK/bridge.db"
[oauth]
signing_key_file = "$WORK/signing.key"
audiences = ["https://bridge.salesforce.com"]
[[clients]]
id = "$CLIENT_ID"
secret_sha256 = "$(digest "$CLIENT_SECRET")"
username = "$USERNAME"
password_sha256 = "$(digest "$PASSWORD")"
assertion_certificates = ["$WORK/connector.crt"]
call_centers = ["*"]
[certificates.WebexCCSCV]
certificate = "$WORK/WebexCCSCV.crt"
private_key = "$WORK/WebexCCSCV.key"
[call_centers.WxCCContactCenterSCV]
certificate = "WebexCCSCV"
api = "telephony"
org_id = "00D000000000001EAA"
telephony_url = "$ORG/telephony/v1"
TOML

echo "installing ${node_clients[*]} ${python_clients[*]} $schemathesis"
npm install --silent --no-audit --no-fund --prefix "$WORK/node" "${node_clients[@]}"
python3 -m venv "$WORK/python"
"$WORK/python/bin/pip" --quiet --disable-pip-version-check install "${python_clients[@]}"
python3 -m venv "$WORK/schemathesis"
"$WORK/schemathesis/bin/pip" --quiet --disable-pip-version-check install "$schemathesis"

"$program" mock-salesforce --listen "$org" --certificate "$WORK/WebexCCSCV.crt" >"$WORK/org.log" 2>&1 &
org_pid=$!
pids+=("$org_pid")
"$program" serve --config "$WORK/bridge.toml" >"$WORK/bridge.log" 2>&1 &
pids+=($!)
curl --silent --fail --retry 100 --retry-delay 0 --retry-all-errors --max-time 20 --output /dev/null "http://$operations/readyz"

export PYTHONDONTWRITEBYTECODE=1
export NODE_EXTRA_CA_CERTS=$WORK/authority.crt REQUESTS_CA_BUNDLE=$WORK/authority.crt CURL_CA_BUNDLE=$WORK/authority.crt
scripts/clients/curl.sh
# Where a script lies decides where Node.js looks for what it imports.
cp scripts/clients/*.mjs "$WORK/node/"
node "$WORK/node/oauth.mjs"
node "$WORK/node/jsforce.mjs"
"$WORK/python/bin/python" scripts/clients/oauth.py
"$WORK/python/bin/python" scripts/clients/salesforce.py

refused=$(curl --silent "$ORG/mock/refusals")
[[ $refused == '[]' ]] || { echo "the org refused: $refused" >&2; exit 1; }
# Another org, without a limit of creates: schemathesis makes whatever fits the description.
kill "$org_pid"
wait "$org_pid" || true
"$program" mock-salesforce --listen "$org" --certificate "$WORK/WebexCCSCV.crt" --answer-at-once >"$WORK/org.log" 2>&1 &
pids+=($!)
SCHEMATHESIS=$WORK/schemathesis/bin/st scripts/clients/schemathesis.sh
if grep -F -e "$CLIENT_SECRET" -e "$PASSWORD" -e scvb_ "$WORK/bridge.log"; then
    echo "a secret or a token stands in the log" >&2
    exit 1
fi
echo "every client got in"
