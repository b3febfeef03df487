#!/usr/bin/env bash
# Checks what Prometheus, Alertmanager and Grafana are given, with the tools of Prometheus: the text of /metrics, every
# alert and its tests, the example for Alertmanager, and every expression of the dashboard.
#
# promtool and amtool are taken from the path, else out of Debian's packages without installing them: those would start a server.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$PWD/target/check-deploy/tools
export PATH=$PATH:$tools/usr/bin

# A program, and Debian's package that has it.
fetch() {
    local program=$1 package=$2
    command -v "$program" >/dev/null && return
    if ! command -v apt-get >/dev/null; then
        echo "check-monitoring: no $program, so what it checks was not checked" >&2
        return 1
    fi
    mkdir -p "$tools"
    (
        cd "$tools"
        apt-get -q download "$package" >/dev/null
        dpkg-deb -x "$package"_*.deb .
        rm "$package"_*.deb
    )
}

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

if fetch promtool prometheus; then
    # A snapshot begins with two lines of dashes around its origin.
    awk 'lines >= 2; /^---$/ { lines++ }' src/telemetry/snapshots/*prometheus*.snap >"$work/metrics.txt"
    promtool check metrics <"$work/metrics.txt"
    promtool check rules deploy/prometheus/alerts.yaml
    promtool test rules deploy/prometheus/alerts_{,days_}test.yaml
    # promtool knows no dashboards: their expressions are given to it as rules.
    python3 - deploy/grafana/scv-bridge.json >"$work/dashboard.yaml" <<'PYTHON'
import json, sys

def expressions(value):
    if isinstance(value, dict):
        yield from ([value["expr"]] if "expr" in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from expressions(item)

found = list(expressions(json.load(open(sys.argv[1]))))
print("groups:\n  - name: dashboard\n    rules:")
for number, expression in enumerate(found):
    plain = expression.replace("$__rate_interval", "1m")
    print(f"      - record: dashboard:{number}\n        expr: {json.dumps(plain)}")
PYTHON
    promtool check rules "$work/dashboard.yaml"
fi

if fetch amtool prometheus-alertmanager; then
    amtool check-config deploy/prometheus/alertmanager.yaml
fi
