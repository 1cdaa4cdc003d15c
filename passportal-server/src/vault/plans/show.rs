//! An agent shows the plans that wait or were ruled on, in place of those that it showed before.

use std::collections::BTreeSet;

use jiff::Timestamp;
use passportal_client::wire::{HeldPlan, HeldWrite, PlanStanding, Ruling, ShownPlans, Word};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::fingerprint::fingerprint;
use crate::vault::{Vault, VaultError, lease, words};

/// The longest reason or person's name that is kept.
const TEXT_LENGTH: usize = 1000;

/// The longest user name.
const NAME_LENGTH: usize = 500;

impl Vault {
    /// Replaces the plans that people see of a client. Only the agent that leads may.
    pub(crate) async fn show_plans(
        &self,
        agent: Uuid,
        client: Uuid,
        shown: &ShownPlans,
    ) -> Result<(), VaultError> {
        check(shown)?;
        let sheets = shown.plans.iter().map(Sheet::new);
        let sheets = sheets.collect::<Result<Vec<_>, _>>()?;
        let mut transaction = self.database.write().await?;
        lease::require_leader(&mut transaction, agent, shown.instance, client).await?;
        end_all_but(&mut transaction, client, shown).await?;
        for sheet in &sheets {
            keep(&mut transaction, agent, client, sheet).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// A plan, prepared for the database before anybody has to wait for it.
struct Sheet<'a> {
    plan: &'a HeldPlan,
    /// Its writes as JSON, a row for each.
    rows: String,
    /// A fingerprint of what the id stands for.
    contents: String,
}

impl<'a> Sheet<'a> {
    fn new(plan: &'a HeldPlan) -> Result<Self, VaultError> {
        let rows = plan.writes.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            plan,
            rows: words::to_json(&rows)?,
            contents: fingerprint(plan),
        })
    }
}

fn check(shown: &ShownPlans) -> Result<(), VaultError> {
    let plans = &shown.plans;
    let ids: BTreeSet<Uuid> = plans.iter().map(|plan| plan.id).collect();
    if ids.len() != plans.len() {
        return Err(VaultError::refused("two of the plans have the same id"));
    }
    let writes: usize = plans.iter().map(|plan| plan.writes.len()).sum();
    if plans.len() > ShownPlans::PLANS_MOST || writes > ShownPlans::WRITES_MOST {
        return Err(VaultError::Refused(format!(
            "at most {} plans with {} writes are shown",
            ShownPlans::PLANS_MOST,
            ShownPlans::WRITES_MOST
        )));
    }
    plans.iter().try_for_each(check_plan)
}

fn check_plan(plan: &HeldPlan) -> Result<(), VaultError> {
    if plan.total < plan.writes.len() as u64 {
        return Err(VaultError::refused("a plan lists more writes than it has"));
    }
    let too_long = |text: &String, most: usize| text.chars().count() > most;
    let too_long = |write: &HeldWrite| {
        too_long(&write.user_name, NAME_LENGTH) || too_long(&write.why, TEXT_LENGTH)
    };
    if plan.writes.iter().any(too_long) {
        return Err(VaultError::refused(
            "a user name or a reason in a plan is too long",
        ));
    }
    Ok(())
}

async fn end_all_but(
    transaction: &mut SqliteConnection,
    client: Uuid,
    shown: &ShownPlans,
) -> Result<(), VaultError> {
    let ids: Vec<Uuid> = shown.plans.iter().map(|plan| plan.id).collect();
    let now = words::time(Timestamp::now());
    sqlx::query(
        "UPDATE plans SET ended = ? WHERE client = ? AND ended IS NULL
             AND id NOT IN (SELECT value FROM json_each(?))",
    )
    .bind(&now)
    .bind(client.to_string())
    .bind(words::to_json(&ids)?)
    .execute(&mut *transaction)
    .await?;
    forget_expired(transaction, &now).await
}

/// A revoked agent acts on nothing any more, so nothing of it waits.
pub(in crate::vault) async fn end_of_agent(
    transaction: &mut SqliteConnection,
    agent: Uuid,
) -> Result<(), VaultError> {
    let now = words::time(Timestamp::now());
    sqlx::query("UPDATE plans SET ended = ? WHERE agent = ? AND ended IS NULL")
        .bind(&now)
        .bind(agent.to_string())
        .execute(&mut *transaction)
        .await?;
    forget_expired(transaction, &now).await
}

/// What a person ruled on is kept; of a plan that ended now without a word only the head is.
async fn forget_expired(transaction: &mut SqliteConnection, now: &str) -> Result<(), VaultError> {
    sqlx::query(
        "DELETE FROM plan_writes WHERE plan IN
             (SELECT id FROM plans
              WHERE ended = ? AND ruling IS NULL AND agent_ruling IS NULL)",
    )
    .bind(now)
    .execute(transaction)
    .await?;
    Ok(())
}

/// What the vault knows of a plan that is shown again.
type Known = (String, String, Option<String>, bool);

async fn keep(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    client: Uuid,
    sheet: &Sheet<'_>,
) -> Result<(), VaultError> {
    let id = sheet.plan.id;
    let known: Option<Known> = sqlx::query_as(
        "SELECT client, contents, ended, ruling IS NOT NULL OR agent_ruling IS NOT NULL
         FROM plans WHERE id = ?",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *transaction)
    .await?;
    match known {
        None => {
            insert(transaction, agent, client, sheet).await?;
            insert_writes(transaction, client, sheet).await?;
        }
        Some((of, before, ended, ruled)) => {
            if of != client.to_string() || (before != sheet.contents && !ruled) {
                return Err(VaultError::Refused(format!(
                    "the plan {id} was shown with other writes before; another plan needs another id"
                )));
            }
            // Its writes were forgotten when it expired, for what looked like good.
            if ended.is_some() && !ruled {
                insert_writes(transaction, client, sheet).await?;
            }
        }
    }
    set_standing(transaction, agent, sheet.plan).await
}

async fn insert(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    client: Uuid,
    sheet: &Sheet<'_>,
) -> Result<(), VaultError> {
    let plan = sheet.plan;
    sqlx::query(
        "INSERT INTO plans (id, client, agent, at, allowed, total, contents)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(plan.id.to_string())
    .bind(client.to_string())
    .bind(agent.to_string())
    .bind(words::time(plan.at))
    .bind(words::signed(plan.allowed)?)
    .bind(words::signed(plan.total)?)
    .bind(&sheet.contents)
    .execute(transaction)
    .await?;
    Ok(())
}

/// All in one statement: a plan may have a hundred thousand writes.
async fn insert_writes(
    transaction: &mut SqliteConnection,
    client: Uuid,
    sheet: &Sheet<'_>,
) -> Result<(), VaultError> {
    let plan = sheet.plan;
    let inserted = sqlx::query(
        "INSERT INTO plan_writes
             (plan, place, credential, user_name, version, mode, why, object, stamp)
         SELECT ?1, it.key, p.id, it.value ->> 1, it.value ->> 2, it.value ->> 3, it.value ->> 4,
             it.value ->> 5, it.value ->> 6
         FROM json_each(?2) AS it JOIN credentials p ON p.id = it.value ->> 0 AND p.client = ?3",
    )
    .bind(plan.id.to_string())
    .bind(&sheet.rows)
    .bind(client.to_string())
    .execute(transaction)
    .await?;
    if inserted.rows_affected() != plan.writes.len() as u64 {
        return Err(VaultError::Refused(format!(
            "the plan {} names a credential that its client does not have",
            plan.id
        )));
    }
    Ok(())
}

type Row<'a> = (Uuid, &'a str, i64, String, &'a str, Uuid, Option<String>);

fn row(write: &HeldWrite) -> Result<Row<'_>, VaultError> {
    Ok((
        write.credential,
        &write.user_name,
        words::signed(write.version)?,
        words::word(write.mode)?,
        &write.why,
        write.object,
        write.stamp.map(words::time),
    ))
}

async fn set_standing(
    transaction: &mut SqliteConnection,
    agent: Uuid,
    plan: &HeldPlan,
) -> Result<(), VaultError> {
    let (ruling, word) = match &plan.standing {
        PlanStanding::Waiting => (None, None),
        PlanStanding::Approved(word) => (Some(Ruling::Approve), Some(word)),
        PlanStanding::Rejected(word) => (Some(Ruling::Reject), Some(word)),
    };
    let by = word.map(|word: &Word| word.by.chars().take(TEXT_LENGTH).collect::<String>());
    sqlx::query(
        "UPDATE plans SET ended = NULL, agent = ?, agent_ruling = ?, agent_by = ?, agent_at = ?
         WHERE id = ?",
    )
    .bind(agent.to_string())
    .bind(words::optional_word(ruling)?)
    .bind(by)
    .bind(word.map(|word| words::time(word.at)))
    .bind(plan.id.to_string())
    .execute(transaction)
    .await?;
    Ok(())
}
