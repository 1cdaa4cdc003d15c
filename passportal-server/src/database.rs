//! The SQLite database: opening, migrating, transactions.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, Sqlite, SqlitePool, Transaction};

/// A pool of connections to one vault's database.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    pool: SqlitePool,
}

impl Database {
    /// Opens an existing database and brings it to this program's schema.
    pub(crate) async fn open(file: &Path) -> Result<Self, MigrateError> {
        Self::connect(options(file)).await
    }

    /// Makes a new database with this program's schema.
    ///
    /// It has no write-ahead log, so that the file is whole once it is closed and can be renamed.
    pub(crate) async fn create(file: &Path) -> Result<Self, MigrateError> {
        let options = options(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Delete);
        Self::connect(options).await
    }

    async fn connect(options: SqliteConnectOptions) -> Result<Self, MigrateError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(8)
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

    /// Closes every connection and folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
}

fn migrations() -> Migrator {
    Migrator::with_migrations(vec![Migration::new(
        1,
        "initial".into(),
        MigrationType::Simple,
        include_str!("../migrations/0001_initial.sql").into_sql_str(),
        false,
    )])
}
