//! Seals the rows of an import for their places.

use subtle::ConstantTimeEq as _;
use sync_engine::model::Password;
use uuid::Uuid;

use super::ImportRow;
use crate::envelope::{DataKey, Field, Place};
use crate::wire::{
    Credential, CredentialPatch, ImportedUpdate, NewCredential, NewPassword, SealedSecrets,
    SealedText, SealedTotp,
};

/// A row as a new credential.
pub fn new_credential(key: &DataKey, row: &ImportRow) -> NewCredential {
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
pub fn update(
    key: &DataKey,
    row: &ImportRow,
    there: &Credential,
    secrets: &SealedSecrets,
) -> ImportedUpdate {
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
    ImportedUpdate {
        id: there.id,
        password,
        patch,
    }
}
