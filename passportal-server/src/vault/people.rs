//! People: their accounts.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Actor, Vault, VaultError, audit, words};

/// A person of the organization.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) email: String,
}

impl Vault {
    /// Writes down what the dashboard let a person do that changes no row of its own.
    pub(crate) async fn note(
        &self,
        actor: &Actor,
        what: &str,
        subject: &str,
    ) -> Result<(), VaultError> {
        let mut transaction = self.database.write().await?;
        audit::write(&mut transaction, actor, what, subject).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Adds an Organization Admin's row; returns its id.
pub(crate) async fn insert(
    transaction: &mut SqliteConnection,
    email: &str,
    password_hash: &str,
) -> Result<Uuid, VaultError> {
    let id = Uuid::new_v4();
    sqlx::query("INSERT INTO admins (id, email, password_hash, created) VALUES (?, ?, ?, ?)")
        .bind(id.to_string())
        .bind(email)
        .bind(password_hash)
        .bind(words::time(Timestamp::now()))
        .execute(transaction)
        .await?;
    Ok(id)
}
