//! Flags: what stands on a credential, what a person cleared, and what a report says should stand.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use passportal_client::wire::{
    ClearedFlag, Flag, FlagCleared, FlagKind, FlagQuery, FlaggedCredential,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::credentials::Which;
use super::person_vault::{Place, within};
use super::{Act, Actor, PersonVault, VaultError, audit, credentials, snoozes, words};

/// The longest reason that is kept.
const WHY_LENGTH: usize = 1000;

impl PersonVault<'_> {
    /// Standing flags, the latest first.
    pub(crate) async fn flags(
        &self,
        query: &FlagQuery,
    ) -> Result<Vec<FlaggedCredential>, VaultError> {
        let (mut view, reach) = self.read_within(Act::Read).await?;
        if let Some(client) = query.client {
            self.require(&mut view, Act::Read, Place::Client(client))
                .await?;
        }
        let rows = sqlx::query(concat!(
            "SELECT f.*, p.client, p.user_name, c.name AS client_name
             FROM flags f
             JOIN credentials p ON p.id = f.credential
             JOIN clients c ON c.id = p.client
             WHERE (?1 IS NULL OR p.client = ?1) AND (?2 IS NULL OR f.kind = ?2) AND ",
            within!("p.client", "?3"),
            " ORDER BY f.raised DESC, f.credential, f.kind",
        ))
        .bind(query.client.map(|id| id.to_string()))
        .bind(query.kind.map(FlagKind::name))
        .bind(reach.bound())
        .fetch_all(&mut *view)
        .await?;
        rows.iter().map(flagged).collect()
    }

    /// A person clears a flag: it stays down until its fact changes. The agent hears of it.
    pub(crate) async fn clear_flag(
        &self,
        credential: Uuid,
        kind: FlagKind,
    ) -> Result<FlagCleared, VaultError> {
        let count = self.clear_flags(&[(credential, kind)]).await?;
        Ok(FlagCleared { stood: count > 0 })
    }

    /// Clears those of these flags that stand, all at once. Returns how many stood.
    pub(crate) async fn clear_flags(
        &self,
        which: &[(Uuid, FlagKind)],
    ) -> Result<usize, VaultError> {
        let (act, actor) = (Act::ClearFlags, self.actor());
        let mut transaction = self.write_at(act, Place::Organization).await?;
        let mut woken = Vec::new();
        for (credential, kind) in which {
            let place = Place::Credential(*credential);
            self.require(&mut transaction, act, place).await?;
            let client = credentials::one(&mut transaction, *credential)
                .await?
                .client;
            if clear(&mut transaction, &actor, *credential, *kind).await? {
                let what = format!("cleared the flag {}", kind.name());
                audit::write(&mut transaction, &actor, &what, &credential.to_string()).await?;
                woken.push(client);
            }
        }
        transaction.commit().await?;
        let count = woken.len();
        for client in woken {
            self.wake(client);
        }
        Ok(count)
    }
}

/// Takes a flag down until its fact changes; says whether it stood.
pub(super) async fn clear(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    credential: Uuid,
    kind: FlagKind,
) -> Result<bool, VaultError> {
    let cleared = sqlx::query(
        "INSERT INTO flag_clearings (credential, kind, version, stamp, cleared, who)
             SELECT credential, kind, version, stamp, ?3, ?4 FROM flags
             WHERE credential = ?1 AND kind = ?2
             ON CONFLICT (credential, kind) DO UPDATE SET version = excluded.version,
                 stamp = excluded.stamp, cleared = excluded.cleared, who = excluded.who",
    )
    .bind(credential.to_string())
    .bind(kind.name())
    .bind(words::time(Timestamp::now()))
    .bind(actor.as_str())
    .execute(&mut *transaction)
    .await?;
    if cleared.rows_affected() == 0 {
        return Ok(false);
    }
    take_down(transaction, credential, kind).await?;
    credentials::touch(transaction, credential).await?;
    Ok(true)
}

/// Makes a credential's engine flags those of a report, except where a person cleared the same fact.
pub(super) async fn replace(
    transaction: &mut SqliteConnection,
    credential: Uuid,
    wanted: &BTreeMap<FlagKind, Flag>,
) -> Result<(), VaultError> {
    for kind in FlagKind::BY_AGENTS {
        match wanted.get(&kind) {
            Some(flag) if is_cleared(transaction, credential, kind, flag).await? => {
                take_down(transaction, credential, kind).await?;
            }
            Some(flag) => {
                snoozes::forget(transaction, credential, kind).await?;
                raise(transaction, credential, kind, flag).await?;
            }
            None => {
                snoozes::forget(transaction, credential, kind).await?;
                take_down(transaction, credential, kind).await?;
            }
        }
    }
    Ok(())
}

async fn is_cleared(
    transaction: &mut SqliteConnection,
    credential: Uuid,
    kind: FlagKind,
    flag: &Flag,
) -> Result<bool, VaultError> {
    let found: Option<(i64,)> = sqlx::query_as(
        "SELECT 1 FROM flag_clearings
         WHERE credential = ? AND kind = ? AND version = ? AND stamp IS ?",
    )
    .bind(credential.to_string())
    .bind(kind.name())
    .bind(words::signed(flag.version)?)
    .bind(flag.stamp.map(words::time))
    .fetch_optional(transaction)
    .await?;
    Ok(found.is_some())
}

/// Raises a flag; one that stands for the same fact keeps its time.
pub(super) async fn raise(
    transaction: &mut SqliteConnection,
    credential: Uuid,
    kind: FlagKind,
    flag: &Flag,
) -> Result<(), VaultError> {
    let why: String = flag.why.chars().take(WHY_LENGTH).collect();
    sqlx::query(
        "INSERT INTO flags (credential, kind, version, stamp, why, raised) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (credential, kind) DO UPDATE SET
             raised = CASE WHEN version = excluded.version AND stamp IS excluded.stamp
                           THEN raised ELSE excluded.raised END,
             version = excluded.version, stamp = excluded.stamp, why = excluded.why",
    )
    .bind(credential.to_string())
    .bind(kind.name())
    .bind(words::signed(flag.version)?)
    .bind(flag.stamp.map(words::time))
    .bind(why)
    .bind(words::time(Timestamp::now()))
    .execute(transaction)
    .await?;
    Ok(())
}

pub(super) async fn take_down(
    transaction: &mut SqliteConnection,
    credential: Uuid,
    kind: FlagKind,
) -> Result<(), VaultError> {
    sqlx::query("DELETE FROM flags WHERE credential = ? AND kind = ?")
        .bind(credential.to_string())
        .bind(kind.name())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Standing flags of a client's credentials, or of one credential.
pub(super) async fn by_credential(
    view: &mut SqliteConnection,
    which: &Which,
) -> Result<HashMap<Uuid, BTreeMap<FlagKind, Flag>>, VaultError> {
    let sql = match which {
        Which::OfClient(_) => {
            "SELECT f.* FROM flags f JOIN credentials p ON p.id = f.credential WHERE p.client = ?"
        }
        Which::One(_) => "SELECT * FROM flags WHERE credential = ?",
    };
    let rows = sqlx::query(sql).bind(which.id()).fetch_all(view).await?;
    let mut flags: HashMap<Uuid, BTreeMap<FlagKind, Flag>> = HashMap::new();
    for row in &rows {
        let credential = words::id(row.try_get("credential")?)?;
        let kind = words::value(row.try_get("kind")?)?;
        flags
            .entry(credential)
            .or_default()
            .insert(kind, flag(row)?);
    }
    Ok(flags)
}

type Counts = BTreeMap<FlagKind, u32>;

/// How many flags of each kind stand, by client.
pub(super) async fn counts(
    view: &mut SqliteConnection,
    client: Option<Uuid>,
) -> Result<HashMap<Uuid, Counts>, VaultError> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT c.client, f.kind, COUNT(*) FROM flags f
         JOIN credentials c ON c.id = f.credential
         WHERE ?1 IS NULL OR c.client = ?1 GROUP BY c.client, f.kind",
    )
    .bind(client.map(|id| id.to_string()))
    .fetch_all(view)
    .await?;
    let mut counts: HashMap<Uuid, Counts> = HashMap::new();
    for (client, kind, number) in rows {
        let of_client = counts.entry(words::id(&client)?).or_default();
        of_client.insert(words::value(&kind)?, words::count(number)?);
    }
    Ok(counts)
}

/// What people took down on a client's credentials, as far as agents raise it.
pub(super) async fn cleared(
    view: &mut SqliteConnection,
    client: Uuid,
) -> Result<HashMap<Uuid, BTreeMap<FlagKind, ClearedFlag>>, VaultError> {
    let rows = sqlx::query(
        "SELECT f.* FROM flag_clearings f JOIN credentials p ON p.id = f.credential
         WHERE p.client = ?",
    )
    .bind(client.to_string())
    .fetch_all(view)
    .await?;
    let mut cleared: HashMap<Uuid, BTreeMap<FlagKind, ClearedFlag>> = HashMap::new();
    for row in &rows {
        let kind = words::value(row.try_get("kind")?)?;
        if !FlagKind::BY_AGENTS.contains(&kind) {
            continue;
        }
        let flag = ClearedFlag {
            version: words::unsigned(row.try_get("version")?)?,
            stamp: words::parse_optional_time(row.try_get("stamp")?)?,
        };
        let credential = words::id(row.try_get("credential")?)?;
        cleared.entry(credential).or_default().insert(kind, flag);
    }
    Ok(cleared)
}

fn flag(row: &SqliteRow) -> Result<Flag, VaultError> {
    Ok(Flag {
        version: words::unsigned(row.try_get("version")?)?,
        stamp: words::parse_optional_time(row.try_get("stamp")?)?,
        why: row.try_get("why")?,
    })
}

fn flagged(row: &SqliteRow) -> Result<FlaggedCredential, VaultError> {
    Ok(FlaggedCredential {
        credential: words::id(row.try_get("credential")?)?,
        client: words::id(row.try_get("client")?)?,
        client_name: row.try_get("client_name")?,
        user_name: row.try_get("user_name")?,
        kind: words::value(row.try_get("kind")?)?,
        flag: flag(row)?,
        raised: words::parse_time(row.try_get("raised")?)?,
    })
}
