#!/usr/bin/env bash
# The patterns of the program compile in the program too: in its tests, other crates switch on features of `regex` that a
# build without them lacks. Then every text of others would be shown as "(hidden)".
set -euo pipefail
cd "$(dirname "$0")/.."
features=$("${CARGO:-cargo}" tree --locked --edges no-dev,features --invert regex --depth 1)
for feature in unicode-case unicode-gencat unicode-perl; do
    grep -q "regex feature \"$feature\"" <<<"$features" || { echo "Cargo.toml: regex needs the feature $feature" >&2; exit 1; }
done
