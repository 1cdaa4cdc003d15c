//! What each person may do, and where.

use passportal_client::wire::Role;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::person_vault::{Member, Reach};
use super::rights::Rights;
use super::{Person, Vault, VaultError, words};

impl Vault {
    /// Who somebody is at this moment; `None` where they are disabled.
    pub(crate) async fn member(&self, person: Uuid) -> Result<Option<Member>, VaultError> {
        let mut view = self.database.read().await?;
        let found: Option<(String, String, String, bool)> = sqlx::query_as(
            "SELECT email, role, access, set_up_sync FROM admins WHERE id = ? AND disabled IS NULL",
        )
        .bind(person.to_string())
        .fetch_optional(&mut *view)
        .await?;
        let Some((email, role, access, set_up_sync)) = found else {
            return Ok(None);
        };
        let role: Role = words::value(&role)?;
        Ok(Some(Member {
            person: Person { id: person, email },
            rights: Rights { role, set_up_sync },
            reach: Reach::new(person, role, &access),
        }))
    }
}

/// Gives a person access to a client.
pub(super) async fn assign(
    transaction: &mut SqliteConnection,
    person: Uuid,
    client: Uuid,
) -> Result<(), VaultError> {
    sqlx::query("INSERT INTO assigned_clients (person, client) VALUES (?, ?)")
        .bind(person.to_string())
        .bind(client.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}
