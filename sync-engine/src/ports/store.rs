//! The memory's side: what survives a restart.

use async_trait::async_trait;

use super::Cause;
use crate::model::{
    ClientMemory, CredentialId, CredentialMemory, JournalEntry, Memory, PlanId, Report, ReportId,
};
use crate::plan::HeldPlan;

/// The memory of one client. Every method is durable when it returns.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Everything remembered; empty before first contact.
    async fn load(&self) -> Result<Memory, StoreError>;

    /// Replaces what is remembered of the client.
    async fn save_client(&self, memory: &ClientMemory) -> Result<(), StoreError>;

    /// Replaces what is remembered of these credentials, all or nothing.
    async fn save_credentials(&self, memories: &[CredentialMemory]) -> Result<(), StoreError>;

    /// Writes journal entries and what is remembered of their credentials, all or nothing.
    async fn record(
        &self,
        entries: &[JournalEntry],
        memories: &[CredentialMemory],
    ) -> Result<(), StoreError>;

    /// The newest journal entries of a credential, or of all, newest first.
    async fn journal(
        &self,
        credential: Option<CredentialId>,
        most: u32,
    ) -> Result<Vec<JournalEntry>, StoreError>;

    /// Keeps a report until the vault has it. Keeping the same id again replaces it.
    async fn keep_report(&self, report: &Report) -> Result<(), StoreError>;

    /// The reports that the vault does not have yet, oldest first.
    async fn kept_reports(&self) -> Result<Vec<Report>, StoreError>;

    /// Forgets a report that the vault has. Unknown ids are no error.
    async fn drop_report(&self, id: ReportId) -> Result<(), StoreError>;

    /// Keeps a held plan. Keeping the same id again replaces it.
    async fn keep_plan(&self, plan: &HeldPlan) -> Result<(), StoreError>;

    /// Forgets a held plan. Unknown ids are no error.
    async fn drop_plan(&self, id: PlanId) -> Result<(), StoreError>;
}

/// Why the memory could not do it. The engine writes nothing to Entra ID while it cannot remember.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be written: read-only, full, or locked by another process.
    #[error("the state cannot be written")]
    NotWritable(#[source] Cause),
    /// It cannot be read or understood.
    #[error("the state cannot be read")]
    NotReadable(#[source] Cause),
}
