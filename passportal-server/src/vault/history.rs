//! The history of sync results of a credential.

use std::collections::HashMap;

use passportal_client::wire::{HistoryEntry, ReportEntry};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::credentials::Which;
use super::person_vault::Place;
use super::{Act, PersonVault, VaultError, words};

/// Lines that a page or an answer shows at the most.
const SHOWN: i64 = 200;

/// The longest reason that is kept.
const WHY_LENGTH: usize = 1000;

impl PersonVault<'_> {
    /// A credential's history, the latest line first.
    pub(crate) async fn history(&self, credential: Uuid) -> Result<Vec<HistoryEntry>, VaultError> {
        let place = Place::Credential(credential);
        let mut view = self.read_at(Act::Read, place).await?;
        let rows =
            sqlx::query("SELECT * FROM history WHERE credential = ? ORDER BY line DESC LIMIT ?")
                .bind(credential.to_string())
                .bind(SHOWN)
                .fetch_all(&mut *view)
                .await?;
        rows.iter().map(entry).collect()
    }
}

/// Adds a line when it says something else than the last one, so that quiet repeats do not flood.
pub(super) async fn append_news(
    transaction: &mut SqliteConnection,
    entry: &ReportEntry,
    agent: &str,
    approved_by: Option<String>,
) -> Result<(), VaultError> {
    let why: String = entry.why.chars().take(WHY_LENGTH).collect();
    let said = (
        words::signed(entry.version)?,
        words::word(entry.outcome)?,
        why,
    );
    let last: Option<(i64, String, String)> = sqlx::query_as(
        "SELECT version, outcome, why FROM history WHERE credential = ? ORDER BY line DESC LIMIT 1",
    )
    .bind(entry.credential.to_string())
    .fetch_optional(&mut *transaction)
    .await?;
    if last.as_ref() == Some(&said) {
        return Ok(());
    }
    let (version, outcome, why) = said;
    sqlx::query(
        "INSERT INTO history (credential, at, version, outcome, why, agent, approved_by)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(entry.credential.to_string())
    .bind(words::time(entry.at))
    .bind(version)
    .bind(outcome)
    .bind(why)
    .bind(agent)
    .bind(approved_by)
    .execute(transaction)
    .await?;
    Ok(())
}

/// The last line of each of a client's credentials, or of one credential.
pub(super) async fn last_results(
    view: &mut SqliteConnection,
    which: &Which,
) -> Result<HashMap<Uuid, HistoryEntry>, VaultError> {
    let sql = match which {
        Which::OfClient(_) => {
            "SELECT h.* FROM credentials p
             JOIN history h ON h.line = (SELECT MAX(line) FROM history WHERE credential = p.id)
             WHERE p.client = ?"
        }
        Which::One(_) => "SELECT * FROM history WHERE credential = ? ORDER BY line DESC LIMIT 1",
    };
    let rows = sqlx::query(sql).bind(which.id()).fetch_all(view).await?;
    rows.iter()
        .map(|row| Ok((words::id(row.try_get("credential")?)?, entry(row)?)))
        .collect()
}

fn entry(row: &SqliteRow) -> Result<HistoryEntry, VaultError> {
    Ok(HistoryEntry {
        at: words::parse_time(row.try_get("at")?)?,
        version: words::unsigned(row.try_get("version")?)?,
        outcome: words::value(row.try_get("outcome")?)?,
        why: row.try_get("why")?,
        agent: row.try_get("agent")?,
        approved_by: row.try_get("approved_by")?,
    })
}
