#!/usr/bin/env bash
# Fails when a dependency brings a second TLS or cryptography stack beside OpenSSL, for whatever platform.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tree=$("${CARGO:-cargo}" tree --locked --all-features --target all --edges normal,build,dev \
    --prefix none --format '{p}' | sort -u)

grep -q '^openssl v' <<<"$tree" || {
    echo 'one-tls-stack: openssl is not in the tree; is this script still right?' >&2
    exit 1
}
if others=$(grep -E '^(rustls|tokio-rustls|hyper-rustls|rustls-webpki|webpki-roots|ring|aws-lc-rs|aws-lc-sys|boring|boring-sys|mbedtls) v' <<<"$tree"); then
    echo "one-tls-stack: besides OpenSSL there is" "$others" >&2
    echo 'cargo tree --invert NAME tells who brings it; reqwest does with its default features' >&2
    exit 1
fi
