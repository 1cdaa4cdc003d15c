//! `Password touched`: a person who was shown the current password has been disabled since.

use passportal_client::wire::{Flag, FlagKind};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{VaultError, flags, snoozes, words};

const KIND: FlagKind = FlagKind::PasswordTouched;

/// Flags each credential whose current password this person was shown. A clearing or a snooze of before was about
/// somebody else.
pub(super) async fn flag_what_was_shown(
    transaction: &mut SqliteConnection,
    email: &str,
) -> Result<(), VaultError> {
    for (credential, version) in shown(transaction, email).await? {
        let flag = Flag {
            version,
            stamp: None,
            why: format!("{email} was shown this password and has been disabled since"),
        };
        snoozes::forget(transaction, credential, KIND).await?;
        flags::raise(transaction, credential, KIND, &flag).await?;
    }
    Ok(())
}

/// Ends the flag: the password is another one.
pub(super) async fn end(
    transaction: &mut SqliteConnection,
    credential: Uuid,
) -> Result<(), VaultError> {
    snoozes::forget(transaction, credential, KIND).await?;
    flags::take_down(transaction, credential, KIND).await
}

async fn shown(
    transaction: &mut SqliteConnection,
    email: &str,
) -> Result<Vec<(Uuid, u64)>, VaultError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT DISTINCT p.id, p.version FROM audit a JOIN credentials p ON p.id = a.subject
         WHERE a.who = ? AND a.at >= p.changed
             AND (a.what LIKE 'revealed%' OR a.what LIKE 'copied%' OR a.what LIKE 'exported%'
                 OR a.what LIKE 'fetched the sealed secrets%')",
    )
    .bind(email)
    .fetch_all(transaction)
    .await?;
    rows.into_iter()
        .map(|(id, version)| Ok((words::id(&id)?, words::unsigned(version)?)))
        .collect()
}
