//! The organization key, which the server uses and never stores.

use passportal_client::envelope::{DataKey, KeyEncryptionKey, OrganizationKey, new_key_parameters};
use passportal_client::wire::Client;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::turns;
use crate::vault::{NewOrganizationKey, VaultError};

/// The shortest one.
pub(crate) const SHORTEST: usize = 12;

/// Whether a new one is shorter than it may be.
pub(crate) fn is_too_short(key: &str) -> bool {
    key.chars().count() < SHORTEST
}

/// Derives the key-encryption key and proves it at the company vault's data key; `None` when the
/// organization key is another one.
pub(crate) async fn prove(
    organization_key: SecretString,
    company_vault: Client,
) -> Result<Option<KeyEncryptionKey>, VaultError> {
    turns::argon2(move || {
        let kek = OrganizationKey::new(organization_key.expose_secret())
            .derive(&company_vault.key.parameters)
            .map_err(|_| VaultError::Unreadable {
                what: "key parameters",
            })?;
        Ok(DataKey::unwrap(&kek, &company_vault.key).ok().map(|_| kek))
    })
    .await?
}

/// Derives a new one's key-encryption key.
pub(crate) async fn derive(
    organization: Uuid,
    key: SecretString,
) -> Result<NewOrganizationKey, VaultError> {
    let derived = turns::argon2(move || {
        let parameters = new_key_parameters(organization);
        let kek = OrganizationKey::new(key.expose_secret()).derive(&parameters);
        kek.map(|kek| NewOrganizationKey { kek, parameters })
    });
    derived
        .await?
        .map_err(|error| VaultError::Refused(error.to_string()))
}
