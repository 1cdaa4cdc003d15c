//! An opened state file: where it is, who may open it, and how `SQLite` is set up.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sync_engine::model::ClientId;

use crate::lock::Lock;
use crate::{OpenError, SqliteStore, database_path, schema};

/// How long a writer waits for a foreign program (a backup, a look with `sqlite3`).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// An opened state file, which no other process can open as long as this or a store of it lives.
/// Clones share it.
#[derive(Clone, Debug)]
pub struct StateDatabase {
    pool: SqlitePool,
    lock: Option<Arc<Lock>>,
}

impl StateDatabase {
    /// Opens the state file that `url` names (see [`database_path`]). The file is made where it
    /// does not exist, readable by its owner only, with its folder.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let path = database_path(url)?;
        let not_writable = |error| OpenError::not_writable(path.clone(), error);
        let path = prepare(&path).map_err(not_writable)?;
        let lock = Lock::take(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal);
        let pool = connect(options, &path).await?;
        Ok(Self {
            pool,
            lock: Some(Arc::new(lock)),
        })
    }

    /// A state that ends with this process, for dry runs and tests.
    pub async fn in_memory() -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new().in_memory(true);
        let pool = connect(options, Path::new(":memory:")).await?;
        Ok(Self { pool, lock: None })
    }

    /// The memory of one client.
    pub fn client(&self, client: ClientId) -> SqliteStore {
        SqliteStore::new(self.pool.clone(), self.lock.clone(), client)
    }

    /// Finishes what is under way, folds the write-ahead log into the file, and lets another
    /// process open it. Stores of this database fail from then on.
    pub async fn close(self) {
        self.pool.close().await;
        if let Some(lock) = &self.lock {
            lock.release();
        }
    }

    #[cfg(test)]
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}

/// Makes sure of a folder and a file that can be written; returns the one name that every process
/// locks, however it was spelt.
fn prepare(path: &Path) -> io::Result<PathBuf> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        create_folder(folder)?;
    }
    match create_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    let path = path.canonicalize()?;
    refuse_read_only(&path)?;
    Ok(path)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// `SQLite` gives its log and its index the mode of the file that they belong to.
fn create_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A person who takes the write permission away means it, also where the agent runs as root, which
/// the operating system would let write.
fn refuse_read_only(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.permissions().readonly() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is marked read-only",
        ));
    }
    Ok(())
}

async fn connect(options: SqliteConnectOptions, path: &Path) -> Result<SqlitePool, OpenError> {
    let options = options
        .foreign_keys(true)
        // FULL, so that an intent that was written down is still there after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    // One connection: SQLite has one writer anyway, and so clients wait in line instead of
    // polling for its lock. It is never replaced, because an in-memory database lives in it.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(|error| OpenError::from_sqlx(path.to_owned(), error))?;
    let ready = make_ready(&pool, path).await;
    if ready.is_err() {
        pool.close().await;
    }
    ready.map(|()| pool)
}

async fn make_ready(pool: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    schema::migrator()
        .run(pool)
        .await
        .map_err(|error| OpenError::from_migration(path.to_owned(), error))?;
    // SQLite opens what it cannot write as read-only and says so at the first write only.
    let proof = pool.begin_with("BEGIN IMMEDIATE").await;
    match proof {
        Ok(transaction) => transaction.rollback().await,
        Err(error) => Err(error),
    }
    .map_err(|error| OpenError::from_sqlx(path.to_owned(), error))
}
