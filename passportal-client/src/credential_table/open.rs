//! Opens what a credential keeps sealed, for a table in clear.

use sync_engine::model::Password;

use super::ExportRow;
use crate::envelope::{DataKey, EnvelopeError, Field, Place};
use crate::wire::{Client, Credential, SealedSecrets};

/// What a credential keeps sealed, in clear.
#[derive(Debug)]
pub struct Clear {
    password: Password,
    totp: Option<Password>,
}

impl Clear {
    /// Opens it with the client's data key.
    ///
    /// # Errors
    /// When the key is another one, or an envelope was changed or moved.
    pub fn open(key: &DataKey, sealed: &SealedSecrets) -> Result<Self, EnvelopeError> {
        let place = |field, version| Place {
            credential: sealed.id,
            field,
            version,
            user_name: &sealed.user_name,
        };
        let totp = sealed.totp.as_ref();
        let totp = totp.map(|totp| key.open(&place(Field::Totp, totp.version), &totp.sealed));
        Ok(Self {
            password: key.open(&place(Field::Password, sealed.version), &sealed.sealed)?,
            totp: totp.transpose()?,
        })
    }
}

impl<'a> ExportRow<'a> {
    /// The row of a stored credential.
    pub fn of(client: &'a Client, credential: &'a Credential, clear: &Clear) -> Self {
        Self {
            client_name: &client.name,
            credential_type: &credential.credential_type,
            user_name: &credential.user_name,
            password: clear.password.clone(),
            description: &credential.description,
            expires: credential.expires,
            notes: &credential.notes,
            url: &credential.url,
            folder: &credential.folder,
            totp: clear.totp.clone(),
        }
    }
}
