//! The engine's memory of one client, as rows of the state file.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use sync_engine::model::{
    ClientId, ClientMemory, CredentialId, CredentialMemory, JournalEntry, Memory, PlanId, Report,
    ReportId,
};
use sync_engine::plan::HeldPlan;
use sync_engine::ports::{StateStore, StoreError};

use crate::error::{not_readable, not_written};
use crate::lock::Lock;

/// The memory of one client. Clones share it.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    // The file stays locked as long as anything can write it.
    _lock: Option<Arc<Lock>>,
    client: String,
}

impl SqliteStore {
    pub(crate) fn new(pool: SqlitePool, lock: Option<Arc<Lock>>, client: ClientId) -> Self {
        Self {
            pool,
            _lock: lock,
            client: client.to_string(),
        }
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        let begun = self.pool.begin_with("BEGIN IMMEDIATE").await;
        begun.map_err(not_written)
    }
}

#[async_trait]
impl StateStore for SqliteStore {
    async fn load(&self) -> Result<Memory, StoreError> {
        // One transaction, so that client and credentials are of the same moment.
        let mut transaction = self.pool.begin().await.map_err(not_readable)?;
        let client = load_client(&mut transaction, &self.client).await?;
        let credentials = load_credentials(&mut transaction, &self.client).await?;
        let plans = load_plans(&mut transaction, &self.client).await?;
        Ok(Memory {
            client: client.unwrap_or_default(),
            credentials,
            plans,
        })
    }

    async fn save_client(&self, memory: &ClientMemory) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO client_memory (client_id, memory) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET memory = excluded.memory",
        )
        .bind(&self.client)
        .bind(to_json(memory)?)
        .execute(&self.pool)
        .await
        .map_err(not_written)?;
        Ok(())
    }

    async fn save_credentials(&self, memories: &[CredentialMemory]) -> Result<(), StoreError> {
        self.record(&[], memories).await
    }

    async fn record(
        &self,
        entries: &[JournalEntry],
        memories: &[CredentialMemory],
    ) -> Result<(), StoreError> {
        if entries.is_empty() && memories.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        for entry in entries {
            append(&mut transaction, &self.client, entry).await?;
        }
        for memory in memories {
            save_credential(&mut transaction, &self.client, memory).await?;
        }
        transaction.commit().await.map_err(not_written)
    }

    async fn journal(
        &self,
        credential: Option<CredentialId>,
        most: u32,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let rows = match credential {
            Some(credential) => {
                sqlx::query_scalar::<_, String>(
                    "SELECT entry FROM journal WHERE client_id = ? AND credential_id = ?
                     ORDER BY sequence DESC LIMIT ?",
                )
                .bind(&self.client)
                .bind(credential.to_string())
                .bind(most)
                .fetch_all(&self.pool)
                .await
            }
            None => {
                sqlx::query_scalar(
                    "SELECT entry FROM journal WHERE client_id = ?
                     ORDER BY sequence DESC LIMIT ?",
                )
                .bind(&self.client)
                .bind(most)
                .fetch_all(&self.pool)
                .await
            }
        };
        all_from_json(&rows.map_err(not_readable)?)
    }

    async fn keep_report(&self, report: &Report) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO outbox (client_id, report_id, report) VALUES (?, ?, ?)
             ON CONFLICT (client_id, report_id) DO UPDATE SET report = excluded.report",
        )
        .bind(&self.client)
        .bind(report.id.to_string())
        .bind(to_json(report)?)
        .execute(&self.pool)
        .await
        .map_err(not_written)?;
        Ok(())
    }

    async fn kept_reports(&self) -> Result<Vec<Report>, StoreError> {
        let rows = sqlx::query_scalar::<_, String>(
            "SELECT report FROM outbox WHERE client_id = ? ORDER BY sequence",
        )
        .bind(&self.client)
        .fetch_all(&self.pool)
        .await
        .map_err(not_readable)?;
        all_from_json(&rows)
    }

    async fn drop_report(&self, id: ReportId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM outbox WHERE client_id = ? AND report_id = ?")
            .bind(&self.client)
            .bind(id.to_string())
            .execute(&self.pool)
            .await
            .map_err(not_written)?;
        Ok(())
    }

    async fn keep_plan(&self, plan: &HeldPlan) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO held_plans (client_id, plan_id, plan) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET plan = excluded.plan",
        )
        .bind(&self.client)
        .bind(plan.id.to_string())
        .bind(to_json(plan)?)
        .execute(&self.pool)
        .await
        .map_err(not_written)?;
        Ok(())
    }

    async fn drop_plan(&self, id: PlanId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM held_plans WHERE client_id = ? AND plan_id = ?")
            .bind(&self.client)
            .bind(id.to_string())
            .execute(&self.pool)
            .await
            .map_err(not_written)?;
        Ok(())
    }
}

async fn load_client(
    connection: &mut SqliteConnection,
    client: &str,
) -> Result<Option<ClientMemory>, StoreError> {
    let row =
        sqlx::query_scalar::<_, String>("SELECT memory FROM client_memory WHERE client_id = ?")
            .bind(client)
            .fetch_optional(connection)
            .await
            .map_err(not_readable)?;
    row.as_deref().map(from_json).transpose()
}

async fn load_credentials(
    connection: &mut SqliteConnection,
    client: &str,
) -> Result<BTreeMap<CredentialId, CredentialMemory>, StoreError> {
    let rows =
        sqlx::query_scalar::<_, String>("SELECT memory FROM credential_memory WHERE client_id = ?")
            .bind(client)
            .fetch_all(connection)
            .await
            .map_err(not_readable)?;
    let memories = all_from_json::<CredentialMemory>(&rows)?;
    Ok(memories
        .into_iter()
        .map(|memory| (memory.id, memory))
        .collect())
}

async fn load_plans(
    connection: &mut SqliteConnection,
    client: &str,
) -> Result<BTreeMap<PlanId, HeldPlan>, StoreError> {
    let rows = sqlx::query_scalar::<_, String>("SELECT plan FROM held_plans WHERE client_id = ?")
        .bind(client)
        .fetch_all(connection)
        .await
        .map_err(not_readable)?;
    let plans = all_from_json::<HeldPlan>(&rows)?;
    Ok(plans.into_iter().map(|plan| (plan.id, plan)).collect())
}

async fn save_credential(
    connection: &mut SqliteConnection,
    client: &str,
    memory: &CredentialMemory,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO credential_memory (client_id, credential_id, memory) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET memory = excluded.memory",
    )
    .bind(client)
    .bind(memory.id.to_string())
    .bind(to_json(memory)?)
    .execute(connection)
    .await
    .map_err(not_written)?;
    Ok(())
}

async fn append(
    connection: &mut SqliteConnection,
    client: &str,
    entry: &JournalEntry,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO journal (client_id, credential_id, at, entry) VALUES (?, ?, ?, ?)")
        .bind(client)
        .bind(entry.credential.to_string())
        .bind(entry.at.to_string())
        .bind(to_json(entry)?)
        .execute(connection)
        .await
        .map_err(not_written)?;
    Ok(())
}

fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::NotWritable(Box::new(error)))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(not_readable)
}

fn all_from_json<T: DeserializeOwned>(rows: &[String]) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| from_json(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StateDatabase;

    async fn store() -> (StateDatabase, SqliteStore) {
        let database = StateDatabase::in_memory().await.unwrap();
        let store = database.client(ClientId(uuid::Uuid::from_u128(1)));
        (database, store)
    }

    fn memories(range: std::ops::Range<u128>) -> Vec<CredentialMemory> {
        range
            .map(|n| CredentialMemory::new(CredentialId(uuid::Uuid::from_u128(n))))
            .collect()
    }

    #[tokio::test]
    async fn on_a_full_disk_nothing_of_a_batch_is_kept_and_the_error_says_not_writable() {
        let (database, store) = store().await;
        store.save_credentials(&memories(0..1)).await.unwrap();
        sqlx::query("PRAGMA max_page_count = 30")
            .execute(database.pool())
            .await
            .unwrap();

        let answer = store.save_credentials(&memories(1..5_000)).await;

        assert!(
            matches!(answer, Err(StoreError::NotWritable(_))),
            "{answer:?}"
        );
        assert_eq!(store.load().await.unwrap().credentials.len(), 1);
    }

    #[tokio::test]
    async fn a_row_that_is_not_understood_is_not_readable() {
        let (database, store) = store().await;
        store.save_client(&ClientMemory::default()).await.unwrap();
        sqlx::query("UPDATE client_memory SET memory = '{}'")
            .execute(database.pool())
            .await
            .unwrap();

        assert!(matches!(
            store.load().await,
            Err(StoreError::NotReadable(_))
        ));
    }

    #[tokio::test]
    async fn the_journal_refuses_to_be_rewritten_or_shortened() {
        let (database, store) = store().await;
        sqlx::query(
            "INSERT INTO journal (client_id, credential_id, at, entry) VALUES ('a', 'b', 'c', 'd')",
        )
        .execute(database.pool())
        .await
        .unwrap();

        for change in ["UPDATE journal SET entry = ''", "DELETE FROM journal"] {
            let error = sqlx::query(change)
                .execute(database.pool())
                .await
                .unwrap_err();
            assert!(error.to_string().contains("append-only"), "{error}");
        }
        drop(store);
    }

    #[tokio::test]
    async fn while_a_foreign_program_writes_the_file_it_is_not_writable() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let url = format!("sqlite://{}", path.display());
        let database = StateDatabase::open(&url).await.unwrap();
        let store = database.client(ClientId(uuid::Uuid::from_u128(1)));
        let foreign = SqlitePool::connect(&url).await.unwrap();
        let _transaction = foreign.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query("PRAGMA busy_timeout = 0")
            .execute(database.pool())
            .await
            .unwrap();

        let answer = store.save_credentials(&memories(0..1)).await;

        assert!(
            matches!(answer, Err(StoreError::NotWritable(_))),
            "{answer:?}"
        );
    }

    #[tokio::test]
    async fn every_commit_is_on_the_disk_before_it_returns() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("state.db").display());
        let database = StateDatabase::open(&url).await.unwrap();
        let modes: (String, i64) = (
            sqlx::query_scalar("PRAGMA journal_mode")
                .fetch_one(database.pool())
                .await
                .unwrap(),
            sqlx::query_scalar("PRAGMA synchronous")
                .fetch_one(database.pool())
                .await
                .unwrap(),
        );
        // 2 is FULL: every commit reaches the disk before it returns.
        assert_eq!(modes, ("wal".to_owned(), 2));
    }
}
