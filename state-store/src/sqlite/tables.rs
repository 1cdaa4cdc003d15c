//! One client's rows in a state file.

use std::io;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use sqlx::sqlite::{SqliteArguments, SqlitePool};
use sqlx::{Sqlite, SqliteConnection, query::Query};
use sync_engine::model::ClientId;
use sync_engine::ports::StoreError;

use super::StateFile;
use super::fault::{not_read, not_written};
use crate::tables::{Change, List, MemoryRows, Tables, What, credentials, select};

/// One client's rows in a state file.
#[derive(Debug)]
pub(crate) struct StateFileTables {
    file: StateFile,
    client: String,
}

impl StateFileTables {
    pub(crate) fn new(file: &StateFile, client: ClientId) -> Self {
        Self {
            file: file.clone(),
            client: client.to_string(),
        }
    }
}

/// Runs to its end also when nobody waits for it any more, so that no transaction is left open.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = sqlx::Result<T>> + Send + 'static,
) -> sqlx::Result<T> {
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|error| Err(sqlx::Error::Io(io::Error::other(error))))
}

// Not with sqlx's transactions: where SQLite itself rolls back, as it does on a full disk, they
// take the connection for one within a transaction from then on, and nothing could be written
// any more once there is room again.
async fn begin(connection: &mut SqliteConnection, how: &'static str) -> sqlx::Result<()> {
    sqlx::query(how).execute(connection).await.map(drop)
}

async fn end<T>(connection: &mut SqliteConnection, result: sqlx::Result<T>) -> sqlx::Result<T> {
    let committed = match result {
        Ok(answer) => sqlx::query("COMMIT")
            .execute(&mut *connection)
            .await
            .map(|_| answer),
        Err(error) => Err(error),
    };
    if committed.is_err() {
        // It fails where SQLite has rolled back already.
        let _ = sqlx::query("ROLLBACK").execute(connection).await;
    }
    committed
}

async fn load(pool: SqlitePool, client: String) -> sqlx::Result<MemoryRows> {
    let mut connection = pool.acquire().await?;
    // One transaction, so that all of it is of the same moment.
    begin(&mut connection, "BEGIN").await?;
    let read = memory(&mut connection, &client).await;
    end(&mut connection, read).await
}

async fn memory(connection: &mut SqliteConnection, client: &str) -> sqlx::Result<MemoryRows> {
    let of_client = rows(connection, select::CLIENT, client).await?;
    Ok(MemoryRows {
        client: of_client.into_iter().next(),
        credentials: credentials(all(connection, select::CREDENTIALS, client)).await?,
        plans: rows(connection, select::PLANS, client).await?,
    })
}

async fn rows(
    connection: &mut SqliteConnection,
    sql: &'static str,
    client: &str,
) -> sqlx::Result<Vec<String>> {
    all(connection, sql, client).try_collect().await
}

fn all<'a>(
    connection: &'a mut SqliteConnection,
    sql: &'static str,
    client: &'a str,
) -> BoxStream<'a, sqlx::Result<String>> {
    sqlx::query_scalar(sql).bind(client).fetch(connection)
}

async fn write(file: StateFile, client: String, changes: Vec<Change>) -> sqlx::Result<()> {
    let mut connection = file.pool.acquire().await?;
    file.insist()?;
    begin(&mut connection, "BEGIN IMMEDIATE").await?;
    let applied = apply(&mut connection, &client, changes).await;
    end(&mut connection, applied).await
}

async fn apply(
    connection: &mut SqliteConnection,
    client: &str,
    changes: Vec<Change>,
) -> sqlx::Result<()> {
    for change in changes {
        for values in change.rows {
            let query = sqlx::query(text(change.what)).bind(client);
            let query = values.into_iter().fold(query, bind);
            query.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

fn bind(query: Statement<'_>, value: String) -> Statement<'_> {
    query.bind(value)
}

#[async_trait]
impl Tables for StateFileTables {
    async fn load(&self) -> Result<MemoryRows, StoreError> {
        let work = load(self.file.pool.clone(), self.client.clone());
        to_the_end(work).await.map_err(not_read)
    }

    async fn list(&self, list: List) -> Result<Vec<String>, StoreError> {
        let query = match list {
            List::Reports => sqlx::query_scalar(select::REPORTS).bind(&self.client),
            List::Journal { most } => sqlx::query_scalar(select::JOURNAL)
                .bind(&self.client)
                .bind(most),
            List::JournalOf { credential, most } => sqlx::query_scalar(select::JOURNAL_OF)
                .bind(&self.client)
                .bind(credential)
                .bind(most),
        };
        query.fetch_all(&self.file.pool).await.map_err(not_read)
    }

    async fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let work = write(self.file.clone(), self.client.clone(), changes);
        to_the_end(work).await.map_err(not_written)
    }
}

/// One row at a time.
fn text(what: What) -> &'static str {
    match what {
        What::Client => {
            "INSERT INTO client_memory (client_id, memory) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET memory = excluded.memory"
        }
        What::Credentials => {
            "INSERT INTO credential_memory (client_id, credential_id, memory) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET memory = excluded.memory"
        }
        What::Journal => {
            "INSERT INTO journal (client_id, credential_id, at, entry) VALUES (?, ?, ?, ?)"
        }
        What::Report => {
            "INSERT INTO outbox (client_id, report_id, report) VALUES (?, ?, ?)
             ON CONFLICT (client_id, report_id) DO UPDATE SET report = excluded.report"
        }
        What::NoReport => "DELETE FROM outbox WHERE client_id = ? AND report_id = ?",
        What::Plan => {
            "INSERT INTO held_plans (client_id, plan_id, plan) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET plan = excluded.plan"
        }
        What::NoPlan => "DELETE FROM held_plans WHERE client_id = ? AND plan_id = ?",
    }
}
