//! One connection that writes, with at most one open transaction.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use tokio::sync::OwnedMutexGuard;

use super::Shared;
use super::error::{commit_failure, store_error};
use crate::ids::BatchId;
use crate::store::{
    Backend, CommitFailure, Effects, Footprint, Locked, Resolution, Session, StoreError, StoreErrorKind,
};

/// Dropping it closes the connection, which rolls back; whoever comes next waits for the file's lock.
pub(super) struct SqliteSession {
    /// None once an error left it in doubt: another session must be opened.
    connection: Option<SqliteConnection>,
    /// Held while a transaction is open. After the connection, so that it is given back later.
    turn: Option<OwnedMutexGuard<()>>,
    shared: Arc<Shared>,
}

impl SqliteSession {
    pub(super) async fn open(shared: Arc<Shared>) -> Result<Self, StoreError> {
        Ok(Self { connection: Some(shared.connect().await?), turn: None, shared })
    }

    /// Gives the transaction up after an error. SQLite may have rolled back already; a connection that is not
    /// surely out of its transaction is closed.
    async fn abandon(&mut self, error: StoreError) -> StoreError {
        // The error at hand says more than that of the rollback.
        let _ = self.roll_back().await;
        error
    }

    async fn roll_back(&mut self) -> Result<(), StoreError> {
        if let Some(mut connection) = self.connection.take() {
            sqlx::query("ROLLBACK").execute(&mut connection).await.map_err(store_error)?;
            self.connection = Some(connection);
        }
        self.turn = None;
        Ok(())
    }

    async fn try_begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError> {
        let connection = self.connection.as_mut().ok_or_else(lost)?;
        let clock = &*self.shared.clock;
        sqlx::query(
            "BEGIN IMMEDIATE; INSERT INTO commit_batch (batch_id, outcome, at) VALUES (?1, 'committed', ?2)",
        )
        .bind(batch.get())
        .bind(clock.now().micros())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
        super::read::lock(connection, clock, footprint).await
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn backend(&self) -> Backend {
        Backend::default()
    }

    async fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError> {
        if self.turn.is_some() {
            self.roll_back().await?;
        }
        self.turn = Some(Arc::clone(&self.shared.turn).lock_owned().await);
        match self.try_begin(batch, footprint).await {
            Ok(locked) => Ok(locked),
            Err(error) => Err(self.abandon(error).await),
        }
    }

    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError> {
        let connection = self.connection.as_mut().ok_or_else(lost)?;
        if self.turn.is_none() {
            return Err(none_open());
        }
        match super::write::persist(connection, effects, self.shared.clock.now()).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.abandon(error).await),
        }
    }

    async fn commit(&mut self) -> Result<(), CommitFailure> {
        let connection = self.connection.as_mut().ok_or_else(lost)?;
        if self.turn.is_none() {
            return Err(none_open().into());
        }
        match sqlx::query("COMMIT").execute(connection).await.map_err(commit_failure) {
            Ok(_) => {
                self.turn = None;
                Ok(())
            }
            Err(CommitFailure::Definite(error)) => Err(self.abandon(error).await.into()),
            Err(unknown @ CommitFailure::Unknown(_)) => {
                self.connection = None;
                self.turn = None;
                Err(unknown)
            }
        }
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        match self.turn.is_some() {
            true => self.roll_back().await,
            false => Ok(()),
        }
    }
}

impl Shared {
    /// A transaction of its own: it comes after the lost one, which holds the file's lock until it has ended one
    /// way or the other, and it overwrites whatever a failed COMMIT may have left in the log.
    pub(super) async fn resolve(&self, batch: BatchId) -> Result<Resolution, StoreError> {
        let _turn = self.turn.lock().await;
        let mut connection = self.connect().await?;
        sqlx::query(
            "BEGIN IMMEDIATE; \
             INSERT INTO commit_batch (batch_id, outcome, at) VALUES (?1, 'aborted', ?2) ON CONFLICT DO NOTHING",
        )
        .bind(batch.get())
        .bind(self.clock.now().micros())
        .execute(&mut connection)
        .await
        .map_err(store_error)?;
        let outcome: String = sqlx::query_scalar("SELECT outcome FROM commit_batch WHERE batch_id = ?1")
            .bind(batch.get())
            .fetch_one(&mut connection)
            .await
            .map_err(store_error)?;
        sqlx::query("COMMIT").execute(&mut connection).await.map_err(store_error)?;
        match outcome.as_str() {
            "committed" => Ok(Resolution::Committed),
            _ => Ok(Resolution::Aborted),
        }
    }
}

fn lost() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the connection was given up; open another session")
}

fn none_open() -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, "no transaction is open")
}
