//! The reservations of a batch: seen before the locks, since they say what to lock, and made sure of under them.
//!
//! A reservation changes only under the locks of its products. So what a batch under these locks finds to be the version that it has seen
//! stays so until it ends: it is enough to look once, at any time in between. What the batch changes, its UPDATE looks at; the
//! rest is looked at by [`Versions::stand`]. (Orders of products that the batch passed over can change meanwhile, too: that is a conflict for
//! nothing, and seldom.)

use sqlx::PgConnection;

use super::errors::classify;
use super::recent::Recent;
use super::rows::{RowVersion, column, order_ids, reservation, reservation_columns};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ProductId};
use crate::lines::Line;
use crate::reservation::Reservation;
use crate::store::{Effects, Footprint, IdMap, IdSet, StoreError, StoreErrorKind};

const RESERVATIONS: &str =
    concat!("SELECT r.xmin, ", reservation_columns!(), " FROM reservations r WHERE r.order_id = ANY ($1)");
const STANDING: &str = "SELECT count(*) FROM (SELECT unnest($1::uuid[]) AS o, unnest($2::xid[]) AS x) e \
     JOIN reservations r ON r.order_id = e.o AND r.xmin = e.x";

/// Reservations that exist, and which version of each that is.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) reservations: IdMap<OrderId, Reservation>,
    pub(super) versions: Versions,
}

/// Which version of each reservation a batch has seen.
#[derive(Default)]
pub(super) struct Versions(IdMap<OrderId, Version>);

/// A version of a reservation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) row: RowVersion,
    pub(super) expires_at: Timestamp,
}

/// What a session remembers of a batch's orders.
#[derive(Default)]
pub(super) struct Recalled {
    orders: Vec<OrderId>,
    pub(super) seen: Seen,
    /// The others: they have to be read.
    pub(super) unread: Vec<OrderId>,
}

impl Recalled {
    pub(super) fn of(orders: Vec<OrderId>, recent: &mut Recent) -> Self {
        let (mut seen, mut unread) = (Seen::default(), Vec::new());
        seen.reserve(orders.len());
        for order in &orders {
            match recent.recall(*order) {
                Some((reservation, version)) => seen.keep(reservation, version),
                None => unread.push(*order),
            }
        }
        Self { orders, seen, unread }
    }

    /// This, if it is of these orders. Else what was recalled in vain is forgotten, and read like any other.
    pub(super) fn or_of(self, orders: &[OrderId], recent: &mut Recent) -> Self {
        if self.orders == orders { self } else { Self::of(orders.to_vec(), recent) }
    }
}

impl Seen {
    /// Reads orders. Says which do not exist.
    pub(super) async fn read(
        &mut self,
        conn: &mut PgConnection,
        mut orders: Vec<OrderId>,
    ) -> Result<Vec<OrderId>, StoreError> {
        if orders.is_empty() {
            return Ok(orders);
        }
        let rows =
            sqlx::query(RESERVATIONS).bind(order_ids(&orders)).fetch_all(conn).await.map_err(classify)?;
        self.reserve(rows.len());
        for row in &rows {
            self.keep(reservation(row, 1)?, column(row, 0)?);
        }
        orders.retain(|order| !self.reservations.contains_key(order));
        Ok(orders)
    }

    fn reserve(&mut self, more: usize) {
        self.reservations.reserve(more);
        self.versions.0.reserve(more);
    }

    fn keep(&mut self, reservation: Reservation, version: RowVersion) {
        let version = Version { row: version, expires_at: reservation.expires_at };
        self.versions.0.insert(reservation.order, version);
        self.reservations.insert(reservation.order, reservation);
    }

    /// The products that a batch needs that has seen these. Sorted.
    pub(super) fn wanted(&self, footprint: &Footprint) -> Vec<ProductId> {
        let mut wanted = footprint.products.clone();
        if !self.reservations.is_empty() {
            let lines = self.reservations.values().flat_map(|seen| seen.requested.iter());
            wanted.extend(lines.map(|line| line.product));
            wanted.sort_unstable();
            wanted.dedup();
        }
        wanted
    }

    /// The first that needs a product other than these.
    pub(super) fn beyond(&self, locked: &[ProductId]) -> Option<OrderId> {
        let is_beyond = |line: Line| locked.binary_search(&line.product).is_err();
        self.reservations.values().find(|seen| seen.requested.iter().any(is_beyond)).map(|seen| seen.order)
    }
}

impl Versions {
    /// The one that was seen of this order.
    pub(super) fn of(&self, order: OrderId) -> Option<Version> {
        self.0.get(&order).copied()
    }

    /// Whether what the batch writes makes sure of all that it has seen: only what was seen can be changed, each once.
    pub(super) fn are_guarded_by(&self, effects: &Effects) -> bool {
        is_possible(effects) && self.0.len() == effects.changed.len()
    }

    /// Makes sure that what the batch has seen and leaves as it is still has the version that it has seen; its locks keep it so.
    pub(super) async fn stand(&self, conn: &mut PgConnection, effects: &Effects) -> Result<(), StoreError> {
        if self.are_guarded_by(effects) {
            return Ok(());
        }
        let is_possible = is_possible(effects);
        let guarded = effects.changed.iter().filter(|_| is_possible);
        let guarded: IdSet<OrderId> = guarded.map(|(_, changed)| changed.order).collect();
        let (orders, versions): (Vec<_>, Vec<_>) = self
            .0
            .iter()
            .filter(|(order, _)| !guarded.contains(order))
            .map(|(order, version)| (order.get(), version.row))
            .unzip();
        let seen = orders.len();
        if seen == 0 {
            return Ok(());
        }
        let standing: i64 = sqlx::query_scalar(STANDING)
            .bind(orders)
            .bind(versions)
            .fetch_one(conn)
            .await
            .map_err(classify)?;
        if usize::try_from(standing) == Ok(seen) {
            return Ok(());
        }
        let message = format!("{standing} of {seen} reservations were still what the batch had seen");
        Err(StoreError::new(StoreErrorKind::Conflict, message))
    }
}

/// Stock that cannot be comes from a hold that is gone. The server would say so before it comes to the row.
fn is_possible(effects: &Effects) -> bool {
    effects.products.iter().all(|product| product.after.is_possible())
}
