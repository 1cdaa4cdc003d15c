//! Browsers that a person signed in with. They open nothing; the limit on wrong sign-ins counts them apart.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Vault, VaultError, words};
use crate::token::{Token, TokenHash};

/// How long a browser is known after the latest sign-in with it.
const KNOWN: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Vault {
    /// Whether somebody signed in to the account with this browser.
    pub(crate) async fn knows_browser(
        &self,
        email: &str,
        browser: &TokenHash,
    ) -> Result<bool, VaultError> {
        let mut view = self.database.read().await?;
        let known = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM known_browsers b JOIN admins p ON p.id = b.admin
             WHERE b.hash = ? AND p.email = ? AND b.expires > ?)",
        )
        .bind(browser.as_str())
        .bind(email)
        .bind(words::time(Timestamp::now()))
        .fetch_one(&mut *view)
        .await?;
        Ok(known)
    }

    /// Remembers a browser under a new token, instead of the one that it had.
    pub(crate) async fn know_browser(
        &self,
        person: Uuid,
        before: Option<&TokenHash>,
    ) -> Result<Token, VaultError> {
        let token = Token::generate();
        let now = Timestamp::now();
        let mut transaction = self.database.write().await?;
        sqlx::query("DELETE FROM known_browsers WHERE expires < ? OR (hash = ? AND admin = ?)")
            .bind(words::time(now))
            .bind(before.map(TokenHash::as_str))
            .bind(person.to_string())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO known_browsers (hash, admin, created, expires) VALUES (?, ?, ?, ?)",
        )
        .bind(token.hash().as_str())
        .bind(person.to_string())
        .bind(words::time(now))
        .bind(words::time(now + KNOWN))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(token)
    }
}
