//! The organization key at work: it opens a client's data key here, and never leaves this machine.

use std::path::Path;

use passportal_client::envelope::{DataKey, EnvelopeError, Field, OrganizationKey, Place};
use passportal_client::wire::{SealedText, WrappedKey};
use secrecy::ExposeSecret;
use sync_engine::model::Password;
use uuid::Uuid;

use crate::secret_file;

/// Reads the organization key from its file.
pub(crate) fn read_key(path: &Path) -> anyhow::Result<OrganizationKey> {
    let key = secret_file::read(path)?;
    Ok(OrganizationKey::new(key.expose_secret()))
}

/// Opens a client's data key.
pub(crate) fn open(key: &OrganizationKey, wrapped: &WrappedKey) -> Result<DataKey, EnvelopeError> {
    DataKey::unwrap(&key.derive(&wrapped.parameters)?, wrapped)
}

/// Makes a data key for a new client, sealed like those of the organization's other clients. An
/// existing one is opened first, so that a mistyped organization key seals nothing.
pub(crate) fn new_data_key(
    key: &OrganizationKey,
    existing: &WrappedKey,
    client: Uuid,
) -> Result<WrappedKey, EnvelopeError> {
    let parameters = &existing.parameters;
    let kek = key.derive(parameters)?;
    DataKey::unwrap(&kek, existing)?;
    Ok(DataKey::generate(parameters.organization, client).wrap(&kek, parameters))
}

/// Seals a credential's password.
pub(crate) fn seal(
    key: &DataKey,
    credential: Uuid,
    user_name: &str,
    version: u64,
    password: &Password,
) -> SealedText {
    let place = Place {
        credential,
        field: Field::Password,
        version,
        user_name,
    };
    key.seal(&place, password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use passportal_client::envelope::new_key_parameters;

    #[test]
    fn a_new_clients_key_is_sealed_only_under_the_right_organization_key() {
        let organization = Uuid::from_u128(1);
        let mut parameters = new_key_parameters(organization);
        (parameters.memory_kib, parameters.iterations) = (19 * 1024, 2);
        let right = OrganizationKey::new("right");
        let company = DataKey::generate(organization, Uuid::from_u128(2))
            .wrap(&right.derive(&parameters).unwrap(), &parameters);

        let wrong = OrganizationKey::new("wrong");
        let id = Uuid::from_u128(3);
        assert_eq!(
            new_data_key(&wrong, &company, id),
            Err(EnvelopeError::WrongOrganizationKey)
        );

        let wrapped = new_data_key(&right, &company, id).unwrap();
        let password = Password::new("Canary 8fa1 🔑");
        let opened = open(&right, &wrapped).unwrap();
        let credential = Uuid::from_u128(4);
        let sealed = seal(&opened, credential, "anna@contoso.com", 1, &password);
        let place = Place {
            credential,
            field: Field::Password,
            version: 1,
            user_name: "anna@contoso.com",
        };
        assert_eq!(
            opened.open(&place, &sealed).unwrap().expose(),
            "Canary 8fa1 🔑"
        );
    }
}
