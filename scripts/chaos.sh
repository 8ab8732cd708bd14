#!/bin/sh
# Faults on real processes for five minutes, an hour with CHAOS=long, then every check. What follows goes to the program:
# scripts/chaos.sh --seed 7 --seconds 60.
set -eu
cd "$(dirname "$0")/.."

scripts/install-postgres.sh
# Without it a run says that clocks did not jump.
scripts/install-faketime.sh || true
# Without a real Kafka the mock cluster is used, which is said; never unasked where CI=true.
if ! scripts/install-kafka.sh; then
    [ "${CI:-}" != true ] || exit 1
    export KAFKA=mock
fi
cargo build --locked --release -p holdfast -p chaos
exec "${CARGO_TARGET_DIR:-target}/release/chaos" run "$@"
