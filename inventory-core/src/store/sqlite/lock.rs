//! One process, one store per file: an advisory lock on a file beside the database.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::store::{StoreError, StoreErrorKind};

/// Held until dropped; a process that dies gives it back. The file itself stays.
#[derive(Debug)]
pub(super) struct LockFile {
    _file: File,
}

impl LockFile {
    /// Locks `<database>.lock`, or says who has to stop first.
    pub(super) fn acquire(database: &Path) -> Result<Self, StoreError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let path = Path::new(&path);
        let failed = |kind, what: &str, source| StoreError {
            kind,
            message: format!("{what} {}", path.display()),
            source: Some(Box::new(source)),
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|e| failed(StoreErrorKind::Misconfigured, "cannot create the lock file", e))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!(
                    "the database {} is in use: another process (or another store of this one) has it open",
                    database.display()
                ),
            )),
            Err(TryLockError::Error(e)) => {
                Err(failed(StoreErrorKind::Misconfigured, "cannot lock the file", e))
            }
        }
    }
}
