//! Plans as people see them, and people's words as agents hear of them.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{HeldWrite, Plan, PlanDetails, PlanQuery, PlanRuling, ReportEntry};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{AT_THE_AGENT, plan};
use crate::vault::lease::{self, Holder};
use crate::vault::person_vault::{Place, within};
use crate::vault::{Act, PersonVault, Vault, VaultError, words};

/// How long an approval lets its writes pass; what the agent does later nobody approved.
const APPROVAL_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// Which of a plan's writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// How many come before.
    pub(crate) after: u64,
    /// How many at the most.
    pub(crate) most: u64,
}

impl Part {
    /// All of them.
    pub(crate) const ALL: Self = Self {
        after: 0,
        most: u64::MAX >> 1,
    };
}

impl PersonVault<'_> {
    /// The plans that agents show now: those that wait first, then the latest.
    pub(crate) async fn plans(&self, query: &PlanQuery) -> Result<Vec<Plan>, VaultError> {
        let (mut view, reach) = self.read_within(Act::Read).await?;
        if let Some(client) = query.client {
            self.require(&mut view, Act::Read, Place::Client(client))
                .await?;
        }
        let rows = sqlx::query(concat!(
            "SELECT h.*, c.name AS client_name FROM plans h JOIN clients c ON c.id = h.client
             WHERE h.ended IS NULL AND (?1 IS NULL OR h.client = ?1) AND ",
            within!("h.client", "?2"),
            " ORDER BY h.ruling IS NULL AND h.agent_ruling IS NULL DESC, h.at DESC, h.id",
        ))
        .bind(query.client.map(|id| id.to_string()))
        .bind(reach.bound())
        .fetch_all(&mut *view)
        .await?;
        rows.iter().map(plan).collect()
    }

    /// One plan, also an ended one, with a part of its writes.
    pub(crate) async fn plan(&self, id: Uuid, part: Part) -> Result<PlanDetails, VaultError> {
        let mut view = self.read_at(Act::Read, Place::Plan(id)).await?;
        let plan = one(&mut view, id).await?;
        let rows = sqlx::query(
            "SELECT * FROM plan_writes WHERE plan = ?
             ORDER BY user_name COLLATE NOCASE, place LIMIT ? OFFSET ?",
        )
        .bind(id.to_string())
        .bind(words::signed(part.most)?)
        .bind(words::signed(part.after)?)
        .fetch_all(&mut *view)
        .await?;
        let writes = rows.iter().map(held_write).collect::<Result<_, _>>()?;
        Ok(PlanDetails { plan, writes })
    }

    /// How many writes of a plan are listed.
    pub(crate) async fn listed_writes(&self, id: Uuid) -> Result<u64, VaultError> {
        let mut view = self.read_at(Act::Read, Place::Plan(id)).await?;
        let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM plan_writes WHERE plan = ?")
            .bind(id.to_string())
            .fetch_one(&mut *view)
            .await?;
        words::unsigned(count)
    }

    /// The plan with this very write that waits for a person.
    pub(crate) async fn waiting_plan_of(
        &self,
        credential: Uuid,
        version: u64,
    ) -> Result<Option<Plan>, VaultError> {
        let place = Place::Credential(credential);
        let mut view = self.read_at(Act::Read, place).await?;
        let row = sqlx::query(
            "SELECT h.*, c.name AS client_name FROM plan_writes w
             JOIN plans h ON h.id = w.plan JOIN clients c ON c.id = h.client
             WHERE w.credential = ? AND w.version = ? AND h.ended IS NULL
                 AND h.ruling IS NULL AND h.agent_ruling IS NULL
             ORDER BY h.at DESC LIMIT 1",
        )
        .bind(credential.to_string())
        .bind(words::signed(version)?)
        .fetch_optional(&mut *view)
        .await?;
        row.as_ref().map(plan).transpose()
    }
}

impl Vault {
    /// Notes that the process that leads heard of the rulings about its plans. What another one reads changes nothing.
    pub(in crate::vault) async fn note_heard(
        &self,
        reader: &Holder,
        client: Uuid,
        rulings: &[PlanRuling],
    ) -> Result<(), VaultError> {
        let plans: Vec<Uuid> = rulings.iter().map(|ruling| ruling.plan).collect();
        let now = Timestamp::now();
        let mut transaction = self.database.write().await?;
        if !lease::is_held_by(&mut transaction, reader, client, now).await? {
            return Ok(());
        }
        sqlx::query(
            "UPDATE plans SET heard = ? WHERE agent = ? AND heard IS NULL AND ended IS NULL
                 AND ruling IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
        )
        .bind(words::time(now))
        .bind(reader.agent().to_string())
        .bind(words::to_json(&plans)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// One plan, in the transaction that needs it.
pub(in crate::vault) async fn one(
    view: &mut SqliteConnection,
    id: Uuid,
) -> Result<Plan, VaultError> {
    let row = sqlx::query(
        "SELECT h.*, c.name AS client_name FROM plans h JOIN clients c ON c.id = h.client
         WHERE h.id = ?",
    )
    .bind(id.to_string())
    .fetch_optional(view)
    .await?;
    plan(&row.ok_or(VaultError::NotFound { what: "plan" })?)
}

/// What people said here about the plans that are shown now.
pub(in crate::vault) async fn rulings(
    view: &mut SqliteConnection,
    client: Uuid,
) -> Result<Vec<PlanRuling>, VaultError> {
    let rows = sqlx::query(
        "SELECT id, ruling, ruled_by, ruled_at FROM plans
         WHERE client = ? AND ended IS NULL AND ruling IS NOT NULL ORDER BY ruled_at, id",
    )
    .bind(client.to_string())
    .fetch_all(view)
    .await?;
    rows.iter().map(ruling).collect()
}

fn ruling(row: &SqliteRow) -> Result<PlanRuling, VaultError> {
    Ok(PlanRuling {
        plan: words::id(row.try_get("id")?)?,
        ruling: words::value(row.try_get("ruling")?)?,
        by: row.try_get("ruled_by")?,
        at: words::parse_time(row.try_get("ruled_at")?)?,
    })
}

/// The writes that wait for a person, by client.
pub(in crate::vault) async fn waiting_writes(
    view: &mut SqliteConnection,
) -> Result<HashMap<Uuid, u64>, VaultError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT client, SUM(total) FROM plans
         WHERE ended IS NULL AND ruling IS NULL AND agent_ruling IS NULL GROUP BY client",
    )
    .fetch_all(view)
    .await?;
    rows.into_iter()
        .map(|(client, writes)| Ok((words::id(&client)?, words::unsigned(writes)?)))
        .collect()
}

/// Who approved a write that an agent now tells of: as part of a plan whose ruling the agent heard,
/// for the first push since; or else by confirming this very version.
pub(in crate::vault) async fn approver(
    view: &mut SqliteConnection,
    entry: &ReportEntry,
) -> Result<Option<String>, VaultError> {
    let found: Option<(Option<String>,)> = sqlx::query_as(
        "SELECT CASE WHEN h.ruling = 'approve' THEN h.ruled_by ELSE h.agent_by || ?4 END
         FROM plan_writes w JOIN plans h ON h.id = w.plan
         WHERE w.credential = ?1 AND w.version = ?2
             AND COALESCE(h.agent_ruling, h.ruling) = 'approve'
             AND (h.agent_ruling IS NOT NULL OR h.heard IS NOT NULL)
             AND COALESCE(h.agent_at, h.ruled_at) > ?3
             AND NOT EXISTS (SELECT 1 FROM history l WHERE l.credential = ?1 AND l.version = ?2
                 AND l.outcome = 'pushed' AND l.at > COALESCE(h.agent_at, h.ruled_at))
         ORDER BY h.at DESC LIMIT 1",
    )
    .bind(entry.credential.to_string())
    .bind(words::signed(entry.version)?)
    .bind(words::time(Timestamp::now() - APPROVAL_LASTS))
    .bind(AT_THE_AGENT)
    .fetch_optional(&mut *view)
    .await?;
    if let Some((Some(by),)) = found {
        return Ok(Some(by));
    }
    confirmer(view, entry).await
}

async fn confirmer(
    view: &mut SqliteConnection,
    entry: &ReportEntry,
) -> Result<Option<String>, VaultError> {
    let found: Option<(Option<String>,)> = sqlx::query_as(
        "SELECT confirmed_by FROM credentials WHERE id = ? AND confirmed_version = ?",
    )
    .bind(entry.credential.to_string())
    .bind(words::signed(entry.version)?)
    .fetch_optional(view)
    .await?;
    Ok(found.and_then(|(by,)| by))
}

fn held_write(row: &SqliteRow) -> Result<HeldWrite, VaultError> {
    Ok(HeldWrite {
        credential: words::id(row.try_get("credential")?)?,
        user_name: row.try_get("user_name")?,
        version: words::unsigned(row.try_get("version")?)?,
        mode: words::value(row.try_get("mode")?)?,
        why: row.try_get("why")?,
        object: words::id(row.try_get("object")?)?,
        stamp: words::parse_optional_time(row.try_get("stamp")?)?,
    })
}
