//! What a credential has besides its password: texts, type, folder, expiry, one-time codes, user name.

use passportal_client::wire::{
    Credential, CredentialPatch, CredentialType, NewCredential, Renamed, SealedTotp, text_limit,
};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::person_vault::Place;
use super::{Act, PersonVault, VaultError, passwords, words};

impl PersonVault<'_> {
    /// All credential types, by name.
    pub(crate) async fn credential_types(&self) -> Result<Vec<CredentialType>, VaultError> {
        let mut view = self.read_at(Act::Read, Place::Organization).await?;
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT name, built_in FROM credential_types ORDER BY name")
                .fetch_all(&mut *view)
                .await?;
        let types = rows.into_iter().map(|(name, built_in)| CredentialType {
            name,
            built_in: built_in == 1,
        });
        Ok(types.collect())
    }

    /// A client's folders, by name.
    pub(crate) async fn folders(&self, client: Uuid) -> Result<Vec<String>, VaultError> {
        let mut view = self.read_at(Act::Read, Place::Client(client)).await?;
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT name FROM folders WHERE client = ? ORDER BY name")
                .bind(client.to_string())
                .fetch_all(&mut *view)
                .await?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }
}

/// Refuses what cannot be stored of a new credential.
pub(super) fn check_new(new: &NewCredential) -> Result<(), VaultError> {
    check_user_name(&new.user_name)?;
    check_type(&new.credential_type)?;
    check_length("folder", &new.folder, text_limit::NAME)?;
    check_length("description", &new.description, text_limit::NAME)?;
    check_length("notes", &new.notes, text_limit::NOTES)?;
    check_length("URL", &new.url, text_limit::URL)
}

/// Refuses what cannot be stored of a change.
fn check_patch(patch: &CredentialPatch) -> Result<(), VaultError> {
    if patch.never_expires && patch.expires.is_some() {
        return Err(VaultError::refused(
            "a credential expires on a day or never, not both",
        ));
    }
    if patch.remove_totp && patch.totp.is_some() {
        return Err(VaultError::refused(
            "a TOTP secret is replaced or removed, not both",
        ));
    }
    if let Some(renamed) = &patch.renamed {
        check_user_name(&renamed.user_name)?;
    }
    if let Some(name) = &patch.credential_type {
        check_type(name)?;
    }
    let texts = [
        ("folder", &patch.folder, text_limit::NAME),
        ("description", &patch.description, text_limit::NAME),
        ("notes", &patch.notes, text_limit::NOTES),
        ("URL", &patch.url, text_limit::URL),
    ];
    for (what, text, most) in texts {
        check_length(what, text.as_deref().unwrap_or_default(), most)?;
    }
    Ok(())
}

fn check_user_name(user_name: &str) -> Result<(), VaultError> {
    if user_name.is_empty() || user_name.trim() != user_name {
        return Err(VaultError::refused(
            "a user name is not empty and has no space at its edges",
        ));
    }
    if user_name.contains(char::is_control) {
        return Err(VaultError::refused("a user name is on one line"));
    }
    check_length("user name", user_name, text_limit::NAME)
}

fn check_type(name: &str) -> Result<(), VaultError> {
    if name.trim().is_empty() {
        return Err(VaultError::refused("a credential has a credential type"));
    }
    check_length("credential type", name, text_limit::NAME)
}

fn check_length(what: &str, text: &str, most: usize) -> Result<(), VaultError> {
    if text.chars().count() > most {
        return Err(VaultError::Refused(format!(
            "the {what} has more than {most} characters"
        )));
    }
    Ok(())
}

/// The type as the vault spells it; a new one joins the list.
pub(super) async fn settle_type(
    transaction: &mut SqliteConnection,
    name: &str,
) -> Result<String, VaultError> {
    let name = name.trim();
    sqlx::query("INSERT INTO credential_types (name) VALUES (?) ON CONFLICT DO NOTHING")
        .bind(name)
        .execute(&mut *transaction)
        .await?;
    let (spelled,): (String,) = sqlx::query_as("SELECT name FROM credential_types WHERE name = ?")
        .bind(name)
        .fetch_one(transaction)
        .await?;
    Ok(spelled)
}

/// The folder as its client spells it; a new one joins the list, an empty name is none.
pub(super) async fn settle_folder(
    transaction: &mut SqliteConnection,
    client: Uuid,
    name: &str,
) -> Result<String, VaultError> {
    let name = name.trim();
    if name.is_empty() {
        return Ok(String::new());
    }
    sqlx::query("INSERT INTO folders (client, name) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(client.to_string())
        .bind(name)
        .execute(&mut *transaction)
        .await
        .map_err(no_such_client)?;
    let (spelled,): (String,) =
        sqlx::query_as("SELECT name FROM folders WHERE client = ? AND name = ?")
            .bind(client.to_string())
            .bind(name)
            .fetch_one(transaction)
            .await?;
    Ok(spelled)
}

fn no_such_client(error: sqlx::Error) -> VaultError {
    match &error {
        sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => {
            VaultError::NotFound { what: "client" }
        }
        _ => error.into(),
    }
}

/// Changes what the patch names.
pub(super) async fn change(
    transaction: &mut SqliteConnection,
    before: &Credential,
    patch: &CredentialPatch,
) -> Result<(), VaultError> {
    check_patch(patch)?;
    if let Some(renamed) = &patch.renamed {
        rename(transaction, before, renamed, patch).await?;
    }
    let user_name = user_name_after(before, patch);
    if let Some(totp) = &patch.totp {
        let next = before.totp_version + 1;
        store_totp(transaction, before, totp, next, user_name).await?;
    }
    if patch.remove_totp {
        sqlx::query("UPDATE credentials SET totp_sealed = NULL WHERE id = ?")
            .bind(before.id.to_string())
            .execute(&mut *transaction)
            .await?;
    }
    store_texts(transaction, before, patch).await
}

fn user_name_after<'a>(before: &'a Credential, patch: &'a CredentialPatch) -> &'a str {
    let renamed = patch.renamed.as_ref();
    renamed.map_or(&before.user_name, |renamed| &renamed.user_name)
}

async fn rename(
    transaction: &mut SqliteConnection,
    before: &Credential,
    renamed: &Renamed,
    patch: &CredentialPatch,
) -> Result<(), VaultError> {
    if renamed.version != before.version {
        return Err(VaultError::Conflict(format!(
            "version {} was sealed for the new user name but the password is at version {}",
            renamed.version, before.version
        )));
    }
    passwords::check_sealed(transaction, before.client, &renamed.sealed).await?;
    sqlx::query("UPDATE credentials SET user_name = ?, sealed = ? WHERE id = ?")
        .bind(&renamed.user_name)
        .bind(&renamed.sealed.0)
        .bind(before.id.to_string())
        .execute(&mut *transaction)
        .await?;
    let stays = before.has_totp && patch.totp.is_none() && !patch.remove_totp;
    match &renamed.totp {
        Some(totp) if stays => {
            let same = before.totp_version;
            store_totp(transaction, before, totp, same, &renamed.user_name).await
        }
        None if stays => Err(VaultError::refused(
            "the TOTP secret is sealed for the old user name, too; seal it anew as well",
        )),
        _ => Ok(()),
    }
}

async fn store_totp(
    transaction: &mut SqliteConnection,
    before: &Credential,
    totp: &SealedTotp,
    version: u64,
    user_name: &str,
) -> Result<(), VaultError> {
    if totp.version != version || totp.user_name != user_name {
        return Err(VaultError::Conflict(
            "the user name or the TOTP secret was changed meanwhile; read the credential again"
                .to_owned(),
        ));
    }
    passwords::check_sealed(transaction, before.client, &totp.sealed).await?;
    sqlx::query("UPDATE credentials SET totp_sealed = ?, totp_version = ? WHERE id = ?")
        .bind(&totp.sealed.0)
        .bind(words::signed(version)?)
        .bind(before.id.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

async fn store_texts(
    transaction: &mut SqliteConnection,
    before: &Credential,
    patch: &CredentialPatch,
) -> Result<(), VaultError> {
    let credential_type = match &patch.credential_type {
        Some(name) => Some(settle_type(transaction, name).await?),
        None => None,
    };
    let folder = match &patch.folder {
        Some(name) => Some(settle_folder(transaction, before.client, name).await?),
        None => None,
    };
    let expires = patch.expires.or(before.expires);
    let expires = expires.filter(|_| !patch.never_expires);
    sqlx::query(
        "UPDATE credentials SET credential_type = COALESCE(?, credential_type),
             folder = COALESCE(?, folder), description = COALESCE(?, description),
             notes = COALESCE(?, notes), url = COALESCE(?, url), expires = ?
         WHERE id = ?",
    )
    .bind(credential_type)
    .bind(folder)
    .bind(&patch.description)
    .bind(&patch.notes)
    .bind(&patch.url)
    .bind(expires.map(|day| day.to_string()))
    .bind(before.id.to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

/// What the patch changes, for the audit trail: names of fields, no texts but user name, type, folder and day.
pub(super) fn said(before: &Credential, patch: &CredentialPatch) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(renamed) = &patch.renamed {
        parts.push(format!(
            "changed the user name from {} to {}",
            before.user_name, renamed.user_name
        ));
    }
    if let Some(name) = &patch.credential_type {
        parts.push(format!("set the credential type to {name}"));
    }
    match patch.folder.as_deref() {
        Some("") => parts.push("took the credential out of its folder".to_owned()),
        Some(name) => parts.push(format!("put the credential into the folder {name}")),
        None => {}
    }
    if let Some(day) = patch.expires {
        parts.push(format!("set the expiry to {day}"));
    }
    let plain = [
        (patch.never_expires, "removed the expiry"),
        (patch.description.is_some(), "changed the description"),
        (patch.notes.is_some(), "changed the notes"),
        (patch.url.is_some(), "changed the URL"),
        (patch.totp.is_some(), "set the TOTP secret"),
        (patch.remove_totp, "removed the TOTP secret"),
    ];
    let plain = plain.into_iter().filter(|(is_so, _)| *is_so);
    parts.extend(plain.map(|(_, what)| what.to_owned()));
    parts
}
