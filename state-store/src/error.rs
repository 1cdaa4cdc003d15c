//! Why a state file could not be opened, and how `SQLite`'s own codes map to what a caller can do.

use std::fmt;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;
use sync_engine::ports::{Cause, StoreError};

/// Why a state file could not be opened. [`hint`](Self::hint) says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL does not name a state file.
    #[error("the state url is not usable: {why}")]
    BadUrl {
        /// What is wrong with it.
        why: &'static str,
    },
    /// `PostgreSQL`.
    #[error("PostgreSQL is not supported as the agent's state in this version")]
    PostgresNotSupported,
    /// Another process has it.
    #[error("the state file {} is in use by another process{holder}", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// Which process.
        holder: Holder,
    },
    /// The file or its folder cannot be written.
    #[error("the state file {} cannot be written", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// It is damaged, or no state file.
    #[error("the state file {} is damaged or not a state file", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A newer version of the agent wrote it.
    #[error("the state file {} was written by a newer version of the agent", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("the state file {} could not be opened", path.display())]
    NotOpened {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
}

/// The process that has a state file, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, " (pid {pid})"),
            None => Ok(()),
        }
    }
}

impl OpenError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BadUrl { .. } => {
                "write sqlite:/// and an absolute path, as in sqlite:///var/lib/passportal-agent/state.db"
            }
            Self::PostgresNotSupported => {
                "use a file, as in sqlite:///var/lib/passportal-agent/state.db"
            }
            Self::InUse { .. } => {
                "stop the running agent first, or give this one another state url"
            }
            Self::NotWritable { .. } => {
                "let the service's user write the file and its folder, and see that the disk is not full"
            }
            Self::Corrupt { .. } => {
                "move the file away: the agent begins anew and writes no password before it has checked it"
            }
            Self::NewerSchema { .. } => {
                "run the newer version, or move the file away to begin anew"
            }
            Self::NotOpened { .. } => "see the cause above; moving the file away begins anew",
        }
    }

    pub(crate) fn not_writable(path: PathBuf, source: impl Into<Cause>) -> Self {
        Self::NotWritable {
            path,
            source: source.into(),
        }
    }

    pub(crate) fn from_sqlx(path: PathBuf, error: sqlx::Error) -> Self {
        let source = Box::new(error);
        match Fault::of(&source) {
            Fault::NotWritable => Self::NotWritable { path, source },
            Fault::Damaged => Self::Corrupt { path, source },
            Fault::Other => Self::NotOpened { path, source },
        }
    }

    pub(crate) fn from_migration(path: PathBuf, error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self::from_sqlx(path, error)
            }
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
                Self::NewerSchema { path }
            }
            other => Self::NotOpened {
                path,
                source: Box::new(other),
            },
        }
    }
}

/// What an `SQLite` error means for the caller.
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

/// A failed read.
pub(crate) fn not_readable(error: impl Into<Cause>) -> StoreError {
    StoreError::NotReadable(error.into())
}

/// A failed write; a damaged file is one that cannot be read either.
pub(crate) fn not_written(error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Damaged => StoreError::NotReadable(Box::new(error)),
        Fault::NotWritable | Fault::Other => StoreError::NotWritable(Box::new(error)),
    }
}
