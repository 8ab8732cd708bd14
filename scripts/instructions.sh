#!/bin/sh
# Counts the instructions of the hot functions and compares them with benches/instructions.toml; fails if one left its tolerance.
# UPDATE=1 writes the file instead. Counts do not depend on what else the machine does, but on the compiler and the C library: where
# these are not the file's, they are shown and not judged.
set -eu
cd "$(dirname "$0")/.."
expected=benches/instructions.toml

GUNGRAUN_RUNNER=$(scripts/install-valgrind.sh)
export GUNGRAUN_RUNNER
GUNGRAUN_HOME="$PWD/target/gungraun"
export GUNGRAUN_HOME
rm -rf "$GUNGRAUN_HOME"
# "--bench" is what cargo says to a bench.
cargo run --locked --release -p benches --example instructions -- --bench --nosummary >target/instructions.log || {
    cat target/instructions.log >&2
    exit 1
}

machine="rustc $(rustc --version | cut -d ' ' -f 2), $(getconf GNU_LIBC_VERSION), $(uname -m)"
# A file per function, or several where it used several threads: a folder per function.
counted() {
    for folder in "$GUNGRAUN_HOME"/benches/instructions/*/*/; do
        cat "$folder"/callgrind.*.out | awk -v name="$(basename "$folder")" '$1 == "summary:" { sum += $2 } END { print name, sum }'
    done
}

if [ "${UPDATE:-}" = 1 ]; then
    {
        sed -n '/^#/p; /^tolerance_percent/p' "$expected"
        echo "made_with = \"$machine\""
        printf '\n[instructions]\n'
        counted | awk '{ print $1 " = " $2 }'
    } >"$expected.new"
    mv "$expected.new" "$expected"
    cat "$expected"
    exit 0
fi
counted | awk -v machine="$machine" -f scripts/instructions.awk "$expected" -
