//! Another organization key: every client gets a new data key, and every secret is sealed with it. All or nothing.

use passportal_client::envelope::{DataKey, EnvelopeError, Field, KeyEncryptionKey, Place};
use passportal_client::wire::{KeyParameters, SealedText, WrappedKey};
use sqlx::SqliteConnection;
use tracing::warn;
use uuid::Uuid;

use super::person_vault::Place as PlaceOfAct;
use super::{Act, PersonVault, Vault, VaultError, audit, clients, next_seq, words};

/// An organization key that is to be, as far as the server gets to know it.
pub(crate) struct NewOrganizationKey {
    pub(crate) kek: KeyEncryptionKey,
    pub(crate) parameters: KeyParameters,
}

/// What was sealed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rotated {
    pub(crate) clients: usize,
    pub(crate) secrets: usize,
    /// Earlier versions that did not open before either, and were left as they are.
    pub(crate) left: usize,
}

/// A sealed secret, and where it is kept.
struct Sealed {
    column: Column,
    credential: Uuid,
    user_name: String,
    version: u64,
    text: SealedText,
}

/// The columns that hold sealed secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Password,
    Totp,
    Earlier,
}

impl Column {
    fn select(self) -> &'static str {
        match self {
            Self::Password => {
                "SELECT id, user_name, version, sealed FROM credentials WHERE client = ?"
            }
            Self::Totp => {
                "SELECT id, user_name, totp_version, totp_sealed FROM credentials
                 WHERE client = ? AND totp_sealed IS NOT NULL"
            }
            Self::Earlier => {
                "SELECT h.credential, h.user_name, h.version, h.sealed FROM password_history h
                 JOIN credentials c ON c.id = h.credential WHERE c.client = ?"
            }
        }
    }

    fn update(self) -> &'static str {
        match self {
            Self::Password => "UPDATE credentials SET sealed = ?1 WHERE id = ?2 AND version = ?3",
            Self::Totp => {
                "UPDATE credentials SET totp_sealed = ?1 WHERE id = ?2 AND totp_version = ?3"
            }
            Self::Earlier => {
                "UPDATE password_history SET sealed = ?1 WHERE credential = ?2 AND version = ?3"
            }
        }
    }

    fn field(self) -> Field {
        match self {
            Self::Password | Self::Earlier => Field::Password,
            Self::Totp => Field::Totp,
        }
    }
}

impl PersonVault<'_> {
    /// Seals everything anew under another organization key. The sessions of the dashboard hold the old one, so they end;
    /// agents learn that their data key is an old one, and wait for the new organization key.
    pub(crate) async fn change_organization_key(
        &self,
        old: &KeyEncryptionKey,
        new: &NewOrganizationKey,
    ) -> Result<Rotated, VaultError> {
        let act = Act::ChangeOrganizationKey;
        let mut transaction = self.write_at(act, PlaceOfAct::Organization).await?;
        let keys = keys(&mut transaction).await?;
        let mut rotated = Rotated::default();
        for wrapped in &keys {
            let before = DataKey::unwrap(old, wrapped).map_err(|_| {
                VaultError::refused("the organization key does not open every client's data key")
            })?;
            let after = DataKey::generate(self.organization().id, wrapped.client);
            for column in [Column::Password, Column::Totp, Column::Earlier] {
                let found = read(&mut transaction, wrapped.client, column).await?;
                let (sealed, left) = seal_anew(found, before.clone(), after.clone()).await?;
                write(&mut transaction, &sealed).await?;
                rotated.secrets += sealed.len();
                rotated.left += left;
            }
            replace_key(&mut transaction, &after.wrap(&new.kek, &new.parameters)).await?;
            rotated.clients += 1;
        }
        replace_parameters(&mut transaction, &new.parameters).await?;
        let what = format!(
            "changed the organization key: {} secret(s) of {} client(s) are sealed anew",
            rotated.secrets, rotated.clients
        );
        audit::write(&mut transaction, &self.actor(), &what, "").await?;
        transaction.commit().await?;
        if let Err(error) = self.forget_overwritten().await {
            warn!(
                error = &error as &dyn std::error::Error,
                "the organization key is changed, but the database's log may keep what the old one sealed until the server ends"
            );
        }
        for wrapped in &keys {
            self.wake(wrapped.client);
        }
        Ok(rotated)
    }
}

impl Vault {
    /// A client's wrapped data key, for its agent.
    pub(crate) async fn wrapped_key(&self, client: Uuid) -> Result<WrappedKey, VaultError> {
        let mut view = self.database.read().await?;
        clients::wrapped_key(&mut view, client).await
    }
}

async fn keys(transaction: &mut SqliteConnection) -> Result<Vec<WrappedKey>, VaultError> {
    let found: Vec<String> = sqlx::query_scalar("SELECT wrapped_key FROM clients ORDER BY id")
        .fetch_all(transaction)
        .await?;
    found.iter().map(|key| words::from_json(key)).collect()
}

async fn read(
    transaction: &mut SqliteConnection,
    client: Uuid,
    column: Column,
) -> Result<Vec<Sealed>, VaultError> {
    let rows: Vec<(String, String, i64, String)> = sqlx::query_as(column.select())
        .bind(client.to_string())
        .fetch_all(transaction)
        .await?;
    let sealed = rows.into_iter().map(|(id, user_name, version, text)| {
        Ok(Sealed {
            column,
            credential: words::id(&id)?,
            user_name,
            version: words::unsigned(version)?,
            text: SealedText(text),
        })
    });
    sealed.collect()
}

/// Opens and seals. What does not open stops everything, unless it is an earlier version: nobody can put that right.
async fn seal_anew(
    found: Vec<Sealed>,
    before: DataKey,
    after: DataKey,
) -> Result<(Vec<Sealed>, usize), VaultError> {
    let work = move || {
        let (mut sealed, mut left) = (Vec::with_capacity(found.len()), 0);
        for mut secret in found {
            match resealed(&secret, &before, &after) {
                Ok(text) => {
                    secret.text = text;
                    sealed.push(secret);
                }
                Err(_) if secret.column == Column::Earlier => left += 1,
                Err(error) => return Err(does_not_open(&secret, error)),
            }
        }
        Ok((sealed, left))
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| VaultError::Hashing)?
}

fn resealed(
    secret: &Sealed,
    before: &DataKey,
    after: &DataKey,
) -> Result<SealedText, EnvelopeError> {
    let place = Place {
        credential: secret.credential,
        field: secret.column.field(),
        version: secret.version,
        user_name: &secret.user_name,
    };
    let clear = before.open(&place, &secret.text)?;
    Ok(after.seal(&place, &clear))
}

fn does_not_open(secret: &Sealed, error: EnvelopeError) -> VaultError {
    VaultError::Refused(format!(
        "a secret of {} does not open ({error}); give that credential a new one and try again; nothing was changed",
        secret.user_name
    ))
}

async fn write(transaction: &mut SqliteConnection, sealed: &[Sealed]) -> Result<(), VaultError> {
    for secret in sealed {
        sqlx::query(secret.column.update())
            .bind(&secret.text.0)
            .bind(secret.credential.to_string())
            .bind(words::signed(secret.version)?)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

/// The client's number of changes goes up, so that its agents hear of it at once.
async fn replace_key(
    transaction: &mut SqliteConnection,
    key: &WrappedKey,
) -> Result<(), VaultError> {
    let seq = next_seq(transaction).await?;
    sqlx::query("UPDATE clients SET wrapped_key = ?, seq = ? WHERE id = ?")
        .bind(words::to_json(key)?)
        .bind(seq)
        .bind(key.client.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

async fn replace_parameters(
    transaction: &mut SqliteConnection,
    parameters: &KeyParameters,
) -> Result<(), VaultError> {
    sqlx::query("UPDATE organization SET key_parameters = ?")
        .bind(words::to_json(parameters)?)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("UPDATE admins SET generation = generation + 1")
        .execute(transaction)
        .await?;
    Ok(())
}
