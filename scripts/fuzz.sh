#!/bin/sh
# Fuzzes every target for SECONDS each (20 by default), or the named ones: scripts/fuzz.sh [SECONDS [TARGET…]]
. "$(dirname "$0")/lib.sh"

seconds="${1:-20}"
[ $# -eq 0 ] || shift
cd fuzz
[ $# -gt 0 ] || set -- $(ls corpus)

command -v cargo-fuzz >/dev/null 2>&1 || { echo "cargo-fuzz is missing: cargo install --locked cargo-fuzz" >&2; exit 1; }
# The versions that are tested are the ones that are fuzzed.
cp ../Cargo.lock Cargo.lock

one() {
    mkdir -p "found/$1"
    # Safe Rust: the address sanitizer, which needs a nightly compiler, would find nothing.
    cargo fuzz run --sanitizer none "$1" "found/$1" "corpus/$1" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
}

for target; do
    phase "$target" one "$target"
done
