//! Seals the rows of an import, in memory.

use std::collections::BTreeMap;

use passportal_client::credential_table::{Decision, ImportRow};
use passportal_client::envelope::{DataKey, Field, Place};
use passportal_client::wire::{
    Client, Credential, CredentialPatch, Import, ImportedCredential, ImportedUpdate, NewCredential,
    NewPassword, SealedText, SealedTotp,
};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use sync_engine::model::Password;
use uuid::Uuid;

use super::session::Session;
use crate::state::AppState;
use crate::vault::VaultError;

/// What becomes of credentials that are there already.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Existing {
    Skip,
    Update,
}

/// The import that a decision stands for.
pub(super) async fn sealed(
    state: &AppState,
    session: &Session,
    clients: &[Client],
    decision: &Decision<'_>,
    existing: Existing,
) -> Result<Import, VaultError> {
    let mut keys = Keys {
        session,
        clients,
        opened: BTreeMap::new(),
    };
    let mut import = Import::default();
    for (row, client) in &decision.new {
        let credential = new_credential(keys.of(*client)?, row);
        import.new.push(ImportedCredential {
            client: *client,
            credential,
        });
    }
    if existing == Existing::Skip {
        return Ok(import);
    }
    for (row, credential) in &decision.existing {
        let key = keys.of(credential.client)?;
        let update = update(state, session, key, row, credential).await?;
        if update.password.is_some() || !update.patch.is_empty() {
            import.updates.push(update);
        }
    }
    Ok(import)
}

/// The data keys of clients, each opened once.
struct Keys<'a> {
    session: &'a Session,
    clients: &'a [Client],
    opened: BTreeMap<Uuid, DataKey>,
}

impl Keys<'_> {
    fn of(&mut self, client: Uuid) -> Result<&DataKey, VaultError> {
        if !self.opened.contains_key(&client) {
            let found = self.clients.iter().find(|it| it.id == client);
            let found = found.ok_or(VaultError::NotFound { what: "client" })?;
            let key = DataKey::unwrap(&self.session.kek, &found.key)
                .map_err(|error| VaultError::Refused(error.to_string()))?;
            self.opened.insert(client, key);
        }
        let key = self.opened.get(&client);
        key.ok_or(VaultError::NotFound { what: "client" })
    }
}

fn new_credential(key: &DataKey, row: &ImportRow) -> NewCredential {
    let id = Uuid::new_v4();
    let seal = |field, clear: &Password| seal(key, id, field, 1, &row.user_name, clear);
    NewCredential {
        id,
        credential_type: row.credential_type.clone(),
        user_name: row.user_name.clone(),
        description: row.description.clone(),
        notes: row.notes.clone(),
        folder: row.folder.clone(),
        url: row.url.clone(),
        expires: row.expires,
        own_mode: None,
        sealed: seal(Field::Password, &row.password),
        totp: row.totp.as_ref().map(|clear| seal(Field::Totp, clear)),
    }
}

fn seal(
    key: &DataKey,
    credential: Uuid,
    field: Field,
    version: u64,
    user_name: &str,
    clear: &Password,
) -> SealedText {
    let place = Place {
        credential,
        field,
        version,
        user_name,
    };
    key.seal(&place, clear)
}

/// What differs. What the table leaves empty stays as it is.
async fn update(
    state: &AppState,
    session: &Session,
    key: &DataKey,
    row: &ImportRow,
    there: &Credential,
) -> Result<ImportedUpdate, VaultError> {
    let what = "opened the secrets to compare them with an import";
    let secrets = state
        .vault
        .sealed_secrets(&session.actor(), there.id, what)
        .await?;
    let name = secrets.user_name.as_str();
    let is_same = |field, version, sealed: &SealedText, clear: &Password| {
        let place = Place {
            credential: there.id,
            field,
            version,
            user_name: name,
        };
        let opened = key.open(&place, sealed);
        opened.is_ok_and(|opened| {
            bool::from(opened.expose().as_bytes().ct_eq(clear.expose().as_bytes()))
        })
    };
    let same = is_same(
        Field::Password,
        secrets.version,
        &secrets.sealed,
        &row.password,
    );
    let next = secrets.version + 1;
    let password = (!same).then(|| NewPassword {
        version: next,
        sealed: seal(key, there.id, Field::Password, next, name, &row.password),
        user_name: Some(name.to_owned()),
    });
    let next = there.totp_version + 1;
    let new_totp = row.totp.as_ref().filter(|clear| {
        let old = secrets.totp.as_ref();
        !old.is_some_and(|old| is_same(Field::Totp, old.version, &old.sealed, clear))
    });
    let totp = new_totp.map(|clear| SealedTotp {
        version: next,
        user_name: name.to_owned(),
        sealed: seal(key, there.id, Field::Totp, next, name, clear),
    });
    let differs = |new: &String, old: &String| (!new.is_empty() && new != old).then(|| new.clone());
    let patch = CredentialPatch {
        description: differs(&row.description, &there.description),
        notes: differs(&row.notes, &there.notes),
        folder: differs(&row.folder, &there.folder),
        url: differs(&row.url, &there.url),
        expires: row.expires.filter(|day| Some(*day) != there.expires),
        totp,
        ..CredentialPatch::default()
    };
    Ok(ImportedUpdate {
        id: there.id,
        password,
        patch,
    })
}
