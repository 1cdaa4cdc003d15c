//! The engine's memory of one client: its types as JSON, in the rows of either kind of database.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_engine::model::{
    ClientMemory, CredentialId, CredentialMemory, JournalEntry, Memory, PlanId, Report, ReportId,
};
use sync_engine::plan::HeldPlan;
use sync_engine::ports::{StateStore, StoreError};

use crate::tables::{Change, List, Tables, What};

/// The memory of one client. Clones share it.
#[derive(Clone, Debug)]
pub struct ClientStore(Arc<dyn Tables>);

impl ClientStore {
    pub(crate) fn new(tables: impl Tables + 'static) -> Self {
        Self(Arc::new(tables))
    }

    async fn change(&self, what: What, values: impl Into<Vec<String>>) -> Result<(), StoreError> {
        self.0.write(vec![Change::one(what, values)]).await
    }
}

#[async_trait]
impl StateStore for ClientStore {
    async fn load(&self) -> Result<Memory, StoreError> {
        let rows = self.0.load().await?;
        let client = rows.client.as_deref().map(from_json).transpose()?;
        let credentials = rows.credentials.map_err(not_readable)?;
        let plans: Vec<HeldPlan> = all_from_json(&rows.plans)?;
        Ok(Memory {
            client: client.unwrap_or_default(),
            credentials: credentials.into_iter().map(|it| (it.id, it)).collect(),
            plans: plans.into_iter().map(|it| (it.id, it)).collect(),
        })
    }

    async fn save_client(&self, memory: &ClientMemory) -> Result<(), StoreError> {
        self.change(What::Client, [to_json(memory)?]).await
    }

    async fn save_credentials(&self, memories: &[CredentialMemory]) -> Result<(), StoreError> {
        self.record(&[], memories).await
    }

    async fn record(
        &self,
        entries: &[JournalEntry],
        memories: &[CredentialMemory],
    ) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        if !entries.is_empty() {
            changes.push(appended(entries)?);
        }
        if !memories.is_empty() {
            changes.push(remembered(memories)?);
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.0.write(changes).await
    }

    async fn journal(
        &self,
        credential: Option<CredentialId>,
        most: u32,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let most = i64::from(most);
        let list = match credential.map(|id| id.to_string()) {
            Some(credential) => List::JournalOf { credential, most },
            None => List::Journal { most },
        };
        all_from_json(&self.0.list(list).await?)
    }

    async fn keep_report(&self, report: &Report) -> Result<(), StoreError> {
        let values = [report.id.to_string(), to_json(report)?];
        self.change(What::Report, values).await
    }

    async fn kept_reports(&self) -> Result<Vec<Report>, StoreError> {
        all_from_json(&self.0.list(List::Reports).await?)
    }

    async fn drop_report(&self, id: ReportId) -> Result<(), StoreError> {
        self.change(What::NoReport, [id.to_string()]).await
    }

    async fn keep_plan(&self, plan: &HeldPlan) -> Result<(), StoreError> {
        let values = [plan.id.to_string(), to_json(plan)?];
        self.change(What::Plan, values).await
    }

    async fn drop_plan(&self, id: PlanId) -> Result<(), StoreError> {
        self.change(What::NoPlan, [id.to_string()]).await
    }
}

fn appended(entries: &[JournalEntry]) -> Result<Change, StoreError> {
    let rows = entries.iter().map(|entry| {
        let (credential, at) = (entry.credential.to_string(), entry.at.to_string());
        Ok(vec![credential, at, to_json(entry)?])
    });
    Ok(Change {
        what: What::Journal,
        rows: rows.collect::<Result<_, StoreError>>()?,
    })
}

/// Of a credential that is given twice, the later memory counts.
fn remembered(memories: &[CredentialMemory]) -> Result<Change, StoreError> {
    let by_id: BTreeMap<_, _> = memories.iter().map(|it| (it.id, it)).collect();
    let rows = by_id
        .into_values()
        .map(|memory| Ok(vec![memory.id.to_string(), to_json(memory)?]));
    Ok(Change {
        what: What::Credentials,
        rows: rows.collect::<Result<_, StoreError>>()?,
    })
}

fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::NotWritable(Box::new(error)))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(not_readable)
}

fn not_readable(error: serde_json::Error) -> StoreError {
    StoreError::NotReadable(Box::new(error))
}

fn all_from_json<T: DeserializeOwned>(rows: &[String]) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| from_json(row)).collect()
}
