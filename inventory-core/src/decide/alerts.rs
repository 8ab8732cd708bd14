//! `low` and `depleted`: judged once per batch, on each changed product's final state, against what was announced
//! last.

use crate::event::Fact;
use crate::product::{Alert, Product};

/// Brings the alert up to date; a fall to a level fires that level's event once. A fall from enough straight to
/// zero says `depleted` only; a rise says nothing and re-arms what it rose well above.
pub(super) fn judge(product: &mut Product) -> Option<Fact> {
    let before = product.alert;
    product.alert = before.next(product.available(), product.low_stock_threshold);
    match (before, product.alert) {
        (Alert::None, Alert::Low) => Some(Fact::StockLow(product.clone())),
        (Alert::None | Alert::Low, Alert::Depleted) => Some(Fact::StockDepleted(product.clone())),
        (Alert::None | Alert::Low | Alert::Depleted, Alert::None)
        | (Alert::Low | Alert::Depleted, Alert::Low)
        | (Alert::Depleted, Alert::Depleted) => None,
    }
}
