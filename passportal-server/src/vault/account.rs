//! A person's own account: the password, and the sessions that it opened.

use jiff::Timestamp;
use passportal_client::wire::{OwnSession, SessionKind};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::{Actor, Person, Vault, VaultError, audit, words};
use crate::token::TokenHash;

/// What the audit trail says of an ended session.
const ENDED: &str = "signed out one of their sessions";

impl Vault {
    /// Gives a person a new password. Their other sessions end; returns the number of those to come.
    pub(crate) async fn change_password(
        &self,
        person: &Person,
        hash: &str,
        keep: Option<&TokenHash>,
    ) -> Result<i64, VaultError> {
        let actor = Actor::person(&person.email);
        let mut transaction = self.database.write().await?;
        set_password(&mut transaction, person.id, hash).await?;
        let generation = end_sessions(&mut transaction, person.id, keep).await?;
        audit::write(&mut transaction, &actor, "changed their own password", "").await?;
        transaction.commit().await?;
        Ok(generation)
    }

    /// Gives a person a new password, at the word of whoever runs the vault's machine.
    pub(crate) async fn reset_password(&self, email: &str, hash: &str) -> Result<(), VaultError> {
        let person = self.person(email).await?;
        let mut transaction = self.database.write().await?;
        set_password(&mut transaction, person.id, hash).await?;
        end_sessions(&mut transaction, person.id, None).await?;
        let what = "reset the password of a person";
        audit::write(&mut transaction, &Actor::operator(), what, &person.email).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The person with an e-mail address.
    pub(crate) async fn person(&self, email: &str) -> Result<Person, VaultError> {
        let mut view = self.database.read().await?;
        let found: Option<(String, String)> =
            sqlx::query_as("SELECT id, email FROM admins WHERE email = ?")
                .bind(email)
                .fetch_optional(&mut *view)
                .await?;
        let (id, email) = found.ok_or(VaultError::NotFound { what: "person" })?;
        let id = words::id(&id)?;
        Ok(Person { id, email })
    }

    /// A person's API sessions. `current` is the one that asks.
    pub(crate) async fn api_sessions(
        &self,
        person: Uuid,
        current: Option<&TokenHash>,
    ) -> Result<Vec<OwnSession>, VaultError> {
        let mut view = self.database.read().await?;
        let found = sqlx::query(
            "SELECT id, created, COALESCE(seen, created) AS seen, address, program, hash = ?2 AS current
             FROM tokens
             WHERE admin = ?1 AND kind = 'person' AND revoked IS NULL AND expires > ?3",
        )
        .bind(person.to_string())
        .bind(current.map(TokenHash::as_str))
        .bind(words::time(Timestamp::now()))
        .fetch_all(&mut *view)
        .await?;
        found.iter().map(session).collect()
    }

    /// Ends one of a person's API sessions; says whether there was one.
    pub(crate) async fn end_api_session(
        &self,
        person: &Person,
        id: Uuid,
    ) -> Result<bool, VaultError> {
        let mut transaction = self.database.write().await?;
        let ended = sqlx::query(
            "UPDATE tokens SET revoked = ?3
             WHERE id = ?2 AND admin = ?1 AND kind = 'person' AND revoked IS NULL",
        )
        .bind(person.id.to_string())
        .bind(id.to_string())
        .bind(words::time(Timestamp::now()))
        .execute(&mut *transaction)
        .await?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        let actor = Actor::person(&person.email);
        audit::write(&mut transaction, &actor, ENDED, "").await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Writes down that a person ended one of their sessions at the dashboard, which the database does not have.
    pub(crate) async fn note_ended_session(&self, person: &Person) -> Result<(), VaultError> {
        self.note(&Actor::person(&person.email), ENDED, "").await
    }

    /// Ends every session of a person.
    pub(crate) async fn sign_out_everywhere(&self, person: &Person) -> Result<(), VaultError> {
        let actor = Actor::person(&person.email);
        let mut transaction = self.database.write().await?;
        end_sessions(&mut transaction, person.id, None).await?;
        audit::write(&mut transaction, &actor, "signed out everywhere", "").await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn session(row: &sqlx::sqlite::SqliteRow) -> Result<OwnSession, VaultError> {
    let id: Option<&str> = row.try_get("id")?;
    Ok(OwnSession {
        id: words::id(id.unwrap_or_default())?,
        kind: SessionKind::Api,
        begun: words::parse_time(row.try_get("created")?)?,
        seen: words::parse_time(row.try_get("seen")?)?,
        address: row.try_get("address")?,
        program: row.try_get::<Option<_>, _>("program")?.unwrap_or_default(),
        current: row.try_get::<Option<_>, _>("current")?.unwrap_or_default(),
    })
}

async fn set_password(
    transaction: &mut SqliteConnection,
    person: Uuid,
    hash: &str,
) -> Result<(), VaultError> {
    sqlx::query("UPDATE admins SET password_hash = ? WHERE id = ?")
        .bind(hash)
        .bind(person.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Ends a person's sessions at the dashboard and at the API, but for one token. Browsers are known no longer.
pub(super) async fn end_sessions(
    transaction: &mut SqliteConnection,
    person: Uuid,
    keep: Option<&TokenHash>,
) -> Result<i64, VaultError> {
    let id = person.to_string();
    sqlx::query(
        "UPDATE tokens SET revoked = ?2
         WHERE admin = ?1 AND kind = 'person' AND revoked IS NULL AND hash IS NOT ?3",
    )
    .bind(&id)
    .bind(words::time(Timestamp::now()))
    .bind(keep.map(TokenHash::as_str))
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM known_browsers WHERE admin = ?")
        .bind(&id)
        .execute(&mut *transaction)
        .await?;
    let generation = sqlx::query_scalar(
        "UPDATE admins SET generation = generation + 1 WHERE id = ? RETURNING generation",
    )
    .bind(&id)
    .fetch_one(transaction)
    .await?;
    Ok(generation)
}
