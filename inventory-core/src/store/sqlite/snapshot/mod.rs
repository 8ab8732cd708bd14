//! The ledger for the audit, over a connection of its own: a read transaction per piece, whose WAL snapshot is the
//! consistent view. Streams that are not in the order of a table's key are sorted into temporary tables first (on
//! disk, the size of the journal's part at most); they end with the transaction.
//!
//! A piece is everything of its kind. While one is open the WAL cannot be checkpointed past it.

mod rows;
mod sql;

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Executor as _, FromRow, SqliteConnection};

use self::rows::Key;
use crate::clock::Timestamp;
use crate::store::audit_rows::{
    AdjustRow, AdjustmentRow, BatchRow, CommandLineRow, CustomerRow, DeliveryRow, EffectRow, EventRow,
    FenceRow, HeldRow, Page, Piece, ProductRow, ReservationRow, Snapshot, VersionRow, Watermarks,
};
use crate::store::{StoreError, StoreErrorKind};

/// Reads the ledger that this connection has open. The connection must be used by nobody else, and may be read-only.
pub fn snapshot(connection: SqliteConnection) -> Box<dyn Snapshot> {
    Box::new(SqliteSnapshot { connection, is_open: false, numbered: HashMap::new(), keyed: HashMap::new() })
}

struct SqliteSnapshot {
    connection: SqliteConnection,
    /// Whether a transaction is open; the driver does not count those begun by a plain statement.
    is_open: bool,
    /// Rows read of each stream in a temporary table, by its sorting statement.
    numbered: HashMap<&'static str, i64>,
    /// The last key of each stream in key order, by its statement.
    keyed: HashMap<&'static str, Key>,
}

impl SqliteSnapshot {
    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.connection.execute(statement).await.map(drop).map_err(failed)
    }

    /// Ends the view, if there is one, and its temporary tables with it.
    async fn end(&mut self) -> Result<(), StoreError> {
        if self.is_open {
            self.run("ROLLBACK").await?;
        }
        self.is_open = false;
        self.numbered.clear();
        self.keyed.clear();
        Ok(())
    }

    /// A page of a derived stream; sorts it when it is first asked for.
    async fn numbered<R>(&mut self, sort: &'static str, select: &'static str) -> Page<R>
    where
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        if !self.numbered.contains_key(sort) {
            self.run(sort).await?;
        }
        let after = self.numbered.entry(sort).or_default();
        let page: Vec<R> = sqlx::query_as(select)
            .bind(*after)
            .bind(sql::PAGE_ROWS)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        *after += sql::PAGE_ROWS;
        Ok(page)
    }

    /// A page of a stream in key order. `first` sorts before every key or is the first of them.
    async fn keyed<R>(&mut self, select: &'static str, first: Key, key: impl Fn(&R) -> Key) -> Page<R>
    where
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let query = sqlx::query_as(select);
        let query = match self.keyed.get(select).unwrap_or(&first) {
            Key::Integer(after) => query.bind(*after),
            Key::Blob(after) => query.bind(after.clone()),
            Key::Text(after) => query.bind(after.clone()),
        };
        let is_first = !self.keyed.contains_key(select);
        let page: Vec<R> = query
            .bind(is_first)
            .bind(sql::PAGE_ROWS)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        self.keyed.insert(select, page.last().map_or(first, key));
        Ok(page)
    }
}

#[async_trait]
impl Snapshot for SqliteSnapshot {
    async fn pieces(&mut self) -> Result<Vec<Piece>, StoreError> {
        Ok(Piece::whole())
    }

    async fn open(&mut self, _piece: &Piece) -> Result<Watermarks, StoreError> {
        self.end().await?;
        self.run(sql::SORT_ON_DISK).await?;
        self.run("BEGIN").await?;
        self.is_open = true;
        let rows: Vec<(String, i64)> =
            sqlx::query_as(sql::WATERMARKS).fetch_all(&mut self.connection).await.map_err(failed)?;
        let mut marks = Watermarks::default();
        for (name, at) in rows {
            marks.set(&name, Timestamp::from_micros(at));
        }
        Ok(marks)
    }

    async fn products(&mut self) -> Page<ProductRow> {
        self.keyed(sql::PRODUCTS, Key::Integer(i64::MIN), |row: &ProductRow| Key::Integer(row.product.get()))
            .await
    }

    async fn held(&mut self) -> Page<HeldRow> {
        self.numbered(sql::SORT_HELD, sql::HELD).await
    }

    async fn versions(&mut self) -> Page<VersionRow> {
        self.numbered(sql::SORT_VERSIONS, sql::VERSIONS).await
    }

    async fn effects(&mut self) -> Page<EffectRow> {
        self.numbered(sql::SORT_EFFECTS, sql::EFFECTS).await
    }

    async fn customer_units(&mut self) -> Page<CustomerRow> {
        self.numbered(sql::SORT_CUSTOMER_UNITS, sql::CUSTOMER_UNITS).await
    }

    async fn customer_lines(&mut self) -> Page<CustomerRow> {
        self.numbered(sql::SORT_CUSTOMER_LINES, sql::CUSTOMER_LINES).await
    }

    async fn reservations(&mut self) -> Page<ReservationRow> {
        self.keyed(sql::RESERVATIONS, Key::Blob(Vec::new()), |row: &ReservationRow| Key::id(row.order.get()))
            .await
    }

    async fn command_lines(&mut self) -> Page<CommandLineRow> {
        self.numbered(sql::SORT_COMMAND_LINES, sql::COMMAND_LINES).await
    }

    async fn batches(&mut self) -> Page<BatchRow> {
        self.numbered(sql::SORT_BATCHES, sql::BATCHES).await
    }

    async fn fences(&mut self) -> Page<FenceRow> {
        self.keyed(sql::FENCES, Key::Blob(Vec::new()), |row: &FenceRow| Key::id(row.batch.get())).await
    }

    async fn events(&mut self) -> Page<EventRow> {
        self.numbered(sql::SORT_EVENTS, sql::EVENTS).await
    }

    async fn adjustments(&mut self) -> Page<AdjustmentRow> {
        self.keyed(sql::ADJUSTMENTS, Key::Text(String::new()), |row: &AdjustmentRow| {
            Key::Text(row.id.clone())
        })
        .await
    }

    async fn adjusts(&mut self) -> Page<AdjustRow> {
        self.numbered(sql::SORT_ADJUSTS, sql::ADJUSTS).await
    }

    async fn inbox(&mut self) -> Page<DeliveryRow> {
        self.numbered(sql::SORT_INBOX, sql::INBOX).await
    }

    async fn deliveries(&mut self) -> Page<DeliveryRow> {
        self.numbered(sql::SORT_DELIVERIES, sql::DELIVERIES).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), StoreError> {
        self.end().await?;
        self.connection.close().await.map_err(failed)
    }
}

fn failed(error: sqlx::Error) -> StoreError {
    let kind = match &error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
            StoreErrorKind::Corrupt
        }
        sqlx::Error::Database(_) => StoreErrorKind::Misconfigured,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError {
        kind,
        message: "the audit could not read the ledger".to_owned(),
        source: Some(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::SqliteStore;

    /// What the pragma calls them.
    const FILE: i64 = 1;
    const MEMORY: i64 = 2;

    #[tokio::test]
    async fn the_audit_sorts_on_disk_though_the_store_keeps_temporary_tables_in_memory() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("ledger.db")).await.unwrap();
        let mut connection = store.shared.connect().await.unwrap();
        let temporary = async |connection: &mut SqliteConnection| -> i64 {
            sqlx::query_scalar("PRAGMA temp_store").fetch_one(connection).await.unwrap()
        };
        assert_eq!(temporary(&mut connection).await, MEMORY);
        let mut view =
            SqliteSnapshot { connection, is_open: false, numbered: HashMap::new(), keyed: HashMap::new() };
        for piece in view.pieces().await.unwrap() {
            view.open(&piece).await.unwrap();
            assert_eq!(temporary(&mut view.connection).await, FILE);
        }
        Box::new(view).close().await.unwrap();
        store.close().await;
    }
}
