//! Why an operation did not happen.

use crate::database::OpenError;

/// An operation's failure, with a variant per thing that the caller answers differently.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// Nothing has this id.
    #[error("there is no such {what}")]
    NotFound {
        /// The kind of thing, for a person.
        what: &'static str,
    },
    /// Somebody else was first.
    #[error("{0}")]
    Conflict(String),
    /// Understood and refused, in words for a person.
    #[error("{0}")]
    Refused(String),
    /// The caller's role does not allow it, in words for a person.
    #[error("{0}")]
    Forbidden(String),
    /// The caller's token ended while it waited.
    #[error("the access token was revoked")]
    Revoked,
    /// There is no room for a change.
    #[error("the vault's disk is full, nothing was changed; make room on it and try again")]
    DiskFull,
    /// The database failed.
    #[error("the vault's database failed")]
    Database(#[source] sqlx::Error),
    /// The database cannot be opened.
    #[error("the vault's database could not be opened")]
    Open(#[from] OpenError),
    /// A column holds what this program never writes.
    #[error("the vault's database holds something unreadable: {what}")]
    Unreadable {
        /// What was expected.
        what: &'static str,
    },
    /// The password hash could not be computed.
    #[error("the password could not be hashed")]
    Hashing,
    /// A secret could not be sealed or opened with the server's key.
    #[error("the server's key does not fit what it sealed")]
    ServerKey,
}

/// No room in the database, or for the memory that its connections share. Source: `SQLite` result codes, `SQLITE_FULL` and
/// `SQLITE_IOERR_SHMSIZE`.
const FULL: [&str; 2] = ["13", "4874"];

impl From<sqlx::Error> for VaultError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause)
                if cause
                    .code()
                    .is_some_and(|code| FULL.contains(&code.as_ref())) =>
            {
                Self::DiskFull
            }
            _ => Self::Database(error),
        }
    }
}

impl VaultError {
    pub(crate) fn refused(words: impl Into<String>) -> Self {
        Self::Refused(words.into())
    }

    /// A name that has to be unique and is not becomes words; other failures stay what they are.
    pub(super) fn unless_unique(error: sqlx::Error, words: &str) -> Self {
        match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::refused(words),
            _ => error.into(),
        }
    }
}
