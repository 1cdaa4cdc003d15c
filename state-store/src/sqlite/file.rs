//! An opened state file: how `SQLite` is set up, and that one process has it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::fault::{not_migrated, not_opened};
use super::lock::Lock;
use super::path::{Identity, prepare};
use crate::schema::{self, Step};
use crate::{OpenError, Place};

/// How long a writer waits for a foreign program (a backup, a look with `sqlite3`).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// KiB of pages, by SQLite's minus sign. The memory is read once, so whatever more is kept of it waits in vain.
const CACHE: &str = "-256";

const STEPS: [Step; 2] = [
    (
        1,
        "initial",
        include_str!("../../migrations/sqlite/0001_initial.sql"),
    ),
    (
        2,
        "held plans",
        include_str!("../../migrations/sqlite/0002_held_plans.sql"),
    ),
];

/// An opened state file. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct StateFile {
    pub(super) pool: SqlitePool,
    seat: Option<Arc<Seat>>,
}

/// The place of a state file, locked as long as anything can write it.
#[derive(Debug)]
struct Seat {
    path: PathBuf,
    identity: Identity,
    lock: Lock,
}

impl Seat {
    fn take(path: &Path) -> Result<Self, OpenError> {
        let lock = Lock::take(path)?;
        let not_writable = |error| OpenError::not_writable(Place::File(path.to_owned()), error);
        Ok(Self {
            path: path.to_owned(),
            identity: Identity::of(path).map_err(not_writable)?,
            lock,
        })
    }
}

impl StateFile {
    /// Opens a file, which is made where it does not exist, readable by its owner only.
    pub(crate) async fn open(path: &Path) -> Result<Self, OpenError> {
        let not_writable = |error| OpenError::not_writable(Place::File(path.to_owned()), error);
        let path = prepare(path).map_err(not_writable)?;
        let seat = Seat::take(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal);
        Ok(Self {
            pool: connect(options, Place::File(path)).await?,
            seat: Some(Arc::new(seat)),
        })
    }

    /// A state that ends with this process.
    pub(crate) async fn in_memory() -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new().in_memory(true);
        let nowhere = Place::File(PathBuf::from(":memory:"));
        Ok(Self {
            pool: connect(options, nowhere).await?,
            seat: None,
        })
    }

    /// Insists that the file still stands where it was opened. A file that was removed takes what is
    /// written into it along, and another agent may already have the one that stands there now.
    pub(super) fn insist(&self) -> io::Result<()> {
        let Some(seat) = &self.seat else {
            return Ok(());
        };
        let is_there = Identity::of(&seat.path).is_ok_and(|now| now == seat.identity);
        if is_there && seat.lock.is_there() {
            return Ok(());
        }
        Err(io::Error::other(
            "the state file or its lock was removed or replaced while the agent ran; start the agent again",
        ))
    }

    /// Finishes what is under way, folds the write-ahead log into the file, and lets another
    /// process open it.
    pub(crate) async fn close(self) {
        self.pool.close().await;
        if let Some(seat) = &self.seat {
            seat.lock.release();
        }
    }
}

async fn connect(options: SqliteConnectOptions, place: Place) -> Result<SqlitePool, OpenError> {
    let options = options
        .foreign_keys(true)
        // FULL, so that an intent that was written down is still there after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", CACHE)
        .disable_statement_logging();
    // One connection: SQLite has one writer anyway, and so clients wait in line instead of
    // polling for its lock. It is never replaced, because an in-memory database lives in it.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(|error| not_opened(place.clone(), error))?;
    let ready = make_ready(&pool, place).await;
    if ready.is_err() {
        pool.close().await;
    }
    ready.map(|()| pool)
}

async fn make_ready(pool: &SqlitePool, place: Place) -> Result<(), OpenError> {
    let migrated = schema::migrator(&STEPS).run(pool).await;
    migrated.map_err(|error| not_migrated(place.clone(), error))?;
    // SQLite opens what it cannot write as read-only and says so at the first write only.
    let proof = pool.begin_with("BEGIN IMMEDIATE").await;
    match proof {
        Ok(transaction) => transaction.rollback().await,
        Err(error) => Err(error),
    }
    .map_err(|error| not_opened(place, error))
}
