#!/bin/sh
# Runs every test of a race, one at a time, and writes docs/RACES.md from what they say.
. "$(dirname "$0")/lib.sh"

scripts/install-postgres.sh
if ! scripts/install-kafka.sh; then
    [ "${CI:-}" != true ] || exit 1
    export KAFKA=mock
fi
phase "races" cargo run --locked -p chaos -- races "$@"
