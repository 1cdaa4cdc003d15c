//! The audit trail: who did what to which thing, when. Append-only.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{Actor, VaultError, words};

/// Writes one line, in the transaction of what it tells about.
pub(super) async fn write(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    what: &str,
    subject: &str,
) -> Result<(), VaultError> {
    sqlx::query("INSERT INTO audit (at, who, what, subject) VALUES (?, ?, ?, ?)")
        .bind(words::time(Timestamp::now()))
        .bind(actor.as_str())
        .bind(what)
        .bind(subject)
        .execute(transaction)
        .await?;
    Ok(())
}
