//! The SQLite database: opening, migrating, transactions.

use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, SqlSafeStr, Sqlite, SqlitePool, Transaction};

/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(10);

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The file or its directory is read-only, or the disk is full.
    #[error("it cannot be written")]
    NotWritable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A later version of this program wrote it.
    #[error("a newer version of the server wrote it")]
    Newer,
    /// Damaged, or locked.
    #[error(transparent)]
    Unusable(MigrateError),
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => Self::Newer,
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Unusable(other),
        }
    }
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        if is_not_writable(&error) {
            return Self::NotWritable(Box::new(error));
        }
        Self::Unusable(error.into())
    }
}

/// Source: `SQLite` result codes (<https://www.sqlite.org/rescode.html>); the lowest byte of an
/// extended code is the primary one.
fn is_not_writable(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<u32>().ok());
    // PERM, READONLY, IOERR, FULL, CANTOPEN
    matches!(
        code.map(|extended| extended & 0xff),
        Some(3 | 8 | 10 | 13 | 14)
    )
}

/// A pool of connections to one vault's database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pool: SqlitePool,
}

impl Database {
    /// Opens an existing database and brings it to this program's schema.
    pub(crate) async fn open(file: &Path) -> Result<Self, OpenError> {
        refuse_read_only(file)?;
        Self::connect_to_write(options(file)).await
    }

    /// Opens an existing database as it is, whatever version wrote it, and changes nothing of it.
    pub(crate) async fn open_to_read(file: &Path) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new().filename(file);
        let options = options.read_only(true).busy_timeout(BUSY);
        let pool = one_connection().connect_with(options).await?;
        Ok(Self { pool })
    }

    /// Whether it has this table.
    pub(crate) async fn has_table(&self, name: &str) -> Result<bool, sqlx::Error> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = ?")
                .bind(name)
                .fetch_one(&self.pool)
                .await?;
        Ok(count > 0)
    }

    async fn connect_to_write(options: SqliteConnectOptions) -> Result<Self, OpenError> {
        let database = Self::connect(options).await?;
        database.prove_writable().await?;
        Ok(database)
    }

    /// SQLite opens a file that it may only read without a word, and begins transactions on it.
    async fn prove_writable(&self) -> Result<(), sqlx::Error> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE organization SET seq = seq")
            .execute(&mut *transaction)
            .await?;
        transaction.rollback().await
    }

    /// Makes a new database with this program's schema.
    ///
    /// It has no write-ahead log, so that the file is whole once it is closed and can be renamed.
    pub(crate) async fn create(file: &Path) -> Result<Self, OpenError> {
        Self::connect(without_log(file).create_if_missing(true)).await
    }

    /// Opens a database that is not in use yet and brings it to this program's schema, as [`create`](Self::create) does.
    pub(crate) async fn open_without_log(file: &Path) -> Result<Self, OpenError> {
        Self::connect(without_log(file)).await
    }

    /// Opens an existing database to write, and leaves its schema alone.
    pub(crate) async fn open_as_it_is(file: &Path) -> Result<Self, OpenError> {
        refuse_read_only(file)?;
        let pool = one_connection().connect_with(options(file)).await?;
        Ok(Self { pool })
    }

    /// Opens a file that nobody writes, and leaves no trace beside it.
    pub(crate) async fn open_copy(file: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(file);
        let options = options.read_only(true).immutable(true);
        let pool = one_connection().connect_with(options).await?;
        Ok(Self { pool })
    }

    /// Writes everything, as it is at one moment, into an empty file.
    pub(crate) async fn copy_into(&self, file: &Path) -> Result<(), sqlx::Error> {
        let file = file.to_str().ok_or(sqlx::Error::Configuration(
            "the file's name is not valid Unicode".into(),
        ))?;
        sqlx::query("VACUUM INTO ?")
            .bind(file)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What SQLite finds damaged; `None` where everything is whole.
    pub(crate) async fn damage(&self) -> Result<Option<String>, sqlx::Error> {
        let (found,): (String,) = sqlx::query_as("PRAGMA integrity_check(1)")
            .fetch_one(&self.pool)
            .await?;
        Ok((found != "ok").then_some(found))
    }

    /// Whether its schema is exactly this program's.
    pub(crate) async fn is_current(&self) -> Result<bool, sqlx::Error> {
        let known: Vec<i64> = migrations().iter().map(|it| it.version).collect();
        Ok(self.applied().await? == known)
    }

    /// Whether a later version of this program wrote it.
    pub(crate) async fn is_newer(&self) -> Result<bool, sqlx::Error> {
        let known = migrations();
        let applied = self.applied().await?;
        Ok(!applied.iter().all(|it| known.version_exists(*it)))
    }

    async fn applied(&self) -> Result<Vec<i64>, sqlx::Error> {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&self.pool)
            .await
    }

    async fn connect(options: SqliteConnectOptions) -> Result<Self, OpenError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(8)
            .before_acquire(|connection, _| {
                // A commit that failed, because the disk is full for instance, leaves a connection that counts one
                // transaction too many, and can begin none. It is closed instead of used.
                let is_clean = !connection.is_in_transaction();
                Box::pin(async move { Ok(is_clean) })
            })
            .connect_with(options)
            .await?;
        migrations().run(&pool).await?;
        Ok(Self { pool })
    }

    /// A consistent view of the whole database.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool.begin().await
    }

    /// A transaction that writes. It takes the write lock at once, so that it cannot fail half-way
    /// because another one wrote first.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }

    /// Wipes what was overwritten out of the write-ahead log as well, as far as nobody is still reading it.
    pub(crate) async fn forget_overwritten(&self) -> Result<(), sqlx::Error> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Closes every connection and folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// SQLite would leave a log beside such a file that can only be read as well, and is in the way
/// once the file is put right. Only looked at, never opened: closing it would end SQLite's locks.
fn refuse_read_only(file: &Path) -> Result<(), OpenError> {
    let refused = |error: io::Error| OpenError::NotWritable(Box::new(error));
    if std::fs::metadata(file)
        .map_err(refused)?
        .permissions()
        .readonly()
    {
        return Err(refused(io::ErrorKind::PermissionDenied.into()));
    }
    Ok(())
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // What is overwritten or deleted is wiped: an old key, or what it sealed.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY)
}

fn without_log(file: &Path) -> SqliteConnectOptions {
    options(file).journal_mode(SqliteJournalMode::Delete)
}

/// One that fails is not tried again: the file is what it is.
fn one_connection() -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(1)
}

fn migrations() -> Migrator {
    Migrator::with_migrations(vec![
        migration(1, "initial", include_str!("../migrations/0001_initial.sql")),
        migration(
            2,
            "plans and people",
            include_str!("../migrations/0002_plans_and_people.sql"),
        ),
        migration(
            3,
            "lease instance",
            include_str!("../migrations/0003_lease_instance.sql"),
        ),
        migration(
            4,
            "interval",
            include_str!("../migrations/0004_interval.sql"),
        ),
        migration(
            6,
            "credential details",
            include_str!("../migrations/0006_credential_details.sql"),
        ),
        migration(
            7,
            "audit chain",
            include_str!("../migrations/0007_audit_chain.sql"),
        ),
        migration(8, "people", include_str!("../migrations/0008_people.sql")),
        migration(9, "account", include_str!("../migrations/0009_account.sql")),
        migration(
            10,
            "notices",
            include_str!("../migrations/0010_notices.sql"),
        ),
        migration(11, "trends", include_str!("../migrations/0011_trends.sql")),
        migration(12, "expiry", include_str!("../migrations/0012_expiry.sql")),
    ])
}

fn migration(version: i64, name: &'static str, sql: &'static str) -> Migration {
    let sql = sql.into_sql_str();
    Migration::new(version, name.into(), MigrationType::Simple, sql, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_can_only_be_read_is_told_apart_from_a_broken_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("vault.db");
        Database::create(&file).await.unwrap().close().await;
        // Before and after the first server gave it its write-ahead log.
        for _ in 0..2 {
            // What SQLite falls back to by itself for a user who may only read the file.
            let only_read = Database::connect_to_write(options(&file).read_only(true)).await;
            assert!(
                matches!(only_read, Err(OpenError::NotWritable(_))),
                "{only_read:?}"
            );
            Database::open(&file).await.unwrap().close().await;
        }

        std::fs::write(&file, "not a database".repeat(100)).unwrap();
        let broken = Database::open(&file).await;
        assert!(matches!(broken, Err(OpenError::Unusable(_))), "{broken:?}");
    }
}
