//! Audits a ledger on Postgres and says how long it took and how much memory this process needed at most:
//! `cargo run --release -p inventory-core --example audit_postgres -- postgres://…`

use std::time::Instant;

use inventory_core::audit::audit;
use inventory_core::store::postgres::snapshot::{PIECE_ROWS_MAX, snapshot};
use sqlx::{Connection as _, PgConnection};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("the address of the database is missing")?;
    let started = Instant::now();
    let report = audit(snapshot(PgConnection::connect(&url).await?, PIECE_ROWS_MAX)).await?;
    for (what, rows) in report.checked.counts() {
        println!("{rows:>12} {what}");
    }
    for violation in &report.violations {
        println!("{violation}");
    }
    println!("{} violations, {:.1?}", report.violations_total, started.elapsed());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find(|line| line.starts_with("VmHWM:")) {
        println!("{peak}");
    }
    Ok(())
}
