#!/usr/bin/env bash
# Checks deploy/ with the tools of those it is for: the manifests against the schemas of Kubernetes (a package of
# PyPI brings them, no cluster is asked), the unit with systemd's own eyes, alerts and dashboard with those of Prometheus
# (scripts/check-monitoring.sh). What is not installed is said and left out.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=target/check-deploy
[[ -x $venv/bin/kubernetes-validate ]] || {
    python3 -m venv "$venv"
    "$venv/bin/pip" --quiet install 'kubernetes-validate==1.37.0'
}
"$venv/bin/kubernetes-validate" --strict deploy/kubernetes/{deployment,service,poddisruptionbudget,networkpolicy}.yaml

if command -v kubectl >/dev/null; then
    kubectl kustomize deploy/kubernetes | "$venv/bin/kubernetes-validate" --strict --quiet -
else
    echo 'check-deploy: no kubectl, so the kustomization was not rendered' >&2
fi

if command -v systemd-analyze >/dev/null; then
    unit=$(mktemp -d)/scv-bridge.service
    trap 'rm -r "$(dirname "$unit")"' EXIT
    # The program need not be installed here.
    sed 's#^ExecStart=/usr/local/bin/scv-bridge#ExecStart=/bin/true#' deploy/systemd/scv-bridge.service >"$unit"
    systemd-analyze verify --man=no "$unit"
    systemd-analyze security --offline=true --no-pager --threshold=15 "$unit" | tail -n 1
else
    echo 'check-deploy: no systemd-analyze, so the unit was not checked' >&2
fi

scripts/check-monitoring.sh
