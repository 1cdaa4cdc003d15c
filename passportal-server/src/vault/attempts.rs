//! Sign-in tests that agents announce, so that no restart and no second agent exceeds the lockout budget.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{Attempt, AttemptNotice};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{Vault, VaultError, reports, words};

/// How long a sign-in test is handed out. An agent counts those of a day, by the clock of whichever agent made them;
/// a second day is for clocks that do not agree.
const HANDED_OUT_FOR: SignedDuration = SignedDuration::from_hours(48);

impl Vault {
    /// Writes down sign-in tests of an agent's own client: all or none.
    pub(crate) async fn note_attempts(
        &self,
        client: Uuid,
        notices: &[AttemptNotice],
    ) -> Result<(), VaultError> {
        let mut transaction = self.database.write().await?;
        for notice in notices {
            if !reports::is_own(&mut transaction, client, notice.credential).await? {
                return Err(VaultError::NotFound { what: "credential" });
            }
            upsert(&mut transaction, notice).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// A state that is known stays: a late "open" does not make it unknown again.
async fn upsert(
    transaction: &mut SqliteConnection,
    notice: &AttemptNotice,
) -> Result<(), VaultError> {
    let attempt = &notice.attempt;
    sqlx::query(
        "INSERT INTO attempts (id, credential, object, version, stamp, at, state)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state
             WHERE attempts.state = 'open' AND attempts.credential = excluded.credential",
    )
    .bind(attempt.id.to_string())
    .bind(notice.credential.to_string())
    .bind(attempt.object.to_string())
    .bind(words::signed(attempt.version)?)
    .bind(attempt.stamp.map(words::time))
    .bind(words::time(attempt.at))
    .bind(words::word(attempt.state)?)
    .execute(transaction)
    .await?;
    Ok(())
}

/// The attempts that an agent must know of, for credentials changed in (`after`, `until`]: those of
/// the last two days that count or may count, and those of the current version.
pub(super) async fn that_matter(
    view: &mut SqliteConnection,
    client: Uuid,
    after: i64,
    until: i64,
) -> Result<HashMap<Uuid, Vec<Attempt>>, VaultError> {
    let rows = sqlx::query(
        "SELECT a.* FROM attempts a JOIN credentials p ON p.id = a.credential
         WHERE p.client = ? AND p.seq > ? AND p.seq <= ?
           AND (a.version = p.version OR (a.at > ? AND a.state <> 'passed'))
         ORDER BY a.at, a.id",
    )
    .bind(client.to_string())
    .bind(after)
    .bind(until)
    .bind(words::time(Timestamp::now() - HANDED_OUT_FOR))
    .fetch_all(view)
    .await?;
    let mut attempts: HashMap<Uuid, Vec<Attempt>> = HashMap::new();
    for row in &rows {
        let credential = words::id(row.try_get("credential")?)?;
        attempts.entry(credential).or_default().push(attempt(row)?);
    }
    Ok(attempts)
}

fn attempt(row: &SqliteRow) -> Result<Attempt, VaultError> {
    Ok(Attempt {
        id: words::id(row.try_get("id")?)?,
        object: words::id(row.try_get("object")?)?,
        version: words::unsigned(row.try_get("version")?)?,
        stamp: words::parse_optional_time(row.try_get("stamp")?)?,
        at: words::parse_time(row.try_get("at")?)?,
        state: words::value(row.try_get("state")?)?,
    })
}
