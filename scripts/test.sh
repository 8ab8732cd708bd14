#!/bin/sh
# Every test. Installs what the tests need; skips nothing.
. "$(dirname "$0")/lib.sh"

phase "postgres is installed" scripts/install-postgres.sh
phase "tests" cargo test --workspace --locked
phase "loom models" scripts/loom.sh
phase "inventory-core without stores" cargo check -p inventory-core --no-default-features --lib --locked
phase "inventory-core with SQLite alone" cargo check -p inventory-core --no-default-features --features sqlite --lib --locked
phase "inventory-core with Postgres alone" cargo check -p inventory-core --no-default-features --features postgres --lib --locked
