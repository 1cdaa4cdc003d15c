//! Credentials: listing, adding, modes, standing and a person's confirmation.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use passportal_client::wire::{
    Credential, CredentialPatch, Flag, FlagKind, HistoryEntry, NewCredential, SyncMode,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use super::person_vault::Place;
use super::{
    Act, Actor, Part, PersonVault, VaultError, audit, details, flags, history, next_seq, passwords,
    words,
};

/// Which credentials are read.
pub(super) enum Which {
    /// Those of a client.
    OfClient(Uuid),
    /// This one.
    One(Uuid),
}

impl Which {
    /// The id that is asked for.
    pub(super) fn id(&self) -> String {
        let (Self::OfClient(id) | Self::One(id)) = self;
        id.to_string()
    }
}

impl PersonVault<'_> {
    /// The credentials of a client, by user name.
    pub(crate) async fn credentials(&self, client: Uuid) -> Result<Vec<Credential>, VaultError> {
        let mut view = self.read_at(Act::Read, Place::Client(client)).await?;
        select(&mut view, &Which::OfClient(client), Part::ALL).await
    }

    /// A part of the credentials of a client, by user name.
    pub(crate) async fn credentials_part(
        &self,
        client: Uuid,
        part: Part,
    ) -> Result<Vec<Credential>, VaultError> {
        let mut view = self.read_at(Act::Read, Place::Client(client)).await?;
        select(&mut view, &Which::OfClient(client), part).await
    }

    /// One credential.
    pub(crate) async fn credential(&self, id: Uuid) -> Result<Credential, VaultError> {
        self.credential_for(Act::Read, id).await
    }

    /// One credential, for somebody who may do this with it.
    pub(crate) async fn credential_for(
        &self,
        act: Act,
        id: Uuid,
    ) -> Result<Credential, VaultError> {
        let mut view = self.read_at(act, Place::Credential(id)).await?;
        one(&mut view, id).await
    }

    /// Adds a credential.
    pub(crate) async fn add_credential(
        &self,
        client: Uuid,
        new: &NewCredential,
    ) -> Result<Credential, VaultError> {
        let place = Place::Client(client);
        let mut transaction = self.write_at(Act::EditCredentials, place).await?;
        if new.own_mode.is_some() {
            self.require(&mut transaction, Act::SetUpSync, place)
                .await?;
        }
        add(&mut transaction, &self.actor(), client, new).await?;
        let added = one(&mut transaction, new.id).await?;
        transaction.commit().await?;
        self.wake(client);
        Ok(added)
    }

    /// Changes anything but the password; what is absent stays.
    pub(crate) async fn change_credential(
        &self,
        id: Uuid,
        patch: &CredentialPatch,
    ) -> Result<Credential, VaultError> {
        let place = Place::Credential(id);
        let mut transaction = self.write_at(Act::EditCredentials, place).await?;
        for act in acts(patch) {
            self.require(&mut transaction, act, place).await?;
        }
        change(&mut transaction, &self.actor(), id, patch).await?;
        let after = one(&mut transaction, id).await?;
        transaction.commit().await?;
        self.wake(after.client);
        Ok(after)
    }

    /// Changes several credentials of a client in the same way: all of them or none.
    pub(crate) async fn change_credentials(
        &self,
        client: Uuid,
        ids: &[Uuid],
        patch: &CredentialPatch,
    ) -> Result<(), VaultError> {
        let place = Place::Client(client);
        let mut transaction = self.write_at(Act::EditCredentials, place).await?;
        for act in acts(patch) {
            self.require(&mut transaction, act, place).await?;
        }
        for id in ids {
            if one(&mut transaction, *id).await?.client != client {
                return Err(VaultError::NotFound { what: "credential" });
            }
            change(&mut transaction, &self.actor(), *id, patch).await?;
        }
        transaction.commit().await?;
        self.wake(client);
        Ok(())
    }
}

/// What a change takes beyond editing.
pub(super) fn acts(patch: &CredentialPatch) -> impl Iterator<Item = Act> {
    let acts = [
        (
            patch.own_mode.is_some() || patch.inherit_mode,
            Act::SetUpSync,
        ),
        (patch.confirm_version.is_some(), Act::RuleOnPlans),
    ];
    let acts = acts.into_iter().filter(|(is_so, _)| *is_so);
    acts.map(|(_, act)| act)
}

/// Adds a credential in the transaction of the caller, who commits and wakes.
pub(super) async fn add(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    client: Uuid,
    new: &NewCredential,
) -> Result<(), VaultError> {
    details::check_new(new)?;
    passwords::check_sealed(transaction, client, &new.sealed).await?;
    if let Some(totp) = &new.totp {
        passwords::check_sealed(transaction, client, totp).await?;
    }
    insert(transaction, actor, client, new).await?;
    let subject = new.id.to_string();
    audit::write(transaction, actor, "added a credential", &subject).await
}

/// Changes anything but the password in the transaction of the caller, who commits and wakes.
pub(super) async fn change(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    id: Uuid,
    patch: &CredentialPatch,
) -> Result<(), VaultError> {
    if patch.inherit_mode && patch.own_mode.is_some() {
        return Err(VaultError::refused(
            "a credential has a mode of its own or inherits one, not both",
        ));
    }
    let before = one(transaction, id).await?;
    if let Some(version) = patch.confirm_version {
        confirm(transaction, actor, &before, version).await?;
    }
    details::change(transaction, &before, patch).await?;
    let own_mode = match patch.own_mode {
        _ if patch.inherit_mode => None,
        Some(mode) => Some(mode),
        None => before.own_mode,
    };
    sqlx::query("UPDATE credentials SET own_mode = ?, standing = ? WHERE id = ?")
        .bind(words::optional_word(own_mode)?)
        .bind(words::word(patch.standing.unwrap_or(before.standing))?)
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?;
    touch(transaction, id).await?;
    audit::write(transaction, actor, &said(&before, patch)?, &id.to_string()).await
}

async fn confirm(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    credential: &Credential,
    version: u64,
) -> Result<(), VaultError> {
    if version != credential.version {
        return Err(VaultError::Conflict(format!(
            "version {version} was confirmed but the password is at version {}",
            credential.version
        )));
    }
    sqlx::query(
        "UPDATE credentials SET confirmed_version = ?, confirmed_at = ?, confirmed_by = ?
         WHERE id = ?",
    )
    .bind(words::signed(version)?)
    .bind(words::time(Timestamp::now()))
    .bind(actor.as_str())
    .bind(credential.id.to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

fn said(before: &Credential, patch: &CredentialPatch) -> Result<String, VaultError> {
    let mut parts = details::said(before, patch);
    if let Some(mode) = patch.own_mode {
        parts.push(format!("set the mode to {}", words::word(mode)?));
    }
    if patch.inherit_mode {
        parts.push("set the mode to the client's".to_owned());
    }
    if let Some(standing) = patch.standing {
        parts.push(format!("set the credential {}", words::word(standing)?));
    }
    if let Some(version) = patch.confirm_version {
        parts.push(format!("confirmed version {version}"));
    }
    if parts.is_empty() {
        parts.push("changed nothing of a credential".to_owned());
    }
    Ok(parts.join(", "))
}

async fn insert(
    transaction: &mut SqliteConnection,
    actor: &Actor,
    client: Uuid,
    new: &NewCredential,
) -> Result<(), VaultError> {
    let seq = next_seq(transaction).await?;
    let now = words::time(Timestamp::now());
    let credential_type = details::settle_type(transaction, &new.credential_type).await?;
    let folder = details::settle_folder(transaction, client, &new.folder).await?;
    sqlx::query(
        "INSERT INTO credentials (id, client, credential_type, user_name, description, notes,
             folder, url, expires, totp_sealed, totp_version,
             own_mode, standing, version, sealed, changed, changed_by, created, seq)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', 1, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.to_string())
    .bind(client.to_string())
    .bind(credential_type)
    .bind(&new.user_name)
    .bind(&new.description)
    .bind(&new.notes)
    .bind(folder)
    .bind(&new.url)
    .bind(new.expires.map(|day| day.to_string()))
    .bind(new.totp.as_ref().map(|totp| &totp.0))
    .bind(i64::from(new.totp.is_some()))
    .bind(words::optional_word(new.own_mode)?)
    .bind(&new.sealed.0)
    .bind(&now)
    .bind(actor.as_str())
    .bind(&now)
    .bind(seq)
    .execute(transaction)
    .await
    .map_err(|error| VaultError::unless_unique(error, "a credential has this id already"))?;
    Ok(())
}

/// Marks a credential as changed, so that its agent hears of it.
pub(super) async fn touch(transaction: &mut SqliteConnection, id: Uuid) -> Result<(), VaultError> {
    let seq = next_seq(transaction).await?;
    sqlx::query("UPDATE credentials SET seq = ? WHERE id = ?")
        .bind(seq)
        .bind(id.to_string())
        .execute(transaction)
        .await?;
    Ok(())
}

/// One credential, in the transaction that needs it.
pub(super) async fn one(view: &mut SqliteConnection, id: Uuid) -> Result<Credential, VaultError> {
    let found = select(view, &Which::One(id), Part::ALL).await?;
    let found = found.into_iter().next();
    found.ok_or(VaultError::NotFound { what: "credential" })
}

async fn select(
    view: &mut SqliteConnection,
    which: &Which,
    part: Part,
) -> Result<Vec<Credential>, VaultError> {
    // Two texts instead of one that asks both: SQLite would read every credential for that.
    let sql = match which {
        Which::OfClient(_) => {
            "SELECT p.*, c.default_mode FROM credentials p JOIN clients c ON c.id = p.client
             WHERE p.client = ? ORDER BY p.user_name COLLATE NOCASE, p.id LIMIT ? OFFSET ?"
        }
        Which::One(_) => {
            "SELECT p.*, c.default_mode FROM credentials p JOIN clients c ON c.id = p.client
             WHERE p.id = ? LIMIT ? OFFSET ?"
        }
    };
    let rows = sqlx::query(sql)
        .bind(which.id())
        .bind(words::signed(part.most)?)
        .bind(words::signed(part.after)?)
        .fetch_all(&mut *view)
        .await?;
    let mut flags = flags::by_credential(view, which).await?;
    let mut results = history::last_results(view, which).await?;
    rows.iter()
        .map(|row| credential(row, &mut flags, &mut results))
        .collect()
}

fn credential(
    row: &SqliteRow,
    flags: &mut HashMap<Uuid, BTreeMap<FlagKind, Flag>>,
    results: &mut HashMap<Uuid, HistoryEntry>,
) -> Result<Credential, VaultError> {
    let id = words::id(row.try_get("id")?)?;
    let (own_mode, mode) = modes(row)?;
    Ok(Credential {
        id,
        client: words::id(row.try_get("client")?)?,
        credential_type: row.try_get("credential_type")?,
        user_name: row.try_get("user_name")?,
        description: row.try_get("description")?,
        notes: row.try_get("notes")?,
        folder: row.try_get("folder")?,
        url: row.try_get("url")?,
        expires: words::parse_optional_day(row.try_get("expires")?)?,
        has_totp: row.try_get::<Option<&str>, _>("totp_sealed")?.is_some(),
        totp_version: words::unsigned(row.try_get("totp_version")?)?,
        version: words::unsigned(row.try_get("version")?)?,
        own_mode,
        mode,
        standing: words::value(row.try_get("standing")?)?,
        changed: words::parse_time(row.try_get("changed")?)?,
        changed_by: row.try_get("changed_by")?,
        flags: flags.remove(&id).unwrap_or_default(),
        last_result: results.remove(&id),
    })
}

/// A credential's own mode and its effective one.
pub(super) fn modes(row: &SqliteRow) -> Result<(Option<SyncMode>, SyncMode), VaultError> {
    let own = words::optional_value(row.try_get("own_mode")?)?;
    let default: SyncMode = words::value(row.try_get("default_mode")?)?;
    Ok((own, own.unwrap_or(default)))
}
