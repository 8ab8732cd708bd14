# The only commands anyone needs. `make test` installs what the tests need.
.PHONY: run test check loom simulate fuzz bench instructions load chaos races

run:   ; cargo run --release
test:  ; scripts/test.sh
check: ; scripts/check.sh
loom:  ; scripts/loom.sh
fuzz:  ; scripts/fuzz.sh
simulate:
	cargo run --release -p simulation -- --seeds 0..10000 --jobs 2
	cargo run --release -p simulation -- --checkout --seeds 0..10000 --jobs 2
instructions: ; scripts/instructions.sh
bench:
	scripts/install-postgres.sh && scripts/install-redis.sh && scripts/install-kafka.sh
	scripts/instructions.sh
	cargo bench -p benches --bench '*'
	cargo run --release -p benches --bin peers -- --write-docs
	cargo build --release -p holdfast && cargo run --release -p benches --bin orders
	cargo run --release -p benches --bin checkout
	cargo run --release -p benches --bin storm
	cargo run --release -p benches --bin history -- --prune
	cargo run --release -p benches --bin history -- --prune --ids random
load:
	scripts/install-postgres.sh && load-tests/get-k6.sh
	cargo build --release -p holdfast && cargo run --release -p load-tests -- all
chaos: ; scripts/chaos.sh
races: ; scripts/races.sh
