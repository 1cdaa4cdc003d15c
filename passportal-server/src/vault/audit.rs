//! The audit trail: who did what to which thing, when and from where. Append-only, each line chained to
//! the one before it.

use jiff::Timestamp;
use passportal_client::audit::{AuditHead, BrokenChain, Chain, hash_after};
use passportal_client::wire::{AuditLine, AuditQuery};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::person_vault::Place;
use super::{Act, Actor, PersonVault, Vault, VaultError, words};
use crate::caller_address;
use crate::database::Database;

/// Lines of an answer unless the caller says otherwise.
const LIMIT: u32 = 100;

/// The lines that a query means, the latest first or the earliest first.
macro_rules! select {
    ($order:literal) => {
        concat!(
            "SELECT a.*, h.hash, c.name AS client_name FROM audit a
             LEFT JOIN audit_chain h ON h.line = a.line
             LEFT JOIN clients c ON c.id = a.client
             WHERE (?1 IS NULL OR instr(lower(a.who), lower(?1)) > 0)
               AND (?2 IS NULL OR instr(lower(a.what), lower(?2)) > 0 OR a.subject = ?2)
               AND (?3 IS NULL OR a.client = ?3)
               AND (?4 IS NULL OR a.at >= ?4) AND (?5 IS NULL OR a.at < ?5)
               AND (?6 IS NULL OR a.line < ?6) AND (?7 IS NULL OR a.line > ?7)
             ORDER BY a.line ",
            $order,
            " LIMIT ?8"
        )
    };
}

/// What a look at every line found.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    /// The first line that is wrong; `None` where all are right.
    pub(crate) broken: Option<BrokenChain>,
    /// The last line that is right.
    pub(crate) head: AuditHead,
    /// Whether a hash that was kept elsewhere is one of the chain's, where one was given.
    pub(crate) holds_kept: Option<bool>,
}

impl PersonVault<'_> {
    /// The lines that a query means.
    pub(crate) async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditLine>, VaultError> {
        let place = Place::Organization;
        let mut view = self.read_at(Act::ReadAudit, place).await?;
        select(&mut view, query).await
    }

    /// Looks at every line.
    pub(crate) async fn verify_audit(&self, kept: Option<&str>) -> Result<Verified, VaultError> {
        let place = Place::Organization;
        let mut view = self.read_at(Act::ReadAudit, place).await?;
        verify(&mut view, kept).await
    }

    /// The last line's hash.
    pub(crate) async fn audit_head(&self) -> Result<AuditHead, VaultError> {
        let place = Place::Organization;
        let mut view = self.read_at(Act::ReadAudit, place).await?;
        head(&mut view).await
    }

    /// Writes down that the person takes something out of the vault that changes no row.
    pub(crate) async fn note_export(&self, act: Act, what: &str) -> Result<(), VaultError> {
        let place = Place::Organization;
        let mut transaction = self.write_at(act, place).await?;
        write(&mut transaction, &self.actor(), what, "").await?;
        transaction.commit().await?;
        Ok(())
    }
}

impl Vault {
    /// The next lines after one, the earliest first.
    pub(crate) async fn audit_after(&self, line: u64) -> Result<Vec<AuditLine>, VaultError> {
        let mut view = self.database.read().await?;
        page_after(&mut view, line).await
    }

    /// The last line that a syslog server has; 0 where it has none.
    pub(crate) async fn forwarded(&self, target: &str) -> Result<u64, VaultError> {
        let mut view = self.database.read().await?;
        let line: Option<i64> =
            sqlx::query_scalar("SELECT line FROM audit_forwarded WHERE target = ?")
                .bind(target)
                .fetch_optional(&mut *view)
                .await?;
        words::unsigned(line.unwrap_or_default())
    }

    /// Notes the last line that a syslog server has.
    pub(crate) async fn note_forwarded(&self, target: &str, line: u64) -> Result<(), VaultError> {
        let mut transaction = self.database.write().await?;
        sqlx::query(
            "INSERT INTO audit_forwarded (target, line) VALUES (?, ?)
             ON CONFLICT (target) DO UPDATE SET line = excluded.line",
        )
        .bind(target)
        .bind(words::signed(line)?)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Writes one line, in the transaction of what it tells about.
///
/// The client that it concerns is that of the subject, or of the agent that acts.
pub(super) async fn write(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    what: &str,
    subject: &str,
) -> Result<(), VaultError> {
    let row = sqlx::query(
        "INSERT INTO audit (at, who, what, subject, address, client)
         VALUES (?1, ?2, ?3, ?4, ?5, COALESCE(
             (SELECT id FROM clients WHERE id = ?4), (SELECT client FROM credentials WHERE id = ?4),
             (SELECT client FROM plans WHERE id = ?4), (SELECT client FROM agents WHERE id = ?4),
             (SELECT client FROM agents WHERE 'agent ' || id = ?2 AND id = substr(?2, 7))))
         RETURNING *, NULL AS hash, NULL AS client_name",
    )
    .bind(words::time(Timestamp::now()))
    .bind(actor.as_str())
    .bind(what)
    .bind(subject)
    .bind(caller_address::current().map(|address| address.to_string()))
    .fetch_one(&mut *transaction)
    .await?;
    let before = head(transaction).await?;
    let line = line(&row)?;
    chain(transaction, &line, &hash_after(&before.hash, &line)).await
}

/// Writes one line about what happens outside the database.
pub(crate) async fn note(database: &Database, actor: &Actor, what: &str) -> Result<(), VaultError> {
    let mut transaction = database.write().await?;
    write(&mut transaction, actor, what, "").await?;
    transaction.commit().await?;
    Ok(())
}

async fn chain(
    transaction: &mut SqliteConnection,
    line: &AuditLine,
    hash: &str,
) -> Result<(), VaultError> {
    sqlx::query("INSERT INTO audit_chain (line, hash) VALUES (?, ?)")
        .bind(words::signed(line.line)?)
        .bind(hash)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Chains the lines of a vault from before there was a chain. A chain that has begun is left alone: a line
/// without a hash would be one that this program did not write.
pub(crate) async fn chain_what_was_there(database: &Database) -> Result<(), VaultError> {
    let mut transaction = database.write().await?;
    let mut last = head(&mut transaction).await?;
    if last.line > 0 {
        return Ok(());
    }
    loop {
        let lines = page_after(&mut transaction, last.line).await?;
        let Some(end) = lines.last().map(|line| line.line) else {
            break;
        };
        for line in &lines {
            last.hash = hash_after(&last.hash, line);
            chain(&mut transaction, line, &last.hash).await?;
        }
        last.line = end;
    }
    transaction.commit().await?;
    Ok(())
}

/// Looks at every line, from the first on, and for a hash that was kept elsewhere.
pub(crate) async fn verify(
    view: &mut SqliteConnection,
    kept: Option<&str>,
) -> Result<Verified, VaultError> {
    let mut chain = Chain::default();
    let mut holds_kept = kept.map(|kept| kept == chain.head().hash);
    let mut broken = None;
    'pages: loop {
        let lines = page_after(view, chain.head().line).await?;
        if lines.is_empty() {
            break;
        }
        for line in &lines {
            if let Err(error) = chain.take(line) {
                broken = Some(error);
                break 'pages;
            }
            holds_kept = holds_kept.map(|found| found || kept == Some(&line.hash));
        }
    }
    if broken.is_none() {
        broken = cut_off(view, chain.head()).await?;
    }
    Ok(Verified {
        broken,
        head: chain.head().clone(),
        holds_kept,
    })
}

/// The hash of a line that is no longer there tells that the end was cut off carelessly.
async fn cut_off(
    view: &mut SqliteConnection,
    end: &AuditHead,
) -> Result<Option<BrokenChain>, VaultError> {
    let last = head(view).await?;
    Ok((last.line > end.line).then_some(BrokenChain::Missing { line: end.line + 1 }))
}

/// The next lines after one, the earliest first.
pub(crate) async fn page_after(
    view: &mut SqliteConnection,
    after: u64,
) -> Result<Vec<AuditLine>, VaultError> {
    let query = AuditQuery {
        after: Some(after),
        limit: Some(AuditQuery::MOST),
        ..AuditQuery::default()
    };
    select(view, &query).await
}

async fn select(
    view: &mut SqliteConnection,
    query: &AuditQuery,
) -> Result<Vec<AuditLine>, VaultError> {
    let sql = match query.after {
        None => select!("DESC"),
        Some(_) => select!("ASC"),
    };
    let rows = sqlx::query(sql)
        .bind(query.who.as_deref())
        .bind(query.what.as_deref())
        .bind(query.client.map(|id| id.to_string()))
        .bind(query.from.map(words::time))
        .bind(query.until.map(words::time))
        .bind(query.before.map(words::signed).transpose()?)
        .bind(query.after.map(words::signed).transpose()?)
        .bind(query.limit.unwrap_or(LIMIT).clamp(1, AuditQuery::MOST))
        .fetch_all(view)
        .await?;
    rows.iter().map(line).collect()
}

/// The chain's last link.
pub(crate) async fn head(view: &mut SqliteConnection) -> Result<AuditHead, VaultError> {
    let found: Option<(i64, String)> =
        sqlx::query_as("SELECT line, hash FROM audit_chain ORDER BY line DESC LIMIT 1")
            .fetch_optional(view)
            .await?;
    let Some((line, hash)) = found else {
        return Ok(AuditHead::default());
    };
    let line = words::unsigned(line)?;
    Ok(AuditHead { line, hash })
}

fn line(row: &SqliteRow) -> Result<AuditLine, VaultError> {
    let client: Option<&str> = row.try_get("client")?;
    Ok(AuditLine {
        line: words::unsigned(row.try_get("line")?)?,
        at: words::parse_time(row.try_get("at")?)?,
        who: row.try_get("who")?,
        what: row.try_get("what")?,
        subject: row.try_get("subject")?,
        client: client.map(words::id).transpose()?,
        client_name: row.try_get("client_name")?,
        address: row.try_get("address")?,
        hash: row.try_get::<Option<_>, _>("hash")?.unwrap_or_default(),
    })
}
