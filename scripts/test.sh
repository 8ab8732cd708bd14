#!/bin/sh
# Every test. Installs what the tests need; skips nothing.
. "$(dirname "$0")/lib.sh"

phase "postgres is installed" scripts/install-postgres.sh

# Without a real Kafka the tests use librdkafka's mock cluster and say what that does not show; never unasked where CI=true.
if ! scripts/install-kafka.sh; then
    [ "${CI:-}" != true ] || exit 1
    export KAFKA=mock
fi

phase "tests" cargo test --workspace --locked
phase "loom models" scripts/loom.sh
phase "inventory-core without stores" cargo check -p inventory-core --no-default-features --lib --locked
phase "inventory-core with SQLite alone" cargo check -p inventory-core --no-default-features --features sqlite --lib --locked
phase "inventory-core with Postgres alone" cargo check -p inventory-core --no-default-features --features postgres --lib --locked

if [ "${KAFKA:-}" = mock ]; then
    brokers="librdkafka's mock cluster alone: compaction, topics by the admin API, limits of a topic and restarts were NOT shown"
else
    brokers="librdkafka's mock cluster, and ${TEST_KAFKA_BROKERS:-Apache Kafka $(cat scripts/kafka-version), one broker per test process}"
fi
printf '\n== Kafka brokers used: %s\n' "$brokers"
