//! Sealed passwords: the next version, and the current one for an agent or a reveal.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use passportal_client::wire::{
    Credential, MicrosoftSync, Mute, NewPassword, PasswordVersion, SealedSecrets, SealedText,
    SealedTotp, SecretAnswer, SecretPurpose, Standing, SyncMode, credential_type,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::person_vault::Place;
use super::{
    Act, Actor, PersonVault, Vault, VaultError, audit, clients, credentials, touched, words,
};

/// The longest sealed text: many times what the longest password needs.
const SEALED_LENGTH: usize = 16 * 1024;

/// The format of a sealed field and the id of its data key.
const HEAD: usize = 17;

impl PersonVault<'_> {
    /// Stores the next version of a password and keeps the one before it.
    pub(crate) async fn set_password(
        &self,
        id: Uuid,
        new: &NewPassword,
    ) -> Result<Credential, VaultError> {
        let place = Place::Credential(id);
        let mut transaction = self.write_at(Act::EditCredentials, place).await?;
        set(&mut transaction, &self.actor(), id, new).await?;
        let after = credentials::one(&mut transaction, id).await?;
        transaction.commit().await?;
        self.wake(after.client);
        Ok(after)
    }

    /// The sealed password, to compare it with the next one. It is shown to nobody.
    pub(crate) async fn sealed_password(&self, id: Uuid) -> Result<SealedText, VaultError> {
        let place = Place::Credential(id);
        let mut view = self.read_at(Act::EditCredentials, place).await?;
        sealed(&mut view, id).await
    }

    /// The sealed secrets of a credential, for a person who is shown the password. Audited.
    pub(crate) async fn reveal(&self, id: Uuid) -> Result<SealedSecrets, VaultError> {
        let place = Place::Credential(id);
        let mut transaction = self.write_at(Act::Reveal, place).await?;
        let secrets = secrets(&mut transaction, id).await?;
        let what = format!("revealed version {} of the password", secrets.version);
        audit::write(&mut transaction, &self.actor(), &what, &id.to_string()).await?;
        transaction.commit().await?;
        Ok(secrets)
    }

    /// The sealed secrets of a credential, for a person; audited as what it is for.
    pub(crate) async fn sealed_secrets(
        &self,
        id: Uuid,
        what: &str,
    ) -> Result<SealedSecrets, VaultError> {
        let place = Place::Credential(id);
        let mut transaction = self.write_at(Act::Reveal, place).await?;
        let secrets = secrets(&mut transaction, id).await?;
        audit::write(&mut transaction, &self.actor(), what, &id.to_string()).await?;
        transaction.commit().await?;
        Ok(secrets)
    }

    /// The sealed secrets of all of a client's credentials, for a person who takes them out. Each is audited.
    pub(crate) async fn export(&self, client: Uuid) -> Result<Vec<SealedSecrets>, VaultError> {
        let (place, actor) = (Place::Client(client), self.actor());
        let mut transaction = self.write_at(Act::Export, place).await?;
        let rows = sqlx::query(
            "SELECT id, user_name, version, sealed, totp_version, totp_sealed FROM credentials
             WHERE client = ? ORDER BY user_name COLLATE NOCASE, id",
        )
        .bind(client.to_string())
        .fetch_all(&mut *transaction)
        .await?;
        let secrets: Vec<SealedSecrets> =
            rows.iter().map(sealed_secrets).collect::<Result<_, _>>()?;
        let what = format!("exported {} credentials", secrets.len());
        audit::write(&mut transaction, &actor, &what, &client.to_string()).await?;
        for secret in &secrets {
            let what = format!("exported version {} of the password", secret.version);
            audit::write(&mut transaction, &actor, &what, &secret.id.to_string()).await?;
        }
        transaction.commit().await?;
        Ok(secrets)
    }

    /// All versions of a password, the latest first: who stored them, when.
    pub(crate) async fn password_versions(
        &self,
        id: Uuid,
    ) -> Result<Vec<PasswordVersion>, VaultError> {
        let mut view = self.read_at(Act::Read, Place::Credential(id)).await?;
        let rows: Vec<(i64, String, Option<String>)> = sqlx::query_as(
            "SELECT version, changed, changed_by FROM credentials WHERE id = ?1
             UNION ALL
             SELECT version, changed, changed_by FROM password_history WHERE credential = ?1
             ORDER BY version DESC",
        )
        .bind(id.to_string())
        .fetch_all(&mut *view)
        .await?;
        rows.into_iter()
            .map(|(version, changed, changed_by)| {
                Ok(PasswordVersion {
                    version: words::unsigned(version)?,
                    changed: words::parse_time(&changed)?,
                    changed_by,
                })
            })
            .collect()
    }
}

impl Vault {
    /// A credential's sealed password for an agent, which says which version it means.
    pub(crate) async fn secret_for_agent(
        &self,
        client: Uuid,
        id: Uuid,
        version: u64,
        purpose: SecretPurpose,
    ) -> Result<SecretAnswer, VaultError> {
        let mut view = self.database.read().await?;
        let credential = credentials::one(&mut view, id).await?;
        if credential.client != client {
            return Err(VaultError::NotFound { what: "credential" });
        }
        if credential.version != version {
            return Err(VaultError::Conflict(format!(
                "the password is at version {}",
                credential.version
            )));
        }
        if credential.standing == Standing::Disabled {
            return Err(VaultError::Conflict(
                "the credential is disabled".to_owned(),
            ));
        }
        // Somebody may have switched it off while the agent was still walking an older plan.
        let (settings, _) = clients::settings_and_seq(&mut view, client).await?;
        let is_synced = settings.sync == MicrosoftSync::EntraId && settings.mute == Mute::Unmuted;
        let is_wanted = match purpose {
            SecretPurpose::Sync => credential.mode != SyncMode::Off,
            SecretPurpose::SignIn => credential.credential_type == credential_type::ADMIN,
        };
        if !is_synced || !is_wanted {
            return Err(VaultError::Conflict(
                "the credential is not synced any more".to_owned(),
            ));
        }
        let sealed = sealed(&mut view, id).await?;
        Ok(SecretAnswer {
            user_name: credential.user_name,
            version,
            sealed,
        })
    }
}

/// Stores the next version in the transaction of the caller, who commits and wakes.
pub(super) async fn set(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    id: Uuid,
    new: &NewPassword,
) -> Result<(), VaultError> {
    let before = credentials::one(transaction, id).await?;
    if new.version == before.version && sealed(transaction, id).await? == new.sealed {
        // The same request once more: its first answer was lost on the way.
        return Ok(());
    }
    if new.version != before.version + 1 {
        return Err(VaultError::Conflict(format!(
            "the password is at version {}, so the next one is {}, not {}",
            before.version,
            before.version + 1,
            new.version
        )));
    }
    if let Some(user_name) = &new.user_name {
        check_user_name(&before, user_name)?;
    }
    check_sealed(transaction, before.client, &new.sealed).await?;
    keep_earlier(transaction, id).await?;
    store(transaction, actor, id, new).await?;
    touched::end(transaction, id).await?;
    credentials::touch(transaction, id).await?;
    let what = format!("changed the password to version {}", new.version);
    audit::write(transaction, actor, &what, &id.to_string()).await
}

async fn sealed(view: &mut SqliteConnection, id: Uuid) -> Result<SealedText, VaultError> {
    let (sealed,): (String,) = sqlx::query_as("SELECT sealed FROM credentials WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(view)
        .await?
        .ok_or(VaultError::NotFound { what: "credential" })?;
    Ok(SealedText(sealed))
}

async fn secrets(view: &mut SqliteConnection, id: Uuid) -> Result<SealedSecrets, VaultError> {
    let row = sqlx::query(
        "SELECT id, user_name, version, sealed, totp_version, totp_sealed FROM credentials
         WHERE id = ?",
    )
    .bind(id.to_string())
    .fetch_optional(view)
    .await?
    .ok_or(VaultError::NotFound { what: "credential" })?;
    sealed_secrets(&row)
}

fn sealed_secrets(row: &SqliteRow) -> Result<SealedSecrets, VaultError> {
    let user_name: String = row.try_get("user_name")?;
    let totp_version = words::unsigned(row.try_get("totp_version")?)?;
    let totp: Option<String> = row.try_get("totp_sealed")?;
    Ok(SealedSecrets {
        id: words::id(row.try_get("id")?)?,
        version: words::unsigned(row.try_get("version")?)?,
        sealed: SealedText(row.try_get("sealed")?),
        totp: totp.map(|sealed| SealedTotp {
            version: totp_version,
            user_name: user_name.clone(),
            sealed: SealedText(sealed),
        }),
        user_name,
    })
}

/// An envelope that is sealed for another user name would never open.
pub(super) fn check_user_name(credential: &Credential, sealed_for: &str) -> Result<(), VaultError> {
    if credential.user_name == sealed_for {
        return Ok(());
    }
    Err(VaultError::Conflict(
        "the user name was changed meanwhile; read the credential again".to_owned(),
    ))
}

async fn store(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    id: Uuid,
    new: &NewPassword,
) -> Result<(), VaultError> {
    sqlx::query(
        "UPDATE credentials SET version = ?, sealed = ?, changed = ?, changed_by = ? WHERE id = ?",
    )
    .bind(words::signed(new.version)?)
    .bind(&new.sealed.0)
    .bind(words::time(Timestamp::now()))
    .bind(actor.as_str())
    .bind(id.to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

async fn keep_earlier(transaction: &mut SqliteConnection, id: Uuid) -> Result<(), VaultError> {
    sqlx::query(
        "INSERT INTO password_history (credential, version, sealed, changed, changed_by, user_name)
         SELECT id, version, sealed, changed, changed_by, user_name FROM credentials WHERE id = ?",
    )
    .bind(id.to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Refuses what cannot be a sealed field of this client: the server cannot open it, but it can see
/// which key it was sealed with.
pub(super) async fn check_sealed(
    view: &mut SqliteConnection,
    client: Uuid,
    sealed: &SealedText,
) -> Result<(), VaultError> {
    let key = clients::wrapped_key(view, client).await?;
    match sealed_with(sealed) {
        Some(key_id) if key_id == key.key_id => Ok(()),
        Some(_) => Err(VaultError::refused(
            "the secret is sealed with a key that is not this client's",
        )),
        None => Err(VaultError::refused("the secret is not a sealed field")),
    }
}

fn sealed_with(sealed: &SealedText) -> Option<Uuid> {
    if sealed.0.len() > SEALED_LENGTH {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(&sealed.0).ok()?;
    Uuid::from_slice(bytes.get(1..HEAD)?).ok()
}
