//! Ledgers, batches and their effects, made by hand.

use std::time::Duration;

use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::journal::{ChangeKind, JournalCommand, JournalLine, JournalProduct};
use inventory_core::lines::{Line, Lines};
use inventory_core::product::{Alert, Product};
use inventory_core::quantity::{Quantity, Units};
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::{
    CommitFailure, Effects, Footprint, Locked, ProductEffect, Session, Store as _, StoreError,
};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// A ledger in a database of its own.
pub(crate) struct Ledger {
    pub(crate) url: String,
    pub(crate) store: PostgresStore,
}

impl Ledger {
    pub(crate) async fn new() -> Self {
        Self::with(PostgresOptions::default()).await
    }

    pub(crate) async fn with(options: PostgresOptions) -> Self {
        let url = test_support::postgres::database().await.url;
        PostgresStore::migrate(&url).await.unwrap();
        let store = PostgresStore::connect(&url, options).await.unwrap();
        Self { url, store }
    }

    pub(crate) async fn session(&self) -> Box<dyn Session> {
        self.store.open_session().await.unwrap()
    }

    /// A connection with all rights, outside the adapter.
    pub(crate) async fn sql(&self) -> PgConnection {
        let mut conn = PgConnection::connect(&self.url).await.unwrap();
        execute(&mut conn, "SET search_path TO inventory_service_schema").await.unwrap();
        conn
    }

    /// Creates products with this many units on hand.
    pub(crate) async fn stock(&self, products: &[(i64, i64)]) {
        let mut session = self.session().await;
        let (locked, batch) = begin(session.as_mut(), &ids(products.iter().map(|(id, _)| *id))).await;
        let mut effects = Effects::none(batch, locked.now);
        for &(id, on_hand) in products {
            let after = Product {
                id: ProductId::new(id),
                on_hand: Units::stored(on_hand),
                held: Units::ZERO,
                version: 1,
                admin_version: 1,
                low_stock_threshold: None,
                per_customer_limit: None,
                limited_since: None,
                name: None,
                alert: Alert::None,
                last_batch: batch,
            };
            effects.journal.commands.push(command(ChangeKind::Set, None, &[(id, on_hand)]));
            push(&mut effects, None, None, after);
        }
        session.persist(&effects).await.unwrap();
        session.commit().await.unwrap();
    }

    /// Holds these lines in one batch, from now for so long.
    pub(crate) async fn hold(&self, order: OrderId, lines: &[(i64, i64)], ttl: Duration) -> Reservation {
        hold(self.session().await.as_mut(), order, lines, ttl).await
    }

    pub(crate) async fn reservation(&self, order: OrderId) -> Option<Reservation> {
        self.store.reservation(order).await.unwrap().1
    }

    pub(crate) async fn product(&self, product: i64) -> Product {
        self.store.read(&[ProductId::new(product)], &[]).await.unwrap().products.remove(0)
    }
}

pub(crate) fn new_order() -> OrderId {
    OrderId::new(Uuid::now_v7())
}

pub(crate) fn new_batch() -> BatchId {
    BatchId::new(Uuid::now_v7())
}

pub(crate) fn ids(products: impl IntoIterator<Item = i64>) -> Vec<ProductId> {
    products.into_iter().map(ProductId::new).collect()
}

pub(crate) fn lines(lines: &[(i64, i64)]) -> Lines {
    Lines::stored(lines.iter().map(|&(product, quantity)| Line {
        product: ProductId::new(product),
        quantity: Quantity::new(quantity).unwrap(),
    }))
}

pub(crate) async fn execute(conn: &mut PgConnection, sql: &str) -> Result<u64, sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(conn).await.map(|done| done.rows_affected())
}

pub(crate) async fn count(conn: &mut PgConnection, table: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(conn).await.unwrap()
}

/// Begins a batch of reserves.
pub(crate) async fn begin(session: &mut dyn Session, products: &[ProductId]) -> (Locked, BatchId) {
    let batch = new_batch();
    let footprint = Footprint { products: products.to_vec(), ..Footprint::default() };
    (session.begin(batch, &footprint).await.unwrap(), batch)
}

/// Begins a batch that reads orders.
pub(crate) async fn begin_with_orders(session: &mut dyn Session, orders: &[OrderId]) -> (Locked, BatchId) {
    let batch = new_batch();
    let footprint = Footprint { orders: orders.to_vec(), ..Footprint::default() };
    (session.begin(batch, &footprint).await.unwrap(), batch)
}

/// Begins a batch with one hold and says what to persist.
pub(crate) async fn begin_hold(
    session: &mut dyn Session,
    order: OrderId,
    wanted: &[(i64, i64)],
    ttl: Duration,
) -> Effects {
    let (locked, batch) = begin(session, &ids(wanted.iter().map(|(id, _)| *id))).await;
    let mut effects = Effects::none(batch, locked.now);
    effects.created.push(held(order, wanted, locked.now, ttl));
    effects.journal.commands.push(command(ChangeKind::Reserve, Some(order), wanted));
    move_stock(&mut effects, &locked, wanted, 0, 1);
    effects
}

/// Holds these lines in one batch of this session.
pub(crate) async fn hold(
    session: &mut dyn Session,
    order: OrderId,
    wanted: &[(i64, i64)],
    ttl: Duration,
) -> Reservation {
    let effects = begin_hold(session, order, wanted, ttl).await;
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    effects.created[0].clone()
}

/// A fresh hold.
pub(crate) fn held(order: OrderId, wanted: &[(i64, i64)], now: Timestamp, ttl: Duration) -> Reservation {
    Reservation {
        order,
        status: Status::Held,
        customer: None,
        requested: lines(wanted),
        lines: lines(wanted),
        created_at: now,
        expires_at: now.plus(ttl),
        expires_at_max: now.plus(Duration::from_secs(3_600)),
        ended_at: None,
        late: false,
    }
}

pub(crate) fn command(kind: ChangeKind, order: Option<OrderId>, lines: &[(i64, i64)]) -> JournalCommand {
    let lines = lines.iter().map(|&(product, units)| JournalLine {
        product: ProductId::new(product),
        units: Units::stored(units),
    });
    JournalCommand { kind, order, lines: lines.collect(), remark: None }
}

/// Adds `on_hand` and `held` times each line to the products.
pub(crate) fn move_stock(
    effects: &mut Effects,
    locked: &Locked,
    lines: &[(i64, i64)],
    on_hand: i64,
    held: i64,
) {
    for &(id, units) in lines {
        let mut after = locked.products[&ProductId::new(id)].clone();
        let (before, previous) = (after.version, after.last_batch);
        after.on_hand += Units::stored(on_hand * units);
        after.held += Units::stored(held * units);
        after.version += 1;
        after.last_batch = effects.journal.batch;
        push(effects, Some(before), Some(previous), after);
    }
}

/// Persists and commits, one of which must be refused.
pub(crate) async fn refusal(session: &mut dyn Session, effects: &Effects) -> StoreError {
    match session.persist(effects).await {
        Err(error) => error,
        Ok(()) => definite(session.commit().await),
    }
}

/// What a COMMIT was refused with.
pub(crate) fn definite(committed: Result<(), CommitFailure>) -> StoreError {
    match committed.unwrap_err() {
        CommitFailure::Definite(error) => error,
        CommitFailure::Unknown(said) => panic!("the outcome must be known: {said}"),
    }
}

/// Adds a product to the effects and to the journal.
pub(crate) fn push(effects: &mut Effects, before: Option<u64>, previous: Option<BatchId>, after: Product) {
    effects.journal.products.push(JournalProduct {
        product: after.id,
        version: after.version,
        on_hand: after.on_hand,
        held: after.held,
        previous,
    });
    effects.products.push(ProductEffect { version_before: before, stock_only: before.is_some(), after });
}
