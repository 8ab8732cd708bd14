#!/bin/sh
# The concurrency models of the counters. RUSTFLAGS are global, so the models have a target folder of their own; the
# cfg is private because tokio drops modules under `--cfg loom`.
set -eu
cd "$(dirname "$0")/.."
RUSTFLAGS="--cfg inventory_loom" CARGO_TARGET_DIR=target/loom \
    cargo test -p inventory-core --lib --release --no-default-features --locked -- loom "$@"
