//! Signing in and out: a person's e-mail and password, and their API session.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::tokens::{self, Holder, NewToken, Origin};
use super::{Actor, Person, Vault, VaultError, audit, words};
use crate::password_hash;
use crate::token::{Token, TokenHash};

/// How long a person's API session lasts.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// The number that each person's sessions begin under.
pub(crate) type Generations = HashMap<Uuid, i64>;

/// What came of a sign-in.
pub(crate) enum SignIn {
    /// E-mail and password belong together.
    Right(Identified),
    /// They do not, or there is no such account: the caller cannot tell.
    Wrong,
}

/// A person whose password was right.
#[derive(Clone, Debug)]
pub(crate) struct Identified {
    pub(crate) person: Person,
    /// The number that the person's sessions begin under.
    pub(crate) generation: i64,
}

impl Vault {
    /// Tests an e-mail and a password.
    pub(crate) async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
    ) -> Result<SignIn, VaultError> {
        let found: Option<(String, String, String, i64)> = {
            let mut view = self.database.read().await?;
            sqlx::query_as(
                "SELECT id, email, password_hash, generation FROM admins WHERE email = ? AND disabled IS NULL",
            )
            .bind(email)
            .fetch_optional(&mut *view)
            .await?
        };
        let hash = found.as_ref().map(|(_, _, hash, _)| hash.clone());
        let right = password_hash::verify(password, hash).await?;
        match found {
            Some((id, email, _, generation)) if right => Ok(SignIn::Right(Identified {
                person: Person {
                    id: words::id(&id)?,
                    email,
                },
                generation,
            })),
            found => {
                let who = found.map_or_else(Actor::unknown, |(_, email, ..)| Actor::person(&email));
                self.note(&who, "failed to sign in: wrong e-mail or password", "")
                    .await?;
                Ok(SignIn::Wrong)
            }
        }
    }

    /// Opens an API session. `how` ends the audit trail's words.
    pub(crate) async fn open_session(
        &self,
        identified: &Identified,
        how: &str,
        program: String,
    ) -> Result<(Token, Timestamp), VaultError> {
        let person = &identified.person;
        let token = Token::generate();
        let expires = Timestamp::now() + SESSION;
        let mut transaction = self.database.write().await?;
        if generation(&mut transaction, person.id).await? != Some(identified.generation) {
            return Err(VaultError::Conflict(
                "the account was changed in the meantime; sign in again".to_owned(),
            ));
        }
        let new = NewToken {
            hash: token.hash(),
            holder: Holder::Person(person.clone()),
            expires: Some(expires),
        };
        tokens::insert(&mut transaction, &new).await?;
        tokens::set_origin(&mut transaction, &new.hash, &Origin::here(program)).await?;
        let actor = Actor::person(&person.email);
        let what = format!("signed in to the API{how}");
        audit::write(&mut transaction, &actor, &what, "").await?;
        transaction.commit().await?;
        Ok((token, expires))
    }

    /// The number that everybody's sessions begin under: those that began under an earlier one are over.
    pub(crate) async fn generations(&self) -> Result<Generations, VaultError> {
        let mut view = self.database.read().await?;
        let found: Vec<(String, i64)> = sqlx::query_as("SELECT id, generation FROM admins")
            .fetch_all(&mut *view)
            .await?;
        let read = found
            .into_iter()
            .map(|(id, generation)| Ok((words::id(&id)?, generation)));
        read.collect()
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

/// The number that the person's sessions begin under; `None` where they are disabled.
async fn generation(view: &mut SqliteConnection, person: Uuid) -> Result<Option<i64>, VaultError> {
    let sql = "SELECT generation FROM admins WHERE id = ? AND disabled IS NULL";
    let found = sqlx::query_scalar(sql)
        .bind(person.to_string())
        .fetch_optional(view)
        .await?;
    Ok(found)
}
