//! A person's second factor as it rests: the secret sealed with the server's key, and the latest code that was taken, so that
//! none is taken twice.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::OwnAccount;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{Actor, Person, Vault, VaultError, audit, recovery_codes, server_sealed, words};
use crate::authenticator::{Authenticator, TypedCode};
use crate::server_key::ServerKey;

/// How long a secret waits for its first code: longer, and somebody else may be at the browser by then.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// A secret that waits for its first code.
pub(crate) struct Begun {
    pub(crate) secret: SecretString,
    /// As an `otpauth://` address.
    pub(crate) address: SecretString,
}

/// Which code was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TakenCode {
    OneTime,
    Recovery,
}

impl Vault {
    /// What there is to know of a person's account.
    pub(crate) async fn own_account(&self, person: &Person) -> Result<OwnAccount, VaultError> {
        let mut view = self.database.read().await?;
        let id = person.id.to_string();
        let since: Option<Option<String>> =
            sqlx::query_scalar("SELECT confirmed FROM second_factors WHERE admin = ?")
                .bind(&id)
                .fetch_optional(&mut *view)
                .await?;
        let left: u32 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM recovery_codes WHERE admin = ? AND used IS NULL",
        )
        .bind(&id)
        .fetch_one(&mut *view)
        .await?;
        Ok(OwnAccount {
            email: person.email.clone(),
            second_factor_since: words::parse_optional_time(since.flatten().as_deref())?,
            recovery_codes_left: left,
        })
    }

    /// Whether signing in takes a code.
    pub(crate) async fn needs_code(&self, person: Uuid) -> Result<bool, VaultError> {
        let mut view = self.database.read().await?;
        Ok(find(&mut view, person)
            .await?
            .is_some_and(|it| it.confirmed))
    }

    /// Makes a secret that its first code turns on, instead of one that waited before.
    pub(crate) async fn begin_second_factor(&self, person: &Person) -> Result<Begun, VaultError> {
        let app = Authenticator::generate();
        let text = app.to_base32();
        let sealed = self.server_key.seal(
            &server_sealed::second_factor(&person.id.to_string()),
            text.expose_secret(),
        );
        let mut transaction = self.database.write().await?;
        let begun = sqlx::query(
            "INSERT INTO second_factors (admin, sealed, begun) VALUES (?1, ?2, ?3)
             ON CONFLICT (admin) DO UPDATE SET sealed = ?2, begun = ?3 WHERE confirmed IS NULL",
        )
        .bind(person.id.to_string())
        .bind(sealed.ok_or(VaultError::ServerKey)?)
        .bind(words::time(Timestamp::now()))
        .execute(&mut *transaction)
        .await?;
        if begun.rows_affected() == 0 {
            return Err(VaultError::refused(
                "the second factor is on already; turn it off first to set it up anew",
            ));
        }
        let actor = Actor::person(&person.email);
        let what = "began to set up their second factor";
        audit::write(&mut transaction, &actor, what, "").await?;
        transaction.commit().await?;
        self.shown(person, &app)
    }

    /// The secret that waits for its first code, where there is one.
    pub(crate) async fn begun_second_factor(
        &self,
        person: &Person,
    ) -> Result<Option<Begun>, VaultError> {
        let mut view = self.database.read().await?;
        match find(&mut view, person.id).await? {
            Some(found) if found.waits(Timestamp::now()) => {
                let app = found.open(&self.server_key, person.id)?;
                self.shown(person, &app).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn shown(&self, person: &Person, app: &Authenticator) -> Result<Begun, VaultError> {
        let address = app.address(&self.organization.name, &person.email);
        Ok(Begun {
            secret: app.to_base32(),
            address: address.ok_or(VaultError::Unreadable { what: "a secret" })?,
        })
    }

    /// Turns the second factor on by its first code; returns the recovery codes.
    pub(crate) async fn confirm_second_factor(
        &self,
        person: &Person,
        code: &str,
    ) -> Result<Vec<SecretString>, VaultError> {
        let mut transaction = self.database.write().await?;
        let now = Timestamp::now();
        let found = match find(&mut transaction, person.id).await? {
            Some(found) if found.waits(now) => found,
            _ => {
                return Err(VaultError::refused(
                    "no second factor waits for its first code",
                ));
            }
        };
        let app = found.open(&self.server_key, person.id)?;
        let TypedCode::OneTime(code) = TypedCode::read(code) else {
            return Err(wrong_first_code());
        };
        let step = app.step_of(&code, now).ok_or_else(wrong_first_code)?;
        sqlx::query("UPDATE second_factors SET confirmed = ?, last_step = ? WHERE admin = ?")
            .bind(words::time(now))
            .bind(words::signed(step)?)
            .bind(person.id.to_string())
            .execute(&mut *transaction)
            .await?;
        let codes = recovery_codes::replace(&mut transaction, person.id).await?;
        let actor = Actor::person(&person.email);
        audit::write(
            &mut transaction,
            &actor,
            "turned their second factor on",
            "",
        )
        .await?;
        transaction.commit().await?;
        Ok(codes)
    }

    /// Takes a code, if it is right and was not taken before.
    pub(crate) async fn take_code(
        &self,
        person: &Person,
        code: &str,
    ) -> Result<Option<TakenCode>, VaultError> {
        let mut transaction = self.database.write().await?;
        let taken = match TypedCode::read(code) {
            TypedCode::OneTime(code) => {
                take_one_time_code(&mut transaction, &self.server_key, person.id, &code).await?
            }
            TypedCode::Recovery(code) => {
                recovery_codes::take(&mut transaction, person.id, &code).await?
            }
        };
        let actor = Actor::person(&person.email);
        if taken == Some(TakenCode::Recovery) {
            audit::write(&mut transaction, &actor, "used a recovery code", "").await?;
        }
        transaction.commit().await?;
        Ok(taken)
    }

    /// Turns a person's second factor off.
    pub(crate) async fn end_second_factor(&self, person: &Person) -> Result<(), VaultError> {
        let actor = Actor::person(&person.email);
        let mut transaction = self.database.write().await?;
        forget(&mut transaction, person.id).await?;
        audit::write(
            &mut transaction,
            &actor,
            "turned their second factor off",
            "",
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Turns a lost second factor off, at the word of whoever runs the vault's machine. The person's sessions end.
    pub(crate) async fn reset_second_factor(&self, email: &str) -> Result<(), VaultError> {
        let person = self.person(email).await?;
        let mut transaction = self.database.write().await?;
        if find(&mut transaction, person.id).await?.is_none() {
            return Err(VaultError::refused("this person has no second factor"));
        }
        forget(&mut transaction, person.id).await?;
        super::account::end_sessions(&mut transaction, person.id, None).await?;
        let what = "turned off the second factor of a person";
        audit::write(&mut transaction, &Actor::operator(), what, &person.email).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn wrong_first_code() -> VaultError {
    VaultError::refused(
        "the code is not the app's; check that the clocks of the app and the server are right, and enter the next one",
    )
}

struct Found {
    sealed: String,
    begun: Timestamp,
    confirmed: bool,
}

impl Found {
    /// Whether it still waits for its first code.
    fn waits(&self, now: Timestamp) -> bool {
        !self.confirmed && now.duration_since(self.begun) < PATIENCE
    }

    fn open(&self, server_key: &ServerKey, person: Uuid) -> Result<Authenticator, VaultError> {
        let text = server_key.open(
            &server_sealed::second_factor(&person.to_string()),
            &self.sealed,
        );
        let text = text.ok_or(VaultError::ServerKey)?;
        Authenticator::from_base32(text.expose_secret()).ok_or(VaultError::ServerKey)
    }
}

async fn find(view: &mut SqliteConnection, person: Uuid) -> Result<Option<Found>, VaultError> {
    let found: Option<(String, String, bool)> = sqlx::query_as(
        "SELECT sealed, begun, confirmed IS NOT NULL FROM second_factors WHERE admin = ?",
    )
    .bind(person.to_string())
    .fetch_optional(view)
    .await?;
    let Some((sealed, begun, confirmed)) = found else {
        return Ok(None);
    };
    Ok(Some(Found {
        sealed,
        begun: words::parse_time(&begun)?,
        confirmed,
    }))
}

async fn take_one_time_code(
    transaction: &mut SqliteConnection,
    server_key: &ServerKey,
    person: Uuid,
    code: &str,
) -> Result<Option<TakenCode>, VaultError> {
    let found = find(&mut *transaction, person).await?;
    let Some(found) = found.filter(|it| it.confirmed) else {
        return Ok(None);
    };
    let app = found.open(server_key, person)?;
    let Some(step) = app.step_of(code, Timestamp::now()) else {
        return Ok(None);
    };
    let taken =
        sqlx::query("UPDATE second_factors SET last_step = ?2 WHERE admin = ?1 AND last_step < ?2")
            .bind(person.to_string())
            .bind(words::signed(step)?)
            .execute(transaction)
            .await?;
    Ok((taken.rows_affected() > 0).then_some(TakenCode::OneTime))
}

async fn forget(transaction: &mut SqliteConnection, person: Uuid) -> Result<(), VaultError> {
    sqlx::query("DELETE FROM second_factors WHERE admin = ?")
        .bind(person.to_string())
        .execute(&mut *transaction)
        .await?;
    recovery_codes::forget(transaction, person).await
}
