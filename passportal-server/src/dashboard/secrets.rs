//! Sealing and opening for a person at the dashboard, with the key of their session.

use passportal_client::envelope::{DataKey, Field, Place};
use passportal_client::password_rule;
use passportal_client::wire::{SealedText, WrappedKey};
use sync_engine::model::Password;
use uuid::Uuid;

use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::VaultError;

/// A wrapped data key for a new client. The company vault's shows that the session's key is still the organization's.
pub(super) async fn new_key(
    state: &AppState,
    session: &SignedIn,
    client: Uuid,
) -> Result<WrappedKey, VaultError> {
    let company_vault = state.vault.company_vault().await?;
    DataKey::unwrap(&session.kek, &company_vault.key)
        .map_err(|error| VaultError::Refused(error.to_string()))?;
    let key = DataKey::generate(state.vault.organization().id, client);
    Ok(key.wrap(&session.kek, &company_vault.key.parameters))
}

/// What a password belongs to.
pub(super) struct Secret<'a> {
    pub(super) client: Uuid,
    pub(super) credential: Uuid,
    pub(super) version: u64,
    pub(super) user_name: &'a str,
}

impl Secret<'_> {
    fn place(&self, field: Field) -> Place<'_> {
        Place {
            credential: self.credential,
            field,
            version: self.version,
            user_name: self.user_name,
        }
    }

    /// Seals a password that a person typed, exactly as it is, or says why it is refused.
    pub(super) async fn seal(
        &self,
        session: &SignedIn,
        clear: &Password,
    ) -> Result<SealedText, VaultError> {
        password_rule::check(clear.expose())
            .map_err(|refusal| VaultError::Refused(refusal.to_string()))?;
        self.reseal(session, clear).await
    }

    /// Seals a password that was stored before.
    pub(super) async fn reseal(
        &self,
        session: &SignedIn,
        clear: &Password,
    ) -> Result<SealedText, VaultError> {
        self.seal_as(Field::Password, session, clear).await
    }

    /// Seals a secret of one-time codes.
    pub(super) async fn seal_totp(
        &self,
        session: &SignedIn,
        clear: &Password,
    ) -> Result<SealedText, VaultError> {
        self.seal_as(Field::Totp, session, clear).await
    }

    /// Opens a sealed secret of one-time codes.
    pub(super) async fn open_totp(
        &self,
        session: &SignedIn,
        sealed: &SealedText,
    ) -> Result<Password, VaultError> {
        self.open_as(Field::Totp, session, sealed).await
    }

    /// Opens a sealed password.
    pub(super) async fn open(
        &self,
        session: &SignedIn,
        sealed: &SealedText,
    ) -> Result<Password, VaultError> {
        self.open_as(Field::Password, session, sealed).await
    }

    async fn seal_as(
        &self,
        field: Field,
        session: &SignedIn,
        clear: &Password,
    ) -> Result<SealedText, VaultError> {
        let key = self.key(session).await?;
        Ok(key.seal(&self.place(field), clear))
    }

    async fn open_as(
        &self,
        field: Field,
        session: &SignedIn,
        sealed: &SealedText,
    ) -> Result<Password, VaultError> {
        let key = self.key(session).await?;
        key.open(&self.place(field), sealed)
            .map_err(|error| VaultError::Refused(error.to_string()))
    }

    async fn key(&self, session: &SignedIn) -> Result<DataKey, VaultError> {
        let client = session.vault().client(self.client).await?;
        DataKey::unwrap(&session.kek, &client.key)
            .map_err(|error| VaultError::Refused(error.to_string()))
    }
}
