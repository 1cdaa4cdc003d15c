//! What changed for an agent since its cursor, and waiting for it.

use std::collections::BTreeMap;
use std::time::Duration;

use passportal_client::wire::{
    ChangedCredential, Changes, ChangesQuery, Confirmation, Extent, FlagKind, SealedText,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::credentials::Which;
use super::cursor::Cursor;
use super::lease::Holder;
use super::{Vault, VaultError, attempts, clients, credentials, flags, plans, words};
use crate::token::TokenHash;

/// The longest wait.
const WAIT: u32 = 60;

/// Credentials in one answer unless the agent says otherwise, and at the most.
const LIMIT: u32 = 500;
const LIMIT_MOST: u32 = 1000;

impl Vault {
    /// The next page. Where nothing changed it waits as long as was asked for, or until `closing`.
    ///
    /// A token that is revoked meanwhile ends the wait.
    pub(crate) async fn changes(
        &self,
        agent: Uuid,
        client: Uuid,
        token: &TokenHash,
        query: &ChangesQuery,
        closing: &CancellationToken,
    ) -> Result<Changes, VaultError> {
        let changes = self.await_news(client, token, query, closing).await?;
        if let Some(instance) = query.instance
            && !changes.rulings.is_empty()
        {
            let reader = Holder::process(agent, instance);
            self.note_heard(&reader, client, &changes.rulings).await?;
        }
        Ok(changes)
    }

    async fn await_news(
        &self,
        client: Uuid,
        token: &TokenHash,
        query: &ChangesQuery,
        closing: &CancellationToken,
    ) -> Result<Changes, VaultError> {
        let mut wakeups = self.wakeups.subscribe(client);
        let wait = Duration::from_secs(query.wait.min(WAIT).into());
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            if self.holder(token).await?.is_none() {
                return Err(VaultError::Revoked);
            }
            self.notice_restore(query.cursor.as_deref()).await?;
            let page = self.page(client, query).await?;
            if page.is_news() || tokio::time::Instant::now() >= deadline {
                return Ok(page.changes);
            }
            tokio::select! {
                () = closing.cancelled() => return Ok(page.changes),
                () = tokio::time::sleep_until(deadline) => {}
                _ = wakeups.changed() => {}
            }
        }
    }

    /// A cursor of this very history that is ahead of it proves that an older copy of the database
    /// was put back. From here on it is another history, and every agent begins with first contact.
    async fn notice_restore(&self, cursor: Option<&str>) -> Result<(), VaultError> {
        let Some(cursor) = cursor.and_then(|text| text.parse::<Cursor>().ok()) else {
            return Ok(());
        };
        let now = Now::read(&mut *self.database.read().await?).await?;
        if cursor.epoch != now.epoch || cursor.seq <= now.seq {
            return Ok(());
        }
        let mut transaction = self.database.write().await?;
        sqlx::query("UPDATE organization SET epoch = ? WHERE epoch = ?")
            .bind(Uuid::new_v4().to_string())
            .bind(now.epoch.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        warn!("an older copy of the vault was put back: a new epoch begins");
        Ok(())
    }

    async fn page(&self, client: Uuid, query: &ChangesQuery) -> Result<Page, VaultError> {
        let mut view = self.database.read().await?;
        let now = Now::read(&mut view).await?;
        let cursor = now.usable(query.cursor.as_deref());
        let limit = query.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MOST);
        let (settings, settings_seq) = clients::settings_and_seq(&mut view, client).await?;
        let rows = changed_rows(&mut view, client, cursor.seq, limit + 1).await?;
        let more = rows.len() > limit as usize;
        let rows = rows.get(..limit as usize).unwrap_or(&rows);
        let reached = match rows.last() {
            Some(last) if more => last.try_get("seq")?,
            _ => now.seq,
        };
        let credentials = assemble(&mut view, client, cursor.seq, reached, rows).await?;
        let rulings = plans::rulings(&mut view, client).await?;
        let next = Cursor {
            epoch: now.epoch,
            seq: reached,
            extent: if more { cursor.extent } else { Extent::Changes },
        };
        Ok(Page {
            settings_changed: settings_seq > cursor.seq,
            changes: Changes {
                epoch: now.epoch,
                cursor: next.to_string(),
                extent: cursor.extent,
                more,
                client: settings,
                credentials,
                rulings,
            },
        })
    }
}

struct Page {
    changes: Changes,
    settings_changed: bool,
}

impl Page {
    fn is_news(&self) -> bool {
        let full = self.changes.extent == Extent::Full;
        full || self.settings_changed || !self.changes.credentials.is_empty()
    }
}

/// Where the vault's history stands.
struct Now {
    epoch: Uuid,
    seq: i64,
}

impl Now {
    async fn read(view: &mut SqliteConnection) -> Result<Self, VaultError> {
        let (epoch, seq): (String, i64) = sqlx::query_as("SELECT epoch, seq FROM organization")
            .fetch_one(view)
            .await?;
        let epoch = words::id(&epoch)?;
        Ok(Self { epoch, seq })
    }

    /// The cursor, or a full reading where it is missing or of another history.
    fn usable(&self, cursor: Option<&str>) -> Cursor {
        cursor
            .and_then(|text| text.parse::<Cursor>().ok())
            .filter(|cursor| cursor.epoch == self.epoch && cursor.seq <= self.seq)
            .unwrap_or(Cursor {
                epoch: self.epoch,
                seq: 0,
                extent: Extent::Full,
            })
    }
}

async fn changed_rows(
    view: &mut SqliteConnection,
    client: Uuid,
    after: i64,
    limit: u32,
) -> Result<Vec<SqliteRow>, VaultError> {
    let rows = sqlx::query(
        "SELECT p.*, c.default_mode FROM credentials p JOIN clients c ON c.id = p.client
         WHERE p.client = ? AND p.seq > ? ORDER BY p.seq LIMIT ?",
    )
    .bind(client.to_string())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(view)
    .await?;
    Ok(rows)
}

async fn assemble(
    view: &mut SqliteConnection,
    client: Uuid,
    after: i64,
    until: i64,
    rows: &[SqliteRow],
) -> Result<Vec<ChangedCredential>, VaultError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut attempts = attempts::that_matter(view, client, after, until).await?;
    let mut flags = flags::by_credential(view, &Which::OfClient(client)).await?;
    let mut cleared = flags::cleared(view, client).await?;
    rows.iter()
        .map(|row| {
            let id = words::id(row.try_get("id")?)?;
            let mut flags = flags.remove(&id).unwrap_or_default();
            flags.retain(|kind, _| FlagKind::BY_AGENTS.contains(kind));
            Ok(ChangedCredential {
                attempts: attempts.remove(&id).unwrap_or_default(),
                flags,
                cleared: cleared.remove(&id).unwrap_or_default(),
                ..changed(row, id)?
            })
        })
        .collect()
}

fn changed(row: &SqliteRow, id: Uuid) -> Result<ChangedCredential, VaultError> {
    let (_, mode) = credentials::modes(row)?;
    Ok(ChangedCredential {
        id,
        user_name: row.try_get("user_name")?,
        credential_type: row.try_get("credential_type")?,
        version: words::unsigned(row.try_get("version")?)?,
        changed_by: row.try_get("changed_by")?,
        changed: Some(words::parse_time(row.try_get("changed")?)?),
        mode,
        standing: words::value(row.try_get("standing")?)?,
        sealed: SealedText(row.try_get("sealed")?),
        confirmed: confirmed(row)?,
        attempts: Vec::new(),
        flags: BTreeMap::new(),
        cleared: BTreeMap::new(),
    })
}

fn confirmed(row: &SqliteRow) -> Result<Option<Confirmation>, VaultError> {
    let version: Option<i64> = row.try_get("confirmed_version")?;
    let at: Option<&str> = row.try_get("confirmed_at")?;
    match (version, at) {
        (Some(version), Some(at)) => Ok(Some(Confirmation {
            version: words::unsigned(version)?,
            at: words::parse_time(at)?,
            by: row.try_get("confirmed_by")?,
        })),
        _ => Ok(None),
    }
}
