//! What goes wrong with a server, and what it means for whoever opens, reads or writes.

use std::borrow::Cow;

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use sync_engine::ports::StoreError;

use crate::{Holder, OpenError, Place, PostgresUrl};

/// Why the state on a server cannot be used now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    // Its text says all of its cause, which is therefore not told once more.
    #[error("{}", told(.0))]
    Database(sqlx::Error),
    #[error(transparent)]
    Migration(MigrateError),
    #[error("another agent has the state database{0}")]
    InUse(Holder),
    #[error("another agent wrote to the state database in the meantime; it is read anew")]
    Stale,
    #[error(
        "the session does not have the state's lock; another agent took over, or a connection pooler stands between that does not keep sessions"
    )]
    NotOurs,
    #[error("the state database did not answer in time")]
    Slow,
    #[error("other clients' work has kept the state database busy for too long")]
    Busy,
    #[error("the state database was closed")]
    Closed,
    #[error("the database's encoding is {0}, and UTF8 is needed")]
    Encoding(String),
}

/// The server's code for an error. Source: `PostgreSQL` documentation, "`PostgreSQL` Error Codes".
pub(super) fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// What the server said, without what only its developers look for.
fn told(error: &sqlx::Error) -> String {
    match (error.as_database_error(), code(error)) {
        (Some(told), Some(code)) => format!("the server says: {} ({code})", told.message()),
        _ => error.to_string(),
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self::Database(error)
            }
            other => Self::Migration(other),
        }
    }
}

impl Failure {
    fn database(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the session is as good as before: the server refused one statement, no more.
    pub(super) fn leaves_the_session(&self) -> bool {
        let told = self.database().and_then(|error| {
            error
                .as_database_error()?
                .try_downcast_ref::<PgDatabaseError>()
        });
        match self {
            Self::Stale => true,
            _ => told.is_some_and(|told| told.severity() == PgSeverity::Error),
        }
    }

    /// Data or tables are not what they were.
    fn is_damage(&self) -> bool {
        let code = self.database().and_then(code);
        // data_corrupted, index_corrupted, undefined_table, undefined_column
        matches!(code.as_deref(), Some("XX001" | "XX002" | "42P01" | "42703"))
    }

    pub(super) fn not_read(self) -> StoreError {
        StoreError::NotReadable(Box::new(self))
    }

    /// A failed write; what is damaged cannot be read either.
    pub(super) fn not_written(self) -> StoreError {
        if self.is_damage() {
            self.not_read()
        } else {
            StoreError::NotWritable(Box::new(self))
        }
    }

    pub(super) fn not_opened(self, url: &PostgresUrl) -> OpenError {
        let place = Place::Server(url.to_string());
        let told = self.database().and_then(code).map(Cow::into_owned);
        match (self, told.as_deref()) {
            (Self::InUse(holder), _) => OpenError::InUse { place, holder },
            (failure, Some(code)) => by_code(code, failure, url, place),
            (Self::Migration(error), None) => OpenError::from_migration(place, error),
            (Self::Database(error), None) => OpenError::Unreachable {
                place,
                source: Box::new(error),
            },
            (failure @ Self::Slow, None) => OpenError::Unreachable {
                place,
                source: Box::new(failure),
            },
            (failure, None) => OpenError::NotOpened {
                place,
                source: Box::new(failure),
            },
        }
    }
}

fn by_code(code: &str, failure: Failure, url: &PostgresUrl, place: Place) -> OpenError {
    let is_damage = failure.is_damage();
    let source = Box::new(failure);
    match code {
        // invalid_authorization_specification, invalid_password
        "28000" | "28P01" => OpenError::Refused {
            place,
            user: url.user.clone(),
            source,
        },
        // invalid_catalog_name
        "3D000" => OpenError::NoDatabase { place, source },
        // insufficient_privilege, read_only_sql_transaction, disk_full, out_of_memory, io_error
        "42501" | "25006" | "53100" | "53200" | "58030" => OpenError::NotWritable { place, source },
        // too_many_connections, and the server is starting or stopping
        "53300" | "57P01" | "57P02" | "57P03" => OpenError::Unreachable { place, source },
        _ if is_damage => OpenError::Corrupt { place, source },
        _ => OpenError::NotOpened { place, source },
    }
}
