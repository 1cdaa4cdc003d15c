//! Signing in and out: a person's e-mail and password, and their API session.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::tokens::{self, Holder, NewToken};
use super::{Actor, Person, Vault, VaultError, audit, words};
use crate::password_hash;
use crate::token::{Token, TokenHash};

/// How long a person's API session lasts.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// What came of a sign-in.
pub(crate) enum SignIn {
    /// E-mail and password belong together.
    Right(Person),
    /// They do not, or there is no such account: the caller cannot tell.
    Wrong,
}

impl Vault {
    /// Tests an e-mail and a password.
    pub(crate) async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
    ) -> Result<SignIn, VaultError> {
        let found: Option<(String, String, String)> = {
            let mut view = self.database.read().await?;
            sqlx::query_as("SELECT id, email, password_hash FROM admins WHERE email = ?")
                .bind(email)
                .fetch_optional(&mut *view)
                .await?
        };
        let hash = found.as_ref().map(|(_, _, hash)| hash.clone());
        let right = password_hash::verify(password, hash).await?;
        match found {
            Some((id, email, _)) if right => Ok(SignIn::Right(Person {
                id: words::id(&id)?,
                email,
            })),
            found => {
                let who = found.map_or_else(Actor::unknown, |(_, email, _)| Actor::person(&email));
                self.note(&who, "failed to sign in: wrong e-mail or password", "")
                    .await?;
                Ok(SignIn::Wrong)
            }
        }
    }

    /// Opens an API session.
    pub(crate) async fn open_session(
        &self,
        person: &Person,
    ) -> Result<(Token, Timestamp), VaultError> {
        let token = Token::generate();
        let expires = Timestamp::now() + SESSION;
        let mut transaction = self.database.write().await?;
        tokens::insert(
            &mut transaction,
            &NewToken {
                hash: token.hash(),
                holder: Holder::Person(person.clone()),
                expires: Some(expires),
            },
        )
        .await?;
        let actor = Actor::person(&person.email);
        audit::write(&mut transaction, &actor, "signed in to the API", "").await?;
        transaction.commit().await?;
        Ok((token, expires))
    }

    /// Ends an API session.
    pub(crate) async fn close_session(
        &self,
        actor: &Actor,
        token: &TokenHash,
    ) -> Result<(), VaultError> {
        let mut transaction = self.database.write().await?;
        tokens::revoke(&mut transaction, token).await?;
        audit::write(&mut transaction, actor, "signed out of the API", "").await?;
        transaction.commit().await?;
        Ok(())
    }
}
