#!/usr/bin/env bash
# Makes sure that this machine can build and test scv-bridge.
#
#   scripts/setup.sh           what the build needs
#   scripts/setup.sh checks    also what `make test` needs
#   scripts/setup.sh soak      also what `make soak` needs
#
# Says nothing and changes nothing when nothing is missing. Missing Debian or Ubuntu packages are
# installed as root or through a sudo that asks for no password; otherwise the line to run is printed
# and the exit status is 1. Never asks a question.

set -euo pipefail

case ${1-} in
    '') checks=no soak=no ;;
    checks) checks=yes soak=no ;;
    soak) checks=yes soak=yes ;;
    *)
        echo "usage: scripts/setup.sh [checks|soak]" >&2
        exit 2
        ;;
esac

have() { command -v "$1" >/dev/null 2>&1; }

stop() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

# openssl-sys looks at OPENSSL_DIR before it asks pkg-config.
finds_openssl() {
    [[ -n ${OPENSSL_DIR-} ]] || { have pkg-config && pkg-config --exists openssl; }
}

missing_packages() {
    have cc || echo gcc libc6-dev
    have pkg-config || [[ -n ${OPENSSL_DIR-} ]] || echo pkg-config
    finds_openssl || echo libssl-dev
    # The tests check our tokens with the `openssl` program.
    [[ $checks == no ]] || have openssl || echo openssl
    # The long ones put proxies in front, which Debian keeps out of the path of users.
    [[ $soak == no ]] || PATH=$PATH:/usr/sbin have nginx || echo nginx-light
    [[ $soak == no ]] || PATH=$PATH:/usr/sbin have haproxy || echo haproxy
    # They start a PostgreSQL of their own. Debian keeps its programs out of the path.
    [[ $checks == no ]] || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
}

apt() {
    local as_root=()
    ((EUID == 0)) || as_root=(sudo -n)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null >&2
}

may_install() {
    ((EUID == 0)) || { have sudo && sudo -n true 2>/dev/null; }
}

install_packages() {
    local packages=("$@")
    have apt-get || stop "missing: ${packages[*]} (the names of Debian's packages)." \
        "Install what your system calls them, then run make again."
    local line="apt-get update && apt-get install -y ${packages[*]}" as_root=
    if ((EUID != 0)) && have sudo; then
        line="sudo apt-get update && sudo apt-get install -y ${packages[*]}"
    elif ((EUID != 0)); then
        as_root=" as root"
    fi

    may_install || stop "missing: ${packages[*]}. Run this$as_root, then make again:" "  $line"
    echo "setup: installing ${packages[*]}" >&2
    # A stale list of one source need not stop us: the installation tells.
    apt update || true
    apt install -y --no-install-recommends "${packages[@]}" ||
        stop "apt-get could not install ${packages[*]}. Try by hand:" "  $line"
}

check_rust() {
    if ! have cargo || ! have rustc; then
        stop "Rust is missing. See https://rustup.rs, or run:" \
            "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
    fi

    local needed found
    needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    found=$(rustc --version | cut -d ' ' -f 2)
    printf '%s\n' "$needed" "$found" | sort -C -V ||
        stop "Rust $found is too old, $needed is needed. Run:" "  rustup update stable"
}

check_components() {
    local components=()
    rustfmt --version >/dev/null 2>&1 || components+=(rustfmt)
    cargo-clippy --version >/dev/null 2>&1 || components+=(clippy)
    ((${#components[@]})) || return 0

    local line="rustup component add ${components[*]}"
    echo "setup: $line" >&2
    if ! have rustup || ! rustup component add "${components[@]}" </dev/null >&2; then
        stop "missing: ${components[*]}. Run this, then make again:" "  $line"
    fi
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."

read -r -a packages <<<"$(missing_packages | tr '\n' ' ')"
if ((${#packages[@]})); then
    install_packages "${packages[@]}"
    finds_openssl || stop "libssl-dev is installed, but 'pkg-config --exists openssl' still fails." \
        "Is PKG_CONFIG_PATH set to a folder of its own?"
fi
check_rust
[[ $checks == no ]] || check_components
