#!/usr/bin/env bash
# Fuzzes with libFuzzer, which sees what code an input reaches.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]      60 seconds for each target of tests/fuzz/targets.rs
#
# Works on the stable compiler and needs a C++ compiler for libFuzzer. It begins with tests/fuzz/corpus and
# keeps what it finds worth keeping in fuzz/corpus. An input that fails is left in fuzz/artifacts/TARGET: put
# it into tests/fuzz/corpus/TARGET with the repair, and `make test` will try it from then on.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-60}
shift || true
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(ls tests/fuzz/corpus)

# Instrumentation for coverage, and of comparisons, so that magic words are found. With --target, build scripts
# and procedural macros are left alone.
host=$(rustc -vV | sed -n 's/^host: //p')
flags='-Cpasses=sancov-module -Ccodegen-units=1'
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    flags+=" -Cllvm-args=-sanitizer-coverage-$option"
done

# How long an input may take is watched by the targets themselves (fuzz/watch.rs): libFuzzer knows whole seconds,
# and does not ask twice.

# The same versions as in the bridge; what only the fuzzer needs is added.
cp Cargo.lock fuzz/Cargo.lock
RUSTFLAGS=$flags ${CARGO:-cargo} build --manifest-path fuzz/Cargo.toml --release --target "$host" --target-dir target/fuzz

for target in "${targets[@]}"; do
    echo "fuzz: $target, $seconds seconds" >&2
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    FUZZ_TARGET=$target "target/fuzz/$host/release/fuzz" "fuzz/corpus/$target" "tests/fuzz/corpus/$target" \
        -artifact_prefix="fuzz/artifacts/$target/" -max_total_time="$seconds" -max_len=70000 -timeout=60 \
        -print_final_stats=1 -verbosity=0
done
echo 'fuzz: nothing found' >&2
