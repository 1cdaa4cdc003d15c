//! Flags that a person took down for a time: they stand again when it ends, unless their fact changed before.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{FlagKind, NewSnooze, SnoozeEnded, SnoozedFlag};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::person_vault::{Place, within};
use super::{Act, Actor, PersonVault, Vault, VaultError, audit, credentials, flags, words};

/// The longest reason.
const REASON_LENGTH: usize = 500;

/// The longest snooze.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

impl PersonVault<'_> {
    /// Snoozed flags, the one that ends first first.
    pub(crate) async fn snoozes(&self) -> Result<Vec<SnoozedFlag>, VaultError> {
        let (mut view, reach) = self.read_within(Act::Read).await?;
        let rows = sqlx::query(concat!(
            "SELECT s.*, p.client, p.user_name, c.name AS client_name FROM flag_snoozes s
             JOIN credentials p ON p.id = s.credential JOIN clients c ON c.id = p.client
             WHERE ",
            within!("p.client", "?1"),
            " ORDER BY s.until, s.credential, s.kind",
        ))
        .bind(reach.bound())
        .fetch_all(&mut *view)
        .await?;
        rows.iter().map(snoozed).collect()
    }

    /// Takes down flags for a time: all that stand of those named, or none where the request is refused.
    /// Returns how many stood.
    pub(crate) async fn snooze_flags(
        &self,
        which: &[(Uuid, FlagKind)],
        new: &NewSnooze,
    ) -> Result<usize, VaultError> {
        let (act, actor) = (Act::ClearFlags, self.actor());
        let mut transaction = self.write_at(act, Place::Organization).await?;
        for (credential, _) in which {
            let place = Place::Credential(*credential);
            self.require(&mut transaction, act, place).await?;
        }
        let reason = checked_reason(&new.reason)?;
        check_end(new.until)?;
        let mut woken = Vec::new();
        for (credential, kind) in which {
            let client = credentials::one(&mut transaction, *credential)
                .await?
                .client;
            if !keep(
                &mut transaction,
                &actor,
                (*credential, *kind),
                reason,
                new.until,
            )
            .await?
            {
                continue;
            }
            flags::clear(&mut transaction, &actor, *credential, *kind).await?;
            let what = format!(
                "snoozed the flag {} until {:.0}: {reason}",
                kind.name(),
                new.until
            );
            audit::write(&mut transaction, &actor, &what, &credential.to_string()).await?;
            woken.push(client);
        }
        transaction.commit().await?;
        let count = woken.len();
        for client in woken {
            self.wake(client);
        }
        Ok(count)
    }

    /// A person ends a snooze before its time.
    pub(crate) async fn end_snooze(
        &self,
        credential: Uuid,
        kind: FlagKind,
    ) -> Result<SnoozeEnded, VaultError> {
        let place = Place::Credential(credential);
        let mut transaction = self.write_at(Act::ClearFlags, place).await?;
        let client = credentials::one(&mut transaction, credential).await?.client;
        let was_snoozed = end(&mut transaction, &self.actor(), credential, kind).await?;
        transaction.commit().await?;
        self.wake(client);
        Ok(SnoozeEnded { was_snoozed })
    }
}

impl Vault {
    /// Ends every snooze whose time is over.
    pub(crate) async fn end_snoozes(&self, now: Timestamp) -> Result<(), VaultError> {
        let mut transaction = self.database.write().await?;
        let over: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT s.credential, s.kind, p.client FROM flag_snoozes s
             JOIN credentials p ON p.id = s.credential WHERE s.until <= ?",
        )
        .bind(words::time(now))
        .fetch_all(&mut *transaction)
        .await?;
        for (credential, kind, _) in &over {
            let (credential, kind) = (words::id(credential)?, words::value(kind)?);
            end(&mut transaction, &Actor::vault(), credential, kind).await?;
        }
        transaction.commit().await?;
        for (_, _, client) in &over {
            self.wakeups.wake(words::id(client)?);
        }
        Ok(())
    }
}

fn checked_reason(reason: &str) -> Result<&str, VaultError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_LENGTH {
        return Err(VaultError::Refused(format!(
            "a snooze needs a reason of at most {REASON_LENGTH} characters"
        )));
    }
    Ok(reason)
}

fn check_end(until: Timestamp) -> Result<(), VaultError> {
    let now = Timestamp::now();
    if until <= now || until > now + LONGEST {
        return Err(VaultError::refused(
            "a snooze ends in the future, within a year",
        ));
    }
    Ok(())
}

/// Remembers a standing flag; says whether it stood.
async fn keep(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    (credential, kind): (Uuid, FlagKind),
    reason: &str,
    until: Timestamp,
) -> Result<bool, VaultError> {
    let kept = sqlx::query(
        "INSERT OR REPLACE INTO flag_snoozes
             (credential, kind, version, stamp, why, raised, reason, until, at, who)
         SELECT credential, kind, version, stamp, why, raised, ?3, ?4, ?5, ?6 FROM flags
         WHERE credential = ?1 AND kind = ?2",
    )
    .bind(credential.to_string())
    .bind(kind.name())
    .bind(reason)
    .bind(words::time(until))
    .bind(words::time(Timestamp::now()))
    .bind(actor.as_str())
    .execute(transaction)
    .await?;
    Ok(kept.rows_affected() > 0)
}

/// The flag stands again, as it was, unless the password is another one now.
async fn end(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    credential: Uuid,
    kind: FlagKind,
) -> Result<bool, VaultError> {
    let raised = sqlx::query(
        "INSERT INTO flags (credential, kind, version, stamp, why, raised)
         SELECT s.credential, s.kind, s.version, s.stamp, s.why, s.raised FROM flag_snoozes s
         JOIN credentials p ON p.id = s.credential AND p.version = s.version
         WHERE s.credential = ?1 AND s.kind = ?2
         ON CONFLICT (credential, kind) DO NOTHING",
    )
    .bind(credential.to_string())
    .bind(kind.name())
    .execute(&mut *transaction)
    .await?;
    if !forget(transaction, credential, kind).await? {
        return Ok(false);
    }
    credentials::touch(transaction, credential).await?;
    let what = match raised.rows_affected() {
        0 => format!(
            "ended the snooze of the flag {}, whose fact is over",
            kind.name()
        ),
        _ => format!(
            "ended the snooze of the flag {}, which stands again",
            kind.name()
        ),
    };
    audit::write(transaction, actor, &what, &credential.to_string()).await?;
    Ok(true)
}

/// Drops a snooze and the clearing that came with it; says whether there was one.
pub(super) async fn forget(
    transaction: &mut SqliteConnection,
    credential: Uuid,
    kind: FlagKind,
) -> Result<bool, VaultError> {
    sqlx::query(
        "DELETE FROM flag_clearings WHERE credential = ?1 AND kind = ?2 AND EXISTS
             (SELECT 1 FROM flag_snoozes WHERE credential = ?1 AND kind = ?2)",
    )
    .bind(credential.to_string())
    .bind(kind.name())
    .execute(&mut *transaction)
    .await?;
    let dropped = sqlx::query("DELETE FROM flag_snoozes WHERE credential = ? AND kind = ?")
        .bind(credential.to_string())
        .bind(kind.name())
        .execute(transaction)
        .await?;
    Ok(dropped.rows_affected() > 0)
}

fn snoozed(row: &SqliteRow) -> Result<SnoozedFlag, VaultError> {
    Ok(SnoozedFlag {
        credential: words::id(row.try_get("credential")?)?,
        client: words::id(row.try_get("client")?)?,
        client_name: row.try_get("client_name")?,
        user_name: row.try_get("user_name")?,
        kind: words::value(row.try_get("kind")?)?,
        reason: row.try_get("reason")?,
        until: words::parse_time(row.try_get("until")?)?,
        by: row.try_get("who")?,
    })
}
