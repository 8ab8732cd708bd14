//! How much memory the counters of many products need: `cargo run -p inventory-core --example counter_memory -- 10000000`.
//! Fails when ten million would need more than 1 GiB.

use std::process::ExitCode;

use inventory_core::counters::{Base, Counters};
use inventory_core::ids::ProductId;
use inventory_core::quantity::Units;

const BYTES_PER_PRODUCT_MAX: u64 = (1 << 30) / 10_000_000;
const PRODUCTS_DEFAULT: u32 = 10_000_000;

fn main() -> ExitCode {
    let products =
        std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(PRODUCTS_DEFAULT).max(1);
    let before = memory_bytes();
    let counters = Counters::new();
    for id in 0..i64::from(products) {
        let base = Base { available: Units::stored(id % 1_000), version: 1, epoch: 0, limited: false };
        counters.observe(ProductId::new(id), base);
    }
    let bytes = memory_bytes().saturating_sub(before);
    let per_product = bytes / u64::from(products);
    println!("{} products, {bytes} bytes, {per_product} bytes each", counters.products_loaded());
    if per_product > BYTES_PER_PRODUCT_MAX { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The most that this process has had in memory (Linux; zero elsewhere).
fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1_024
}
