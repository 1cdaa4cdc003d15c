//! One client's rows in a database on a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use sqlx::query::Query;
use sqlx::{Connection, PgConnection};
use sync_engine::model::ClientId;
use sync_engine::ports::StoreError;

use super::Session;
use super::fault::Failure;
use super::lock;
use super::session::Turn;
use crate::tables::{Change, List, MemoryRows, Tables, What, credentials, select};

/// How many rows travel in one message.
const MOST_ROWS: usize = 2_000;

const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// One client's rows in a database on a server.
#[derive(Debug)]
pub(crate) struct SessionTables {
    session: Arc<Session>,
    client: String,
    /// The session's takeovers when the memory was last read.
    read_at: AtomicU64,
}

impl SessionTables {
    pub(crate) fn new(session: &Arc<Session>, client: ClientId) -> Self {
        Self {
            session: Arc::clone(session),
            client: client.to_string(),
            read_at: AtomicU64::new(session.takeovers()),
        }
    }

    async fn load_all(&self, turn: Turn<'_>) -> Result<MemoryRows, Failure> {
        let mut held = self.session.hold(turn).await?;
        let takeovers = self.session.takeovers();
        let result = memory(&mut held.connection, &self.client).await;
        held.release(&result);
        let rows = result?;
        self.read_at.store(takeovers, Ordering::SeqCst);
        Ok(rows)
    }

    async fn list_all(&self, turn: Turn<'_>, list: List) -> Result<Vec<String>, Failure> {
        let mut held = self.session.hold(turn).await?;
        let rows = listed(&mut held.connection, &self.client, list).await;
        let result = rows.map_err(Failure::from);
        held.release(&result);
        result
    }

    async fn write_all(&self, turn: Turn<'_>, changes: Vec<Change>) -> Result<(), Failure> {
        let mut held = self.session.hold(turn).await?;
        let result = self.commit(&mut held.connection, changes).await;
        held.release(&result);
        result
    }

    async fn commit(
        &self,
        connection: &mut PgConnection,
        changes: Vec<Change>,
    ) -> Result<(), Failure> {
        // Who decided from a memory that others have changed since must read it again first.
        if self.read_at.load(Ordering::SeqCst) != self.session.takeovers() {
            return Err(Failure::Stale);
        }
        let mut transaction = connection.begin().await?;
        let agent = self.session.agent();
        match apply(&mut transaction, agent, &self.client, changes).await {
            Ok(()) => Ok(transaction.commit().await?),
            Err(failure) => {
                // Where that fails, too, the session is not used again.
                let _ = transaction.rollback().await;
                Err(failure)
            }
        }
    }
}

#[async_trait]
impl Tables for SessionTables {
    async fn load(&self) -> Result<MemoryRows, StoreError> {
        let read = self.session.in_turn(|turn| self.load_all(turn)).await;
        read.map_err(Failure::not_read)
    }

    async fn list(&self, list: List) -> Result<Vec<String>, StoreError> {
        let read = self.session.in_turn(|turn| self.list_all(turn, list)).await;
        read.map_err(Failure::not_read)
    }

    async fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let written = self
            .session
            .in_turn(|turn| self.write_all(turn, changes))
            .await;
        written.map_err(Failure::not_written)
    }
}

async fn memory(connection: &mut PgConnection, client: &str) -> Result<MemoryRows, Failure> {
    let mut transaction = connection.begin_with(READ).await?;
    let of_client = rows(&mut transaction, select::CLIENT, client).await?;
    let read = MemoryRows {
        client: of_client.into_iter().next(),
        credentials: credentials(all(&mut transaction, select::CREDENTIALS, client)).await?,
        plans: rows(&mut transaction, select::PLANS, client).await?,
    };
    transaction.commit().await?;
    Ok(read)
}

async fn rows(
    connection: &mut PgConnection,
    sql: &'static str,
    client: &str,
) -> sqlx::Result<Vec<String>> {
    all(connection, sql, client).try_collect().await
}

fn all<'a>(
    connection: &'a mut PgConnection,
    sql: &'static str,
    client: &'a str,
) -> BoxStream<'a, sqlx::Result<String>> {
    sqlx::query_scalar(sql).bind(client).fetch(connection)
}

async fn listed(
    connection: &mut PgConnection,
    client: &str,
    list: List,
) -> sqlx::Result<Vec<String>> {
    let query = match list {
        List::Reports => sqlx::query_scalar(select::REPORTS).bind(client),
        List::Journal { most } => sqlx::query_scalar(select::JOURNAL).bind(client).bind(most),
        List::JournalOf { credential, most } => sqlx::query_scalar(select::JOURNAL_OF)
            .bind(client)
            .bind(credential)
            .bind(most),
    };
    query.fetch_all(connection).await
}

async fn apply(
    connection: &mut PgConnection,
    agent: &str,
    client: &str,
    changes: Vec<Change>,
) -> Result<(), Failure> {
    lock::insist(connection, agent).await?;
    for change in changes {
        for rows in change.rows.chunks(MOST_ROWS) {
            let query = sqlx::query(text(change.what)).bind(client);
            let query = columns(rows).into_iter().fold(query, Query::bind);
            query.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Many rows travel as one array for each column.
fn columns(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let count = rows.first().map_or(0, Vec::len);
    let column = |index: usize| {
        rows.iter()
            .filter_map(|row| row.get(index).cloned())
            .collect()
    };
    (0..count).map(column).collect()
}

/// All rows at once.
fn text(what: What) -> &'static str {
    match what {
        What::Client => {
            "INSERT INTO client_memory (client_id, memory) SELECT $1, * FROM unnest($2::text[])
             ON CONFLICT (client_id) DO UPDATE SET memory = excluded.memory"
        }
        What::Credentials => {
            "INSERT INTO credential_memory (client_id, credential_id, memory)
             SELECT $1, * FROM unnest($2::text[], $3::text[])
             ON CONFLICT (client_id, credential_id) DO UPDATE SET memory = excluded.memory"
        }
        What::Journal => {
            "INSERT INTO journal (client_id, credential_id, at, entry)
             SELECT $1, credential_id, at, entry
             FROM unnest($2::text[], $3::text[], $4::text[])
                WITH ORDINALITY AS given (credential_id, at, entry, place)
             ORDER BY place"
        }
        What::Report => {
            "INSERT INTO outbox (client_id, report_id, report)
             SELECT $1, * FROM unnest($2::text[], $3::text[])
             ON CONFLICT (client_id, report_id) DO UPDATE SET report = excluded.report"
        }
        What::NoReport => {
            "DELETE FROM outbox WHERE client_id = $1 AND report_id = ANY ($2::text[])"
        }
        What::Plan => {
            "INSERT INTO held_plans (client_id, plan_id, plan)
             SELECT $1, * FROM unnest($2::text[], $3::text[])
             ON CONFLICT (client_id, plan_id) DO UPDATE SET plan = excluded.plan"
        }
        What::NoPlan => {
            "DELETE FROM held_plans WHERE client_id = $1 AND plan_id = ANY ($2::text[])"
        }
    }
}
