//! Reports of agents: each id is taken once; what they say changes flags and history, and nothing
//! that the agent would hear of again.

use jiff::Timestamp;
use passportal_client::wire::{Outcome, Report, ReportAccepted, ReportEntry};
use sqlx::SqliteConnection;
use tracing::warn;
use uuid::Uuid;

use super::{Vault, VaultError, agents, flags, history, lease, plans, words};

impl Vault {
    /// Takes a report, whole or not at all. While another process leads, what it says may be older
    /// than what stands: it is refused, and told again when its process leads.
    pub(crate) async fn take_report(
        &self,
        agent: Uuid,
        client: Uuid,
        report: &Report,
    ) -> Result<ReportAccepted, VaultError> {
        let mut transaction = self.database.write().await?;
        if !take_id(&mut transaction, agent, report.id).await? {
            return Ok(ReportAccepted { duplicate: true });
        }
        lease::refuse_while_led_by_another(&mut transaction, agent, report.instance, client)
            .await?;
        let host = agents::host(&mut transaction, agent).await?;
        for entry in &report.entries {
            if !is_own(&mut transaction, client, entry.credential).await? {
                // A restored vault may not know it any more; refusing would make the agent repeat
                // the report for ever.
                warn!(credential.id = %entry.credential, "a report names a credential that its client does not have");
                continue;
            }
            flags::replace(&mut transaction, entry.credential, &entry.flags).await?;
            let approved_by = match entry.outcome {
                Outcome::Pushed | Outcome::Unsettled => {
                    plans::approver(&mut transaction, entry).await?
                }
                _ => None,
            };
            history::append_news(&mut transaction, entry, &host, approved_by).await?;
            if matches!(entry.outcome, Outcome::Pushed | Outcome::Matched) {
                use_up_confirmation(&mut transaction, entry).await?;
            }
        }
        transaction.commit().await?;
        Ok(ReportAccepted { duplicate: false })
    }
}

/// A person's confirmation of a version ends when Entra ID has it. Otherwise an agent that lost its
/// memory would take it for a new one.
async fn use_up_confirmation(
    transaction: &mut SqliteConnection,
    entry: &ReportEntry,
) -> Result<(), VaultError> {
    sqlx::query(
        "UPDATE credentials SET confirmed_version = NULL, confirmed_at = NULL, confirmed_by = NULL
         WHERE id = ? AND confirmed_version = ?",
    )
    .bind(entry.credential.to_string())
    .bind(words::signed(entry.version)?)
    .execute(transaction)
    .await?;
    Ok(())
}

/// Whether the id is new.
async fn take_id(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    report: Uuid,
) -> Result<bool, VaultError> {
    let taken = sqlx::query(
        "INSERT INTO reports (id, agent, taken) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
    )
    .bind(report.to_string())
    .bind(agent.to_string())
    .bind(words::time(Timestamp::now()))
    .execute(transaction)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// An agent speaks of its own client's credentials only; others do not exist for it.
pub(super) async fn is_own(
    transaction: &mut SqliteConnection,
    client: Uuid,
    credential: Uuid,
) -> Result<bool, VaultError> {
    let found: Option<(i64,)> =
        sqlx::query_as("SELECT 1 FROM credentials WHERE id = ? AND client = ?")
            .bind(credential.to_string())
            .bind(client.to_string())
            .fetch_optional(transaction)
            .await?;
    Ok(found.is_some())
}
