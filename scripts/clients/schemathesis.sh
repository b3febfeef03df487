#!/usr/bin/env bash
# Called by run.sh: what the bridge answers, held against what its own description says.
set -euo pipefail
cd "$(dirname "$0")"

curl --silent --fail "http://$OPERATIONS/openapi.json" >"$WORK/openapi.json"
# It leaves files behind where it runs, and looks for its hooks there.
cp schemathesis.toml schemathesis_hooks.py "$WORK"
cd "$WORK"
test_it() { "$SCHEMATHESIS" run openapi.json "$@"; }
operations='^/(version|metrics|docs|openapi[.]json|livez|readyz)$'
test_it --url "$BRIDGE" --tls-verify "$WORK/authority.crt" --exclude-path-regex "$operations"
test_it --url "http://$OPERATIONS" --include-path-regex "$operations"
