//! How the statements of [`super::changes`] and [`super::ends`] begin: with the journal's entry and stock.

use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use super::journal::Entry;
use super::products::StockColumns;
use crate::store::{Effects, ProductEffect};

/// `$1` to `$19` the entry, `$20` to `$24` stock with the version each product had. With a condition it writes nothing unless that holds.
macro_rules! opening {
    ($condition:literal) => {
        concat!(
            "entry AS (INSERT INTO journal (batch_id, at, kinds, orders, line_command, line_product, \
         line_units, products, versions, on_hands, helds, previous, remark_command, remark_adjustment, remark_reason, \
         remark_reference, remark_customer, remark_consumer, remark_message) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19 WHERE ",
            $condition,
            "), \
         stock AS (UPDATE inventory i SET on_hand = e.on_hand, held = e.held, version = e.version + 1, \
         alert_state = e.alert, last_batch = $1 FROM (SELECT unnest($20::bigint[]) AS id, \
         unnest($21::bigint[]) AS version, unnest($22::bigint[]) AS on_hand, unnest($23::bigint[]) AS held, \
         unnest($24::smallint[]) AS alert) e WHERE i.product_id = e.id AND i.version = e.version AND ",
            $condition,
            " RETURNING 1)"
        )
    };
}
pub(super) use opening;

/// What the beginning is given.
pub(super) struct Opening {
    /// `$1` to `$24`.
    pub(super) arguments: PgArguments,
    /// How many products must be met.
    pub(super) products: usize,
}

impl Opening {
    pub(super) fn of(effects: &Effects) -> Result<Self, BoxDynError> {
        let products: Vec<&ProductEffect> =
            effects.products.iter().filter(|effect| effect.version_before.is_some()).collect();
        let mut arguments = PgArguments::default();
        add_to(&mut arguments, effects, &products)?;
        Ok(Self { arguments, products: products.len() })
    }
}

fn add_to(
    arguments: &mut PgArguments,
    effects: &Effects,
    products: &[&ProductEffect],
) -> Result<(), BoxDynError> {
    Entry::of(&effects.journal).add_to(arguments)?;
    let stock = StockColumns::of(products.iter().copied());
    arguments.add(stock.ids)?;
    arguments.add(stock.versions)?;
    arguments.add(stock.on_hands)?;
    arguments.add(stock.helds)?;
    arguments.add(stock.alerts)
}
