//! Recovery codes, for when a second factor is lost: hashed, each good once.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::second_factor::TakenCode;
use super::{Actor, Person, Vault, VaultError, audit, words};
use crate::authenticator::{TypedCode, recovery_codes};
use crate::token::TokenHash;

impl Vault {
    /// Makes new recovery codes; the old ones are void.
    pub(crate) async fn renew_recovery_codes(
        &self,
        person: &Person,
    ) -> Result<Vec<SecretString>, VaultError> {
        let actor = Actor::person(&person.email);
        let mut transaction = self.database.write().await?;
        let codes = replace(&mut transaction, person.id).await?;
        audit::write(&mut transaction, &actor, "made new recovery codes", "").await?;
        transaction.commit().await?;
        Ok(codes)
    }
}

/// Takes a code, if it is one of the person's and was not used before.
pub(super) async fn take(
    transaction: &mut SqliteConnection,
    person: Uuid,
    code: &str,
) -> Result<Option<TakenCode>, VaultError> {
    let taken = sqlx::query(
        "UPDATE recovery_codes SET used = ?3 WHERE hash = ?2 AND admin = ?1 AND used IS NULL",
    )
    .bind(person.to_string())
    .bind(TokenHash::of(code).as_str())
    .bind(words::time(Timestamp::now()))
    .execute(transaction)
    .await?;
    Ok((taken.rows_affected() > 0).then_some(TakenCode::Recovery))
}

/// Makes new ones instead of those that there are.
pub(super) async fn replace(
    transaction: &mut SqliteConnection,
    person: Uuid,
) -> Result<Vec<SecretString>, VaultError> {
    forget(transaction, person).await?;
    let codes = recovery_codes();
    for code in &codes {
        let TypedCode::Recovery(plain) = TypedCode::read(code.expose_secret()) else {
            return Err(VaultError::Unreadable {
                what: "a recovery code",
            });
        };
        sqlx::query("INSERT INTO recovery_codes (hash, admin, made) VALUES (?, ?, ?)")
            .bind(TokenHash::of(&plain).as_str())
            .bind(person.to_string())
            .bind(words::time(Timestamp::now()))
            .execute(&mut *transaction)
            .await?;
    }
    Ok(codes)
}

pub(super) async fn forget(
    transaction: &mut SqliteConnection,
    person: Uuid,
) -> Result<(), VaultError> {
    sqlx::query("DELETE FROM recovery_codes WHERE admin = ?")
        .bind(person.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}
