//! `Password expired`: the day until which a password was meant to last is over, and it is still the same one.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use passportal_client::wire::{Flag, FlagKind};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Vault, VaultError, flags, snoozes, words};

const KIND: FlagKind = FlagKind::PasswordExpired;

/// A credential whose flag has to stand or to go.
struct Found {
    credential: Uuid,
    version: u64,
    /// The last day of a password that is over; `None` of one whose flag has to go.
    last_day: Option<String>,
}

impl Vault {
    /// Raises the flag of what is over, and takes it down where the password or the day is another one. A day is over at
    /// midnight in UTC.
    pub(crate) async fn flag_expired(&self, now: Timestamp) -> Result<(), VaultError> {
        let today = TimeZone::UTC.to_datetime(now).date().to_string();
        let found = {
            let mut view = self.database.read().await?;
            find(&mut view, &today).await?
        };
        if found.is_empty() {
            return Ok(());
        }
        let mut transaction = self.database.write().await?;
        for one in found {
            put_right(&mut transaction, one).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// What is over has the end of its last day as the stamp of the fact: another day is another fact.
async fn find(view: &mut SqliteConnection, today: &str) -> Result<Vec<Found>, VaultError> {
    let rows: Vec<(String, i64, Option<String>)> = sqlx::query_as(
        "WITH over AS (
             SELECT id, version, expires, expires || 'T00:00:00.000000000Z' AS stamp FROM credentials
             WHERE expires < ?1 AND standing = 'active' AND substr(changed, 1, 10) <= expires)
         SELECT o.id, o.version, o.expires FROM over o
         WHERE NOT EXISTS (SELECT 1 FROM flags f WHERE f.credential = o.id AND f.kind = ?2
                 AND f.version = o.version AND f.stamp IS o.stamp)
             AND NOT EXISTS (SELECT 1 FROM flag_clearings c WHERE c.credential = o.id AND c.kind = ?2
                 AND c.version = o.version AND c.stamp IS o.stamp)
         UNION ALL
         SELECT f.credential, f.version, NULL FROM flags f
         WHERE f.kind = ?2 AND f.credential NOT IN (SELECT id FROM over)",
    )
    .bind(today)
    .bind(KIND.name())
    .fetch_all(view)
    .await?;
    rows.into_iter()
        .map(|(id, version, last_day)| {
            Ok(Found {
                credential: words::id(&id)?,
                version: words::unsigned(version)?,
                last_day,
            })
        })
        .collect()
}

async fn put_right(transaction: &mut SqliteConnection, found: Found) -> Result<(), VaultError> {
    snoozes::forget(transaction, found.credential, KIND).await?;
    let Some(last_day) = found.last_day else {
        return flags::take_down(transaction, found.credential, KIND).await;
    };
    let flag = Flag {
        version: found.version,
        stamp: Some(words::parse_time(&format!("{last_day}T00:00:00Z"))?),
        why: format!("it was to be changed by {last_day}"),
    };
    flags::raise(transaction, found.credential, KIND, &flag).await
}
