//! What SQLite's errors mean to the engine.

use crate::store::{CommitFailure, StoreError, StoreErrorKind};

// Primary result codes: https://www.sqlite.org/rescode.html
const PERM: i32 = 3;
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const NOMEM: i32 = 7;
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const TOOBIG: i32 = 18;
const CONSTRAINT: i32 = 19;
const MISMATCH: i32 = 20;
const AUTH: i32 = 23;
const RANGE: i32 = 25;
const NOTADB: i32 = 26;
const ERROR: i32 = 1;
// Extended ones.
const CONSTRAINT_PRIMARYKEY: i32 = 1_555;
const CONSTRAINT_UNIQUE: i32 = 2_067;

/// Any error but that of a COMMIT.
pub(super) fn store_error(error: sqlx::Error) -> StoreError {
    StoreError { kind: kind(&error), message: error.to_string(), source: Some(Box::new(error)) }
}

/// The schema could not be brought up to date.
pub(super) fn migrate_error(error: sqlx::migrate::MigrateError) -> StoreError {
    match error {
        sqlx::migrate::MigrateError::Execute(error) => store_error(error),
        error => StoreError {
            kind: StoreErrorKind::Misconfigured,
            message: format!("the schema is not what this version expects: {error}"),
            source: Some(Box::new(error)),
        },
    }
}

/// A row that cannot be understood.
pub(super) fn corrupt(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, message)
}

/// The error of a COMMIT. A lock or a full disk stops SQLite before the commit's last frame is written, and the
/// transaction is rolled back. After anything else, a failed fsync say, the frames may be in the log, and a crash
/// could bring them to life: only the next transaction, which overwrites them, settles it.
pub(super) fn commit_failure(error: sqlx::Error) -> CommitFailure {
    match kind(&error) {
        StoreErrorKind::Transient
        | StoreErrorKind::Full
        | StoreErrorKind::Conflict
        | StoreErrorKind::Data => CommitFailure::Definite(store_error(error)),
        StoreErrorKind::LockTimeout
        | StoreErrorKind::Unavailable
        | StoreErrorKind::Misconfigured
        | StoreErrorKind::Corrupt => CommitFailure::Unknown(error.to_string()),
    }
}

fn kind(error: &sqlx::Error) -> StoreErrorKind {
    match error {
        sqlx::Error::Database(error) => {
            kind_of_code(error.code().and_then(|code| code.parse().ok()).unwrap_or(ERROR))
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::RowNotFound
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_) => StoreErrorKind::Corrupt,
        sqlx::Error::Encode(_) => StoreErrorKind::Data,
        sqlx::Error::Configuration(_) => StoreErrorKind::Misconfigured,
        sqlx::Error::PoolTimedOut => StoreErrorKind::Full,
        _ => StoreErrorKind::Unavailable,
    }
}

/// By SQLite's extended result code.
fn kind_of_code(code: i32) -> StoreErrorKind {
    match code & 0xff {
        _ if code == CONSTRAINT_PRIMARYKEY || code == CONSTRAINT_UNIQUE => StoreErrorKind::Conflict,
        CONSTRAINT | TOOBIG | MISMATCH | RANGE => StoreErrorKind::Data,
        BUSY | LOCKED => StoreErrorKind::Transient,
        FULL | NOMEM => StoreErrorKind::Full,
        CORRUPT | NOTADB => StoreErrorKind::Corrupt,
        ERROR | PERM | READONLY | CANTOPEN | AUTH => StoreErrorKind::Misconfigured,
        // I/O errors, and whatever SQLite adds.
        _ => StoreErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_what_may_be_done() {
        let table = [
            (1_555, StoreErrorKind::Conflict),
            (2_067, StoreErrorKind::Conflict),
            (275, StoreErrorKind::Data),          // CONSTRAINT_CHECK
            (1_299, StoreErrorKind::Data),        // CONSTRAINT_NOTNULL
            (3_091, StoreErrorKind::Data),        // CONSTRAINT_DATATYPE
            (5, StoreErrorKind::Transient),       // BUSY
            (261, StoreErrorKind::Transient),     // BUSY_RECOVERY
            (517, StoreErrorKind::Transient),     // BUSY_SNAPSHOT
            (13, StoreErrorKind::Full),           // FULL
            (10, StoreErrorKind::Unavailable),    // IOERR
            (1_034, StoreErrorKind::Unavailable), // IOERR_FSYNC
            (11, StoreErrorKind::Corrupt),        // CORRUPT
            (26, StoreErrorKind::Corrupt),        // NOTADB
            (8, StoreErrorKind::Misconfigured),   // READONLY
            (14, StoreErrorKind::Misconfigured),  // CANTOPEN
            (1, StoreErrorKind::Misconfigured),   // ERROR: no such table
        ];
        for (code, kind) in table {
            assert_eq!(kind_of_code(code), kind, "{code}");
        }
    }
}
