//! `docs/SAGA.md` is what the code says.

use order_service::saga::render_table;

#[test]
fn the_table_in_docs_is_what_the_code_renders() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/SAGA.md");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let hint = "run `cargo run -p order-service --example saga_table > docs/SAGA.md`";
    assert!(kept == render_table(), "docs/SAGA.md is not what the code renders; {hint}");
}
