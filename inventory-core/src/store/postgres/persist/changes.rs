//! What every batch but the common ones writes, in one statement: the journal's entry, stock, the reservations that are new, and those that
//! changed.

use sqlx::PgConnection;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use super::alone::{Alone, said_of_changed, standing};
use super::guard;
use super::opening::{Opening, opening};
use super::reservations::{Changed, Created};
use crate::store::postgres::errors::{classify, unsendable};
use crate::store::postgres::presumed::Presumption;
use crate::store::postgres::rows::RowVersion;
use crate::store::postgres::seen::Versions;
use crate::store::{Effects, StoreError};

/// `$25` to `$35` what changed: the version of the row that was seen and the state it had guard what was decided on them. `$36` to `$49` what is
/// new. With a condition it begins otherwise, writes nothing unless that holds, and ends otherwise.
macro_rules! change_sql {
    ($first:expr, $condition:literal, $told:expr) => {
        concat!(
            "WITH ",
            $first,
            opening!($condition),
            ", changed AS (UPDATE reservations r SET status = e.s, late = e.l, expires_at = e.t2, ended_at = e.t4, \
             remaining = CASE WHEN e.r THEN ($33::integer[])[e.a:e.b] END \
             FROM (SELECT unnest($25::uuid[]) AS o, unnest($26::xid[]) AS x, unnest($27::smallint[]) AS was, \
             unnest($28::smallint[]) AS s, unnest($29::boolean[]) AS l, unnest($30::timestamptz[]) AS t2, \
             unnest($31::timestamptz[]) AS t4, unnest($32::integer[]) AS a, unnest($34::integer[]) AS b, \
             unnest($35::boolean[]) AS r) e WHERE r.order_id = e.o AND r.xmin = e.x AND r.status = e.was AND ",
            $condition,
            " RETURNING 1), \
             created AS (INSERT INTO reservations (order_id, status, late, customer_id, created_at, expires_at, \
             expires_at_max, ended_at, products, quantities, remaining) \
             SELECT o, s, l, c, t1, t2, t3, t4, ($46::bigint[])[a:b], ($47::integer[])[a:b], \
             CASE WHEN r THEN ($48::integer[])[a:b] END \
             FROM (SELECT unnest($36::uuid[]) AS o, unnest($37::smallint[]) AS s, unnest($38::boolean[]) AS l, \
             unnest($39::text[]) AS c, unnest($40::timestamptz[]) AS t1, unnest($41::timestamptz[]) AS t2, \
             unnest($42::timestamptz[]) AS t3, unnest($43::timestamptz[]) AS t4, unnest($44::integer[]) AS a, \
             unnest($45::integer[]) AS b, unnest($49::boolean[]) AS r) e WHERE ",
            $condition,
            " RETURNING 1) ",
            $told
        )
    };
}

/// What is new comes first: stock that cannot be, beside an order that exists, comes from that order, and is a conflict.
const UNDER_LOCKS: &str = change_sql!(
    "",
    "true",
    "SELECT (SELECT count(*) FROM created), (SELECT count(*) FROM stock), (SELECT count(*) FROM changed), \
     pg_current_xact_id()::xid"
);
const ALONE: &str = change_sql!(
    standing!("$1", "$50", "$51", "$52", "$53", "$54", "$55"),
    "(SELECT yes FROM stands)",
    said_of_changed!()
);

/// What a batch makes and changes of reservations.
pub(super) struct Changes<'e> {
    changed: Changed,
    created: Created<'e>,
}

impl<'e> Changes<'e> {
    /// The arrays; only what this batch has seen can be changed by it.
    pub(super) fn of(effects: &'e Effects, versions: &Versions) -> Result<Self, StoreError> {
        let changed = Changed::of(&effects.changed, versions)?;
        Ok(Self { changed, created: Created::of(&effects.created) })
    }

    /// Writes them, and says which version of the rows that is. A product or a reservation in another state than the decision rests on is
    /// a conflict, and so is an order that appeared meanwhile.
    pub(super) async fn persist(
        self,
        conn: &mut PgConnection,
        effects: &Effects,
    ) -> Result<RowVersion, StoreError> {
        let (arguments, products) = self.arguments(effects).map_err(unsendable)?;
        let (made, met_products, met_reservations, version): (i64, i64, i64, RowVersion) =
            sqlx::query_as_with(UNDER_LOCKS, arguments).fetch_one(conn).await.map_err(classify)?;
        guard("new orders", effects.created.len(), made)?;
        guard("products", products, met_products)?;
        guard("reservations", effects.changed.len(), met_reservations)?;
        Ok(version)
    }

    /// As a batch of its own, which rests on this.
    pub(super) fn alone(self, effects: &Effects, presumption: &Presumption) -> Result<Alone, BoxDynError> {
        let (arguments, _) = self.arguments(effects)?;
        Alone::resting_on(presumption, ALONE, arguments)
    }

    /// `$1` to `$49`, and how many products must be met.
    fn arguments(self, effects: &Effects) -> Result<(PgArguments, usize), BoxDynError> {
        let Opening { mut arguments, products } = Opening::of(effects)?;
        self.changed.add_to(&mut arguments)?;
        self.created.add_to(&mut arguments)?;
        Ok((arguments, products))
    }
}
