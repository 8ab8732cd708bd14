//! The schema: bringing it up to date, and refusing to work on another one.

use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;

use super::connect;
use super::errors::classify;
use crate::store::{StoreError, StoreErrorKind};

/// Beside the tables it speaks of, so that services can share a database.
const MIGRATIONS_TABLE: &str = "inventory_service_schema._sqlx_migrations";

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../migrations/inventory/postgres");
    // Under the advisory lock that the migrator takes: concurrent starts wait for each other.
    migrator.create_schema("inventory_service_schema");
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    migrator
}

/// Applies what is missing, with the rights of the login in `url`, which becomes the owner.
pub(super) async fn migrate(url: &str) -> Result<(), StoreError> {
    // A pool of one: `run` on a plain connection makes a future that cannot be spawned.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(connect::plain_options(url)?)
        .await
        .map_err(classify)?;
    let outcome = migrator().run(&pool).await;
    // Ends the advisory lock of a failed run, too.
    pool.close().await;
    outcome.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error)
        | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => classify(error),
        error => StoreError {
            kind: StoreErrorKind::Misconfigured,
            message: format!("the schema cannot be brought up to date: {error}"),
            source: Some(Box::new(error)),
        },
    })
}

/// Refuses a schema that is missing, older or newer than this program.
pub(super) async fn check(conn: &mut PgConnection) -> Result<(), StoreError> {
    const APPLIED: &str =
        "SELECT COALESCE(max(version), 0) FROM inventory_service_schema._sqlx_migrations WHERE success";
    let applied = match sqlx::query_scalar::<_, i64>(APPLIED).fetch_one(conn).await {
        Ok(version) => version,
        // Neither the table nor the schema.
        Err(sqlx::Error::Database(answer)) if matches!(answer.code().as_deref(), Some("42P01" | "3F000")) => {
            0
        }
        Err(error) => return Err(classify(error)),
    };
    let expected = migrator().iter().map(|migration| migration.version).max().unwrap_or(0);
    let advice = match applied.cmp(&expected) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Less => "run the migrations first",
        std::cmp::Ordering::Greater => "it was migrated by a newer program: update this one",
    };
    Err(StoreError::new(
        StoreErrorKind::Misconfigured,
        format!(
            "the schema inventory_service_schema is at version {applied}, this program needs {expected}; {advice}"
        ),
    ))
}
