//! The tables as both kinds of database have them: rows of JSON text, each of one client.

use std::fmt;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use sync_engine::model::CredentialMemory;
use sync_engine::ports::StoreError;

/// One client's rows in a database of either kind.
#[async_trait]
pub(crate) trait Tables: fmt::Debug + Send + Sync {
    /// The whole memory, all of the same moment.
    async fn load(&self) -> Result<MemoryRows, StoreError>;

    /// The rows of a list.
    async fn list(&self, list: List) -> Result<Vec<String>, StoreError>;

    /// Makes all of these changes or none; they are durable when it returns.
    async fn write(&self, changes: Vec<Change>) -> Result<(), StoreError>;
}

/// What [`Tables::load`] reads.
#[derive(Debug)]
pub(crate) struct MemoryRows {
    pub(crate) client: Option<String>,
    /// There are many, so none stays as text until all are read.
    pub(crate) credentials: serde_json::Result<Vec<CredentialMemory>>,
    pub(crate) plans: Vec<String>,
}

/// Takes each row in as it comes.
pub(crate) async fn credentials(
    rows: BoxStream<'_, sqlx::Result<String>>,
) -> sqlx::Result<serde_json::Result<Vec<CredentialMemory>>> {
    let memories = rows.map_ok(|row| credential(&row)).try_collect::<Vec<_>>();
    Ok(memories.await?.into_iter().collect())
}

fn credential(row: &str) -> serde_json::Result<CredentialMemory> {
    let mut memory: CredentialMemory = serde_json::from_str(row)?;
    // Most have one, and room for four is made.
    memory.attempts.shrink_to_fit();
    Ok(memory)
}

/// What is read in a certain order.
#[derive(Clone, Debug)]
pub(crate) enum List {
    /// Oldest first.
    Reports,
    /// Newest first.
    Journal { most: i64 },
    /// Newest first.
    JournalOf { credential: String, most: i64 },
}

/// Rows to write into one table. The client's id stands before the values of each.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) what: What,
    pub(crate) rows: Vec<Vec<String>>,
}

/// What becomes of the rows of a [`Change`], and their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Replaces: memory.
    Client,
    /// Replaces by id: id, memory. No id occurs twice.
    Credentials,
    /// Appends in order: credential, time, entry.
    Journal,
    /// Replaces by id: id, report.
    Report,
    /// Deletes: id.
    NoReport,
    /// Replaces by id: id, plan.
    Plan,
    /// Deletes: id.
    NoPlan,
}

impl Change {
    /// A change of one row.
    pub(crate) fn one(what: What, values: impl Into<Vec<String>>) -> Self {
        Self {
            what,
            rows: vec![values.into()],
        }
    }
}

/// `SQLite` understands `PostgreSQL`'s way to number parameters, so these texts serve both.
pub(crate) mod select {
    pub(crate) const CLIENT: &str = "SELECT memory FROM client_memory WHERE client_id = $1";
    pub(crate) const CREDENTIALS: &str =
        "SELECT memory FROM credential_memory WHERE client_id = $1";
    pub(crate) const PLANS: &str = "SELECT plan FROM held_plans WHERE client_id = $1";
    pub(crate) const REPORTS: &str =
        "SELECT report FROM outbox WHERE client_id = $1 ORDER BY sequence";
    pub(crate) const JOURNAL: &str =
        "SELECT entry FROM journal WHERE client_id = $1 ORDER BY sequence DESC LIMIT $2";
    pub(crate) const JOURNAL_OF: &str = "SELECT entry FROM journal
        WHERE client_id = $1 AND credential_id = $2 ORDER BY sequence DESC LIMIT $3";
}
