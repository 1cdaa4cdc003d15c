//! What `SQLite`'s own codes mean for whoever opens, reads or writes.

use sqlx::migrate::MigrateError;
use sync_engine::ports::StoreError;

use crate::error::{OpenError, Place};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NotWritable,
    Damaged,
    Other,
}

impl Fault {
    /// Source: `SQLite` result codes (<https://www.sqlite.org/rescode.html>); the lowest byte of an
    /// extended code is the primary one.
    fn of(error: &sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|error| error.code()?.parse::<u32>().ok())
            .map(|extended| extended & 0xff);
        match code {
            // PERM, BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN
            Some(3 | 5 | 6 | 8 | 10 | 13 | 14) => Self::NotWritable,
            // CORRUPT, NOTADB
            Some(11 | 26) => Self::Damaged,
            _ => Self::Other,
        }
    }
}

pub(super) fn not_opened(place: Place, error: sqlx::Error) -> OpenError {
    let fault = Fault::of(&error);
    let source = Box::new(error);
    match fault {
        Fault::NotWritable => OpenError::NotWritable { place, source },
        Fault::Damaged => OpenError::Corrupt { place, source },
        Fault::Other => OpenError::NotOpened { place, source },
    }
}

pub(super) fn not_migrated(place: Place, error: MigrateError) -> OpenError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            not_opened(place, error)
        }
        other => OpenError::from_migration(place, other),
    }
}

/// A failed read.
pub(super) fn not_read(error: sqlx::Error) -> StoreError {
    StoreError::NotReadable(Box::new(error))
}

/// A failed write; a damaged file is one that cannot be read either.
pub(super) fn not_written(error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Damaged => StoreError::NotReadable(Box::new(error)),
        Fault::NotWritable | Fault::Other => StoreError::NotWritable(Box::new(error)),
    }
}
