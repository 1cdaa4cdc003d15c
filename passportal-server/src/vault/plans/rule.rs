//! A person approves or rejects exactly one plan, once.

use jiff::Timestamp;
use passportal_client::wire::{Plan, PlanStanding, Ruling};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::one;
use crate::vault::person_vault::Place;
use crate::vault::{Act, PersonVault, VaultError, audit, clients, words};

impl PersonVault<'_> {
    /// Takes a person's word about a plan that waits. Its agent hears of it at once.
    pub(crate) async fn rule(&self, id: Uuid, ruling: Ruling) -> Result<Plan, VaultError> {
        let (place, actor) = (Place::Plan(id), self.actor());
        let mut transaction = self.write_at(Act::RuleOnPlans, place).await?;
        let before = one(&mut transaction, id).await?;
        require_waiting(&mut transaction, &before).await?;
        sqlx::query("UPDATE plans SET ruling = ?, ruled_by = ?, ruled_at = ? WHERE id = ?")
            .bind(words::word(ruling)?)
            .bind(actor.as_str())
            .bind(words::time(Timestamp::now()))
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        clients::touch(&mut transaction, before.client).await?;
        let what = format!("{} a plan of {} writes", said(ruling), before.total);
        audit::write(&mut transaction, &actor, &what, &id.to_string()).await?;
        let after = one(&mut transaction, id).await?;
        transaction.commit().await?;
        self.wake(after.client);
        Ok(after)
    }
}

fn said(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Approve => "approved",
        Ruling::Reject => "rejected",
    }
}

async fn require_waiting(
    transaction: &mut SqliteConnection,
    plan: &Plan,
) -> Result<(), VaultError> {
    let (ruling, word) = match &plan.standing {
        PlanStanding::Waiting if plan.ended.is_none() => return Ok(()),
        PlanStanding::Waiting => return Err(expired(transaction, plan).await?),
        PlanStanding::Approved(word) => (Ruling::Approve, word),
        PlanStanding::Rejected(word) => (Ruling::Reject, word),
    };
    Err(VaultError::Conflict(format!(
        "{} {} this plan already, on {}; a plan is ruled on once",
        word.by,
        said(ruling),
        word.at.strftime("%Y-%m-%d %H:%M UTC")
    )))
}

async fn expired(
    transaction: &mut SqliteConnection,
    plan: &Plan,
) -> Result<VaultError, VaultError> {
    let waiting: Option<(String,)> = sqlx::query_as(
        "SELECT id FROM plans WHERE client = ? AND ended IS NULL
             AND ruling IS NULL AND agent_ruling IS NULL ORDER BY at DESC",
    )
    .bind(plan.client.to_string())
    .fetch_optional(transaction)
    .await?;
    let now = match waiting {
        Some((id,)) => format!("the plan {id} waits now"),
        None => "no plan of this client waits now".to_owned(),
    };
    Ok(VaultError::Conflict(format!(
        "the plan expired: the world has moved on since it was made; {now}"
    )))
}
