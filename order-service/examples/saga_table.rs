//! Prints `docs/SAGA.md`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(order_service::saga::render_table().as_bytes())
}
