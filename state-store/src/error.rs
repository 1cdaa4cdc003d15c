//! Why a state could not be opened, and what to do about it.

use std::fmt;
use std::path::PathBuf;

use sqlx::migrate::MigrateError;
use sync_engine::ports::Cause;

/// Why a state could not be opened. [`hint`](Self::hint) says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The url names no state.
    #[error("the state url is not usable: {why}")]
    BadUrl {
        /// What is wrong with it.
        why: &'static str,
        /// How to write it.
        hint: &'static str,
    },
    /// Another process has it.
    #[error("{place} is in use by another process{holder}")]
    InUse {
        /// The state.
        place: Place,
        /// Which process.
        holder: Holder,
    },
    /// It cannot be written.
    #[error("{place} cannot be written")]
    NotWritable {
        /// The state.
        place: Place,
        /// Why.
        #[source]
        source: Cause,
    },
    /// It is damaged, or no state.
    #[error("{place} is damaged or not a state {}", place.kind())]
    Corrupt {
        /// The state.
        place: Place,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A newer version of the agent wrote it.
    #[error("{place} was written by a newer version of the agent")]
    NewerSchema {
        /// The state.
        place: Place,
    },
    /// Its server does not answer, or is not the one that it should be.
    #[error("{place} cannot be reached")]
    Unreachable {
        /// The state.
        place: Place,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Its server does not let the user in.
    #[error("{place} refuses the user `{user}` or its password")]
    Refused {
        /// The state.
        place: Place,
        /// The user.
        user: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Its server has no such database.
    #[error("{place} does not exist")]
    NoDatabase {
        /// The state.
        place: Place,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Anything else.
    #[error("{place} could not be opened")]
    NotOpened {
        /// The state.
        place: Place,
        /// Why.
        #[source]
        source: Cause,
    },
}

/// Where a state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In a database on a server: its name, and where the server is.
    Server(String),
}

impl Place {
    fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Server(_) => "database",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the state file {}", path.display()),
            Self::Server(database) => write!(f, "the state database {database}"),
        }
    }
}

/// The process that has a state, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nothing is known of it.
    Unknown,
    /// A process of this machine.
    Process(u32),
    /// A session at the server, as the server tells.
    Session(String),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => Ok(()),
            Self::Process(pid) => write!(f, " (pid {pid})"),
            Self::Session(told) => write!(f, " ({told})"),
        }
    }
}

impl OpenError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BadUrl { hint, .. } => hint,
            Self::InUse { .. } => {
                "stop the running agent first, or give this one another state url"
            }
            Self::NotWritable { place, .. } => place.not_writable_hint(),
            Self::Corrupt { place, .. } => place.corrupt_hint(),
            Self::NewerSchema { place } => place.newer_hint(),
            Self::Unreachable { .. } => {
                "see that the server runs and can be reached from here; its certificate must come from a known authority or tls.extra_ca"
            }
            Self::Refused { .. } => {
                "check the user in state.url, the content of state.password_file, and the server's pg_hba.conf"
            }
            Self::NoDatabase { .. } => {
                "make an empty database that the user owns: CREATE DATABASE … OWNER …"
            }
            Self::NotOpened { place, .. } => place.not_opened_hint(),
        }
    }

    pub(crate) fn not_writable(place: Place, source: impl Into<Cause>) -> Self {
        Self::NotWritable {
            place,
            source: source.into(),
        }
    }

    /// Of a migration, what is not the database's own error.
    pub(crate) fn from_migration(place: Place, error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
                Self::NewerSchema { place }
            }
            other => Self::NotOpened {
                place,
                source: Box::new(other),
            },
        }
    }
}

impl Place {
    fn not_writable_hint(&self) -> &'static str {
        match self {
            Self::File(_) => {
                "let the service's user write the file and its folder, and see that the disk is not full"
            }
            Self::Server(_) => {
                "see that the server is the primary, that its disk is not full, and that the user owns the database"
            }
        }
    }

    fn corrupt_hint(&self) -> &'static str {
        match self {
            Self::File(_) => {
                "move the file away: the agent begins anew and writes no password before it has checked it"
            }
            Self::Server(_) => {
                "name an empty database: the agent begins anew and writes no password before it has checked it"
            }
        }
    }

    fn newer_hint(&self) -> &'static str {
        match self {
            Self::File(_) => "run the newer version, or move the file away to begin anew",
            Self::Server(_) => "run the newer version, or name an empty database to begin anew",
        }
    }

    fn not_opened_hint(&self) -> &'static str {
        match self {
            Self::File(_) => "see the cause above; moving the file away begins anew",
            Self::Server(_) => "see the cause above; an empty database begins anew",
        }
    }
}
