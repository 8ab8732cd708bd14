//! The common batch: nothing but reserves, of stock that only loses availability. One statement, one round trip; the
//! reservations and the journal share the arrays that both need.

use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, PgConnection};
use uuid::Uuid;

use super::alone::{Alone, standing};
use super::guard;
use super::journal::Remarks;
use super::products::StockColumns;
use crate::journal::{ChangeKind, JournalCommand, JournalEntry};
use crate::reservation::{Reservation, Status};
use crate::store::postgres::errors::{classify, unsendable};
use crate::store::postgres::presumed::Presumption;
use crate::store::postgres::rows::RowVersion;
use crate::store::{Effects, StoreError};

/// `$1` orders, `$2` products and `$3` quantities of all lines one after the other (of one line, if all orders are alike),
/// `$4` the line each order begins with, `$5` the line it ends with, `$6` customers (empty when nobody named one), `$7`
/// to `$9` times, the same for all; `$10` and up as in the statements for stock and for the journal. With a condition it begins otherwise,
/// writes nothing unless that holds, and ends otherwise.
macro_rules! reserves_sql {
    ($source:literal, $lines:literal, $journal_lines:literal, $first:expr, $condition:literal, $told:literal) => {
        concat!(
            "WITH ",
            $first,
            "created AS (INSERT INTO reservations \
             (order_id, status, late, customer_id, created_at, expires_at, expires_at_max, products, quantities) \
             SELECT o, 1, false, c, $7, $8, $9, ",
            $lines,
            " FROM (SELECT unnest($1::uuid[]) AS o, unnest($6::text[]) AS c",
            $source,
            ") s WHERE ",
            $condition,
            "), stock AS (UPDATE inventory i SET on_hand = e.on_hand, held = e.held, version = e.version + 1, \
             alert_state = e.alert, last_batch = $10 FROM (SELECT unnest($11::bigint[]) AS id, \
             unnest($12::bigint[]) AS version, unnest($13::bigint[]) AS on_hand, unnest($14::bigint[]) AS held, \
             unnest($15::smallint[]) AS alert) e WHERE i.product_id = e.id AND i.version = e.version AND ",
            $condition,
            " RETURNING 1), entry AS (INSERT INTO journal (batch_id, at, kinds, orders, line_command, line_product, line_units, \
             products, versions, on_hands, helds, previous, remark_command, remark_customer) \
             SELECT $10, $16, array_fill(1::smallint, ARRAY[cardinality($1)]), $1, $17, ",
            $journal_lines,
            ", $18, $19, $20, $21, $22, $23, $24 WHERE ",
            $condition,
            ") ",
            $told
        )
    };
}

/// For one shape of orders: what is written under locks, and what takes them itself.
macro_rules! shape {
    ($source:literal, $lines:literal, $journal_lines:literal) => {
        Shape {
            under_locks: reserves_sql!(
                $source,
                $lines,
                $journal_lines,
                "",
                "true",
                "SELECT count(*), pg_current_xact_id()::xid FROM stock"
            ),
            alone: reserves_sql!(
                $source,
                $lines,
                $journal_lines,
                standing!("$10", "$25", "$26", "$27", "$28", "$29", "$30"),
                "(SELECT yes FROM stands)",
                "SELECT yes, statement_timestamp(), pg_current_xact_id()::xid FROM stands"
            ),
        }
    };
}

/// See [`reserves_sql`] and [`super::alone`].
struct Shape {
    under_locks: &'static str,
    alone: &'static str,
}

/// A flash sale: every order asks for the same quantity of the same product.
const ALIKE: Shape = shape!(
    "",
    "$2::bigint[], $3::integer[]",
    "array_fill(($2::bigint[])[1], ARRAY[cardinality($1)]), array_fill(($3::integer[])[1]::bigint, ARRAY[cardinality($1)])"
);
/// Every order has one line: no need to say where its lines are.
const ONE_LINE_EACH: Shape = shape!(
    ", unnest($2::bigint[]) AS p, unnest($3::integer[]) AS q",
    "ARRAY[p], ARRAY[q]",
    "$2, $3::bigint[]"
);
const CARTS: Shape = shape!(
    ", unnest($4::integer[]) AS a, unnest($5::integer[]) AS b",
    "($2::bigint[])[a:b], ($3::integer[])[a:b]",
    "$2, $3::bigint[]"
);

/// The arrays of a batch of nothing but reserves.
pub(super) struct Reserves<'e> {
    shape: Shape,
    orders: Vec<Uuid>,
    products: Vec<i64>,
    quantities: Vec<i32>,
    first_line: Vec<i32>,
    last_line: Vec<i32>,
    line_command: Vec<i32>,
    customers: Vec<Option<&'e str>>,
    example: &'e Reservation,
}

impl<'e> Reserves<'e> {
    /// The arrays, if the batch is of this kind.
    pub(super) fn of(effects: &'e Effects) -> Option<Self> {
        let example = effects.created.first()?;
        let common = effects.changed.is_empty()
            && effects.created.len() == effects.journal.commands.len()
            && effects.products.iter().all(|product| product.stock_only && product.version_before.is_some())
            && effects.created.iter().zip(&effects.journal.commands).all(|(created, command)| {
                is_new_hold(created) && same_times(created, example) && is_its_reserve(created, command)
            });
        common.then(|| Self::collect(&effects.created, example))
    }

    fn collect(created: &'e [Reservation], example: &'e Reservation) -> Self {
        let alike = example.requested.len() == 1
            && created.iter().all(|reservation| reservation.requested == example.requested);
        let carts = created.iter().any(|reservation| reservation.requested.len() != 1);
        let named = created.iter().any(|reservation| reservation.customer.is_some());
        let mut arrays = Self {
            shape: if alike {
                ALIKE
            } else if carts {
                CARTS
            } else {
                ONE_LINE_EACH
            },
            orders: created.iter().map(|reservation| reservation.order.get()).collect(),
            products: Vec::new(),
            quantities: Vec::new(),
            first_line: Vec::new(),
            last_line: Vec::new(),
            line_command: Vec::with_capacity(created.len()),
            customers: Vec::new(),
            example,
        };
        if named {
            let customers = created.iter().map(|reservation| reservation.customer.as_ref());
            arrays.customers = customers.map(|customer| customer.map(|id| id.as_str())).collect();
        }
        if alike {
            arrays.line_command.extend(1..=count(created.len()));
            arrays.push_lines(example);
        } else {
            for (position, reservation) in (1..).zip(created) {
                let first = arrays.products.len() + 1;
                arrays.push_lines(reservation);
                arrays.line_command.resize(arrays.products.len(), position);
                if carts {
                    arrays.first_line.push(count(first));
                    arrays.last_line.push(count(arrays.products.len()));
                }
            }
        }
        arrays
    }

    fn push_lines(&mut self, reservation: &Reservation) {
        for line in reservation.requested.iter() {
            self.products.push(line.product.get());
            self.quantities.push(line.quantity.to_i32());
        }
    }

    /// Writes reservations, stock and journal, and says which version of the rows that is.
    pub(super) async fn persist(
        self,
        conn: &mut PgConnection,
        effects: &Effects,
    ) -> Result<RowVersion, StoreError> {
        let sql = self.shape.under_locks;
        let arguments = self.arguments(effects).map_err(unsendable)?;
        let (met, version): (i64, RowVersion) =
            sqlx::query_as_with(sql, arguments).fetch_one(conn).await.map_err(classify)?;
        guard("products", effects.products.len(), met)?;
        Ok(version)
    }

    /// As a batch of its own, which rests on this.
    pub(super) fn alone(self, effects: &Effects, presumption: &Presumption) -> Result<Alone, BoxDynError> {
        let sql = self.shape.alone;
        Alone::resting_on(presumption, sql, self.arguments(effects)?)
    }

    /// `$1` to `$24`.
    fn arguments(self, effects: &Effects) -> Result<PgArguments, BoxDynError> {
        let entry: &JournalEntry = &effects.journal;
        let stock = StockColumns::of(effects.products.iter());
        let after = super::journal::Products::of(entry);
        let remarks = Remarks::of(&entry.commands);
        let mut arguments = PgArguments::default();
        arguments.add(self.orders)?;
        arguments.add(self.products)?;
        arguments.add(self.quantities)?;
        arguments.add(self.first_line)?;
        arguments.add(self.last_line)?;
        arguments.add(self.customers)?;
        arguments.add(self.example.created_at)?;
        arguments.add(self.example.expires_at)?;
        arguments.add(self.example.expires_at_max)?;
        arguments.add(entry.batch.get())?;
        arguments.add(stock.ids)?;
        arguments.add(stock.versions)?;
        arguments.add(stock.on_hands)?;
        arguments.add(stock.helds)?;
        arguments.add(stock.alerts)?;
        arguments.add(entry.at)?;
        arguments.add(self.line_command)?;
        arguments.add(after.products)?;
        arguments.add(after.versions)?;
        arguments.add(after.on_hands)?;
        arguments.add(after.helds)?;
        arguments.add(after.previous)?;
        arguments.add(remarks.as_ref().map(|remarks| &remarks.command))?;
        arguments.add(remarks.as_ref().map(|remarks| &remarks.customer))?;
        Ok(arguments)
    }
}

/// Fits: a batch has at most `BATCH_COMMANDS_MAX × LINES_MAX` lines.
fn count(lines: usize) -> i32 {
    i32::try_from(lines).unwrap_or(i32::MAX)
}

fn is_new_hold(created: &Reservation) -> bool {
    created.status == Status::Held
        && !created.late
        && created.ended_at.is_none()
        && created.lines == created.requested
        && !created.requested.is_empty()
}

fn same_times(created: &Reservation, example: &Reservation) -> bool {
    created.created_at == example.created_at
        && created.expires_at == example.expires_at
        && created.expires_at_max == example.expires_at_max
}

/// Whether the journal's command says the same as the reservation, and carries nothing but a customer.
fn is_its_reserve(created: &Reservation, command: &JournalCommand) -> bool {
    command.kind == ChangeKind::Reserve
        && command.order == Some(created.order)
        && command.lines.len() == created.lines.len()
        && command
            .lines
            .iter()
            .zip(created.lines.iter())
            .all(|(journal, line)| journal.product == line.product && journal.units == line.quantity.units())
        && command.remark.as_ref().is_none_or(|remark| {
            remark.adjustment.is_none()
                && remark.reason.is_none()
                && remark.reference.is_none()
                && remark.delivery.is_none()
        })
}
