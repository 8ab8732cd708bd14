//! The ledger for the audit, over a connection of its own: a REPEATABLE READ, READ ONLY transaction per piece, streams as
//! server-side cursors over the server's sorts.
//!
//! An old snapshot keeps dead versions of hot rows alive, and so slows every batch: pieces are cut so that a view spans
//! about [`PIECE_ROWS_MAX`] rows. One product is never cut, so a piece with a very hot product may span more; a piece of
//! products or orders reads the whole journal, which has no index by either, and sorts its own part of it.

mod pieces;
#[cfg(test)]
mod plans;
mod rows;
mod sql;

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{Connection as _, Executor as _, FromRow, PgConnection, Postgres};

use self::sql::Cursor;
use crate::clock::Timestamp;
use crate::store::audit_rows::{
    AdjustRow, AdjustmentRow, BatchRow, CommandLineRow, CustomerRow, DeliveryRow, EffectRow, EventRow,
    FenceRow, HeldRow, Page, Piece, ProductRow, ReservationRow, Snapshot, VersionRow, Watermarks,
};
use crate::store::{StoreError, StoreErrorKind};

/// Rows that one consistent view is to span: with a million holds in batches of a thousand that is all of their products, or all of their
/// orders, and ten to twenty seconds on two busy processors. Every further piece reads the whole journal once more.
pub const PIECE_ROWS_MAX: u32 = 8_000_000;

/// Reads the ledger in pieces of about `piece_rows_max` rows. The connection must be used by nobody else, and needs no
/// more than SELECT.
pub fn snapshot(connection: PgConnection, piece_rows_max: u32) -> Box<dyn Snapshot> {
    Box::new(PostgresSnapshot::new(connection, piece_rows_max))
}

struct PostgresSnapshot {
    connection: PgConnection,
    piece_rows_max: u32,
    /// The piece whose transaction is open.
    piece: Option<Piece>,
    /// The cursors that are open in it, by their statement.
    declared: HashSet<&'static str>,
}

impl PostgresSnapshot {
    fn new(connection: PgConnection, piece_rows_max: u32) -> Self {
        Self { connection, piece_rows_max, piece: None, declared: HashSet::new() }
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.connection.execute(statement).await.map(drop).map_err(failed)
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        self.run(sql::BEGIN).await?;
        for setting in sql::SETTINGS {
            self.run(setting).await?;
        }
        Ok(())
    }

    /// Ends the view, if there is one, and its cursors with it.
    async fn end(&mut self) -> Result<(), StoreError> {
        self.declared.clear();
        if self.piece.take().is_some() {
            self.run("ROLLBACK").await?;
        }
        Ok(())
    }

    /// A page of a stream; opens its cursor when it is first asked for.
    async fn page<R>(&mut self, cursor: &Cursor) -> Page<R>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        if self.declared.insert(cursor.declare) {
            self.declare(cursor.declare).await?;
        }
        sqlx::query_as(cursor.fetch).fetch_all(&mut self.connection).await.map_err(failed)
    }

    async fn declare(&mut self, statement: &'static str) -> Result<(), StoreError> {
        let Some(piece) = &self.piece else {
            let message = "a stream was read while no piece was open";
            return Err(StoreError::new(StoreErrorKind::Misconfigured, message));
        };
        let query = bind(sqlx::query(statement).persistent(false), piece);
        query.execute(&mut self.connection).await.map(drop).map_err(failed)
    }
}

#[async_trait]
impl Snapshot for PostgresSnapshot {
    async fn pieces(&mut self) -> Result<Vec<Piece>, StoreError> {
        self.end().await?;
        self.begin().await?;
        let pieces = pieces::cut(&mut self.connection, self.piece_rows_max).await.map_err(failed);
        self.run("ROLLBACK").await?;
        pieces
    }

    async fn open(&mut self, piece: &Piece) -> Result<Watermarks, StoreError> {
        self.end().await?;
        self.begin().await?;
        self.piece = Some(piece.clone());
        let rows: Vec<(String, Timestamp)> =
            sqlx::query_as(sql::WATERMARKS).fetch_all(&mut self.connection).await.map_err(failed)?;
        let mut marks = Watermarks::default();
        for (name, at) in rows {
            marks.set(&name, at);
        }
        Ok(marks)
    }

    async fn products(&mut self) -> Page<ProductRow> {
        self.page(&sql::PRODUCTS).await
    }

    async fn held(&mut self) -> Page<HeldRow> {
        self.page(&sql::HELD).await
    }

    async fn versions(&mut self) -> Page<VersionRow> {
        self.page(&sql::VERSIONS).await
    }

    async fn effects(&mut self) -> Page<EffectRow> {
        self.page(&sql::EFFECTS).await
    }

    async fn customer_units(&mut self) -> Page<CustomerRow> {
        self.page(&sql::CUSTOMER_UNITS).await
    }

    async fn customer_lines(&mut self) -> Page<CustomerRow> {
        self.page(&sql::CUSTOMER_LINES).await
    }

    async fn reservations(&mut self) -> Page<ReservationRow> {
        self.page(&sql::RESERVATIONS).await
    }

    async fn command_lines(&mut self) -> Page<CommandLineRow> {
        self.page(&sql::COMMAND_LINES).await
    }

    async fn batches(&mut self) -> Page<BatchRow> {
        self.page(&sql::BATCHES).await
    }

    async fn fences(&mut self) -> Page<FenceRow> {
        self.page(&sql::FENCES).await
    }

    async fn events(&mut self) -> Page<EventRow> {
        self.page(&sql::EVENTS).await
    }

    async fn adjustments(&mut self) -> Page<AdjustmentRow> {
        self.page(&sql::ADJUSTMENTS).await
    }

    async fn adjusts(&mut self) -> Page<AdjustRow> {
        self.page(&sql::ADJUSTS).await
    }

    async fn inbox(&mut self) -> Page<DeliveryRow> {
        self.page(&sql::INBOX).await
    }

    async fn deliveries(&mut self) -> Page<DeliveryRow> {
        self.page(&sql::DELIVERIES).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), StoreError> {
        self.end().await?;
        self.connection.close().await.map_err(failed)
    }
}

/// Binds the piece's bounds.
fn bind<'q>(query: Query<'q, Postgres, PgArguments>, piece: &Piece) -> Query<'q, Postgres, PgArguments> {
    match piece {
        Piece::Products { from, through } => query.bind(from.get()).bind(through.get()),
        Piece::Orders { from, through } | Piece::Batches { from, through } => {
            query.bind(*from).bind(*through)
        }
        Piece::Adjustments { from, before } | Piece::Deliveries { from, before } => {
            query.bind(from.clone()).bind(before.clone())
        }
    }
}

fn failed(error: sqlx::Error) -> StoreError {
    let kind = match &error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreErrorKind::Corrupt,
        sqlx::Error::Database(error) => match error.code().as_deref() {
            // Too few rights, or tables and columns that are not there.
            Some(code) if code.starts_with("42") => StoreErrorKind::Misconfigured,
            Some(code) if code.starts_with("53") => StoreErrorKind::Full,
            Some(code) if code.starts_with("22") => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Unavailable,
        },
        _ => StoreErrorKind::Unavailable,
    };
    StoreError {
        kind,
        message: "the audit could not read the ledger".to_owned(),
        source: Some(Box::new(error)),
    }
}
