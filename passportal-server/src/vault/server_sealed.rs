//! What is sealed with the server's own key: the secrets of API keys, of second factors and of notice channels.

use jiff::Timestamp;
use passportal_client::wire::NoticeSettings;
use sqlx::SqliteConnection;

use super::{Actor, VaultError, audit, words};
use crate::database::Database;
use crate::server_key::ServerKey;

/// A table with sealed secrets: its name, a secret of it with the id of its row, and what the secret is sealed for.
type Kept = (&'static str, &'static str, fn(&str) -> String);

const TABLES: [Kept; 3] = [
    (
        "api_keys",
        "SELECT api_key, secret_sealed FROM api_keys WHERE revoked IS NULL LIMIT 1",
        str::to_owned,
    ),
    (
        "second_factors",
        "SELECT admin, sealed FROM second_factors LIMIT 1",
        second_factor,
    ),
    (
        "notice_channels",
        "SELECT id, secret_sealed FROM notice_channels WHERE secret_sealed IS NOT NULL LIMIT 1",
        notice_channel,
    ),
];

/// What a person's second factor is sealed for.
pub(super) fn second_factor(person: &str) -> String {
    format!("second factor {person}")
}

/// What a channel's secret is sealed for.
pub(super) fn notice_channel(channel: &str) -> String {
    format!("notice channel {channel}")
}

/// Whether the server key opens what was sealed with it. A vault that has nothing sealed takes any, and so does one that is
/// older than what is sealed.
pub(crate) async fn server_key_fits(
    view: &mut SqliteConnection,
    server_key: &ServerKey,
) -> Result<bool, VaultError> {
    for (table, select, name) in TABLES {
        if !has_table(view, table).await? {
            continue;
        }
        let found: Option<(String, String)> =
            sqlx::query_as(select).fetch_optional(&mut *view).await?;
        let opens = |(id, sealed): (String, String)| server_key.open(&name(&id), &sealed).is_some();
        if !found.is_none_or(opens) {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn has_table(view: &mut SqliteConnection, name: &str) -> Result<bool, VaultError> {
    let there = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)",
    );
    Ok(there.bind(name).fetch_one(view).await?)
}

/// What ended because the server's key is a new one, which opens nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) second_factors: u64,
    pub(crate) api_keys: u64,
    pub(crate) notice_channels: u64,
}

/// Ends everything that the server's former key sealed: second factors are off, API keys revoked, channels paused.
pub(crate) async fn forget_sealed(
    database: &Database,
    actor: &Actor,
) -> Result<Forgotten, VaultError> {
    let mut transaction = database.write().await?;
    sqlx::query("DELETE FROM recovery_codes")
        .execute(&mut *transaction)
        .await?;
    let second_factors = sqlx::query("DELETE FROM second_factors")
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    let api_keys = revoke_api_keys(&mut transaction).await?;
    let notice_channels = pause_channels(&mut transaction).await?;
    let counted = [
        (second_factors, "turned off every second factor"),
        (api_keys, "revoked every API key"),
        (notice_channels, "paused every notice channel with a secret"),
    ];
    for (_, what) in counted.into_iter().filter(|(count, _)| *count > 0) {
        let what = format!("{what}: the server's key is a new one");
        audit::write(&mut transaction, actor, &what, "").await?;
    }
    transaction.commit().await?;
    Ok(Forgotten {
        second_factors,
        api_keys,
        notice_channels,
    })
}

async fn revoke_api_keys(transaction: &mut SqliteConnection) -> Result<u64, VaultError> {
    let now = words::time(Timestamp::now());
    sqlx::query("UPDATE tokens SET revoked = ? WHERE api_key IS NOT NULL AND revoked IS NULL")
        .bind(&now)
        .execute(&mut *transaction)
        .await?;
    let revoked = sqlx::query("UPDATE api_keys SET revoked = ? WHERE revoked IS NULL")
        .bind(&now)
        .execute(transaction)
        .await?;
    Ok(revoked.rows_affected())
}

async fn pause_channels(transaction: &mut SqliteConnection) -> Result<u64, VaultError> {
    let found: Vec<(String, String)> =
        sqlx::query_as("SELECT id, settings FROM notice_channels WHERE secret_sealed IS NOT NULL")
            .fetch_all(&mut *transaction)
            .await?;
    for (id, settings) in &found {
        let settings = NoticeSettings {
            paused: true,
            ..words::from_json(settings)?
        };
        sqlx::query(
            "UPDATE notice_channels SET secret_sealed = NULL, settings = ?, failure = ? WHERE id = ?",
        )
        .bind(words::to_json(&settings)?)
        .bind("its secret was lost with the server's key; remove the channel and add it anew")
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(found.len() as u64)
}
