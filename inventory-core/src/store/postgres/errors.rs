//! What a Postgres error means for a batch, by SQLSTATE.

use sqlx::error::BoxDynError;

use crate::store::{StoreError, StoreErrorKind};

/// Says what may be done about `error`. No answer to COMMIT is judged here: see [`commit_is_definite`].
pub(super) fn classify(error: sqlx::Error) -> StoreError {
    let kind = kind_of(&error);
    StoreError { kind, message: error.to_string(), source: Some(Box::new(error)) }
}

/// Arguments that the driver cannot send.
pub(super) fn unsendable(error: BoxDynError) -> StoreError {
    classify(sqlx::Error::Encode(error))
}

fn kind_of(error: &sqlx::Error) -> StoreErrorKind {
    match error {
        sqlx::Error::Database(answer) => {
            answer.code().map_or(StoreErrorKind::Unavailable, |code| kind_of_code(&code))
        }
        sqlx::Error::PoolTimedOut => StoreErrorKind::Full,
        sqlx::Error::Configuration(_) | sqlx::Error::InvalidArgument(_) => StoreErrorKind::Misconfigured,
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::RowNotFound => StoreErrorKind::Corrupt,
        sqlx::Error::Encode(_) => StoreErrorKind::Data,
        // Input/output, TLS, protocol, closed pools, crashed workers: another connection is the remedy for all.
        _ => StoreErrorKind::Unavailable,
    }
}

fn kind_of_code(code: &str) -> StoreErrorKind {
    match code {
        "40001" | "40P01" => StoreErrorKind::Transient,
        "55P03" => StoreErrorKind::LockTimeout,
        // Of the fence too: the batch was given up by a resolver, and must be decided again under a fresh id.
        "23505" => StoreErrorKind::Conflict,
        // Only where a statement says so that a hold is not what was remembered.
        "22012" => StoreErrorKind::Conflict,
        // A role's or a database's limit of connections is no defect of the set-up: it passes.
        "53000" | "53100" | "53200" | "53300" | "53400" => StoreErrorKind::Full,
        // statement_timeout and the two idle timeouts: what was asked for took too long on this server now.
        "57014" | "25P03" | "25P04" => StoreErrorKind::Unavailable,
        _ => match code.get(..2) {
            Some("23" | "22") => StoreErrorKind::Data,
            Some("53") => StoreErrorKind::Full,
            Some("40") => StoreErrorKind::Transient,
            // 25006: a standby after a failover. 25P02: an aborted transaction; the session opens another one.
            Some("08" | "25" | "57" | "58") => StoreErrorKind::Unavailable,
            // Syntax and rights, wrong schema or database, wrong login.
            Some("42" | "3D" | "3F" | "28" | "0A") => StoreErrorKind::Misconfigured,
            // Data and index corruption; internal errors.
            Some("XX") => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Unavailable,
        },
    }
}

/// Whether the connection that brought this error is of no use any more, and another one may do better. A statement that took
/// too long is no such error: it would take as long again.
pub(super) fn connection_is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(answer) => {
            // With 25P03 and 25P04 the server ends whoever idled inside a transaction, or took too long for one.
            let ends =
                |code: &str| ["08", "57P", "25P03", "25P04"].iter().any(|class| code.starts_with(class));
            answer.code().is_some_and(|code| ends(&code))
        }
        _ => false,
    }
}

/// Whether this answer to COMMIT proves that nothing took effect. Anything else leaves the outcome open, a server's
/// cancellation (57014) and shutdown (57P01) included: both may arrive after the commit record was written.
pub(super) fn commit_is_definite(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(answer) = error else { return false };
    let Some(code) = answer.code() else { return false };
    // 25P02 comes from the statement in front of COMMIT, which then is not executed; 55P03, 25006 and class 22 from a batch that is one
    // statement, before it has committed.
    matches!(&*code, "40001" | "40P01" | "25P02" | "55P03" | "25006")
        || matches!(code.get(..2), Some("22" | "23" | "42" | "53"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_sqlstate_has_its_remedy() {
        for (code, kind) in [
            ("40001", StoreErrorKind::Transient),
            ("40P01", StoreErrorKind::Transient),
            ("55P03", StoreErrorKind::LockTimeout),
            ("23505", StoreErrorKind::Conflict),
            ("23514", StoreErrorKind::Data),
            ("22003", StoreErrorKind::Data),
            ("22012", StoreErrorKind::Conflict),
            ("53100", StoreErrorKind::Full),
            ("53300", StoreErrorKind::Full),
            ("57P01", StoreErrorKind::Unavailable),
            ("57P02", StoreErrorKind::Unavailable),
            ("57P03", StoreErrorKind::Unavailable),
            ("57014", StoreErrorKind::Unavailable),
            ("08006", StoreErrorKind::Unavailable),
            ("25006", StoreErrorKind::Unavailable),
            ("25P02", StoreErrorKind::Unavailable),
            ("25P03", StoreErrorKind::Unavailable),
            ("42501", StoreErrorKind::Misconfigured),
            ("42P01", StoreErrorKind::Misconfigured),
            ("3D000", StoreErrorKind::Misconfigured),
            ("28P01", StoreErrorKind::Misconfigured),
            ("XX001", StoreErrorKind::Corrupt),
        ] {
            assert_eq!(kind_of_code(code), kind, "{code}");
        }
    }

    #[test]
    fn a_lost_connection_is_no_definite_answer_to_commit() {
        let lost = sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert!(!commit_is_definite(&lost));
        assert_eq!(classify(lost).kind, StoreErrorKind::Unavailable);
    }
}
