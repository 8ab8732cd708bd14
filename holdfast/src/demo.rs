//! The demo catalogue: forty products of the retail data, imported into an empty inventory by the ordinary import.

use inventory_core::ids::ProductId;

use crate::cli::Format;
use crate::ledger::{ImportReport, Ledger};

/// What the repository ships; see `holdfast/demo/`.
const CATALOGUE: &str = include_str!("../demo/catalogue.csv");

/// The product that first steps are shown with: bananas.
pub const SAMPLE_PRODUCT: ProductId = ProductId::new(1_082_185);

/// Imports the catalogue.
pub async fn import(ledger: &dyn Ledger) -> anyhow::Result<ImportReport> {
    ledger.import(Box::new(CATALOGUE.as_bytes()), Format::Csv, &|_| {}).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rows;

    #[test]
    fn every_row_of_the_catalogue_can_be_imported_and_the_sample_is_in_it() {
        let rows = rows::read(Box::new(CATALOGUE.as_bytes()), Format::Csv).unwrap();
        let products: BTreeSet<_> = rows
            .map(|row| {
                let set = row.unwrap().1.unwrap();
                assert!(set.name.is_some() && set.on_hand.get() > 0, "{set:?}");
                set.product
            })
            .collect();
        assert_eq!(products.len(), 40);
        assert!(products.contains(&SAMPLE_PRODUCT));
    }
}
