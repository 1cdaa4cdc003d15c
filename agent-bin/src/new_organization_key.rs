//! Gives this machine a client's new data key, after the organization key was changed in the vault.

use passportal_client::envelope::{DataKey, EnvelopeError, OrganizationKey};
use passportal_client::wire::WrappedKey;
use passportal_client::{AgentApi, ApiError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{ClientConfig, Config};
use crate::outbound::{Outbound, OutboundError};
use crate::secrets::{Enrolment, SecretError, SecretFiles};
use crate::wiring::vault_http;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKeyNow {
    /// The data key is another one than before.
    New,
    /// This machine had it already.
    AsBefore,
}

/// Why the data key is the one from before.
#[derive(Debug, thiserror::Error)]
pub enum NewKeyError {
    /// The secrets folder.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// What every connection needs.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The vault.
    #[error("the vault did not go along")]
    Vault(#[from] ApiError),
    /// The kept data key is damaged.
    #[error("the data key of client `{client}` is damaged")]
    DataKey {
        /// The client.
        client: String,
        /// Why.
        #[source]
        source: EnvelopeError,
    },
    /// The organization key.
    #[error("the organization key does not open this client's data key")]
    OrganizationKey(#[source] EnvelopeError),
    /// The vault gave another client's.
    #[error("the vault gave the data key of another client")]
    OtherClient,
    /// Something in the background went wrong.
    #[error("the organization key could not be tried")]
    Background(#[from] tokio::task::JoinError),
}

impl NewKeyError {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Secrets(source) => Some(source.hint()),
            Self::Outbound(source) => Some(source.hint()),
            Self::DataKey { .. } => Some("enrol it with `passportal setup --client NAME …`"),
            Self::OrganizationKey(_) => {
                Some("give the organization key exactly as it was changed to in the dashboard")
            }
            Self::OtherClient => Some("is this the vault that the client was enrolled in?"),
            Self::Vault(_) | Self::Background(_) => None,
        }
    }
}

/// Asks the vault for the client's data key, opens it here with the organization key, and keeps it. The organization key
/// is not sent anywhere.
///
/// # Errors
/// Why it is the one from before, with a hint.
pub async fn run(
    config: &Config,
    client: &ClientConfig,
    organization_key: &SecretString,
) -> Result<DataKeyNow, NewKeyError> {
    let secrets = SecretFiles::beside(&config.state.url);
    let enrolment = secrets.load_enrolment(&client.name)?;
    let enrolment = enrolment.ok_or_else(|| SecretError::NotEnrolled {
        client: client.name.clone(),
    })?;
    let outbound = Outbound::of(config)?;
    let http = vault_http(config.passportal.base_url.as_str(), &outbound)?;
    let api = AgentApi::new(&http, enrolment.token.clone())?;
    let key = open(organization_key, api.wrapped_key().await?).await?;
    take(&secrets, &enrolment, &key)
}

/// Argon2id takes a while, on purpose: it runs beside the others.
async fn open(
    organization_key: &SecretString,
    wrapped: WrappedKey,
) -> Result<DataKey, NewKeyError> {
    let key = OrganizationKey::new(organization_key.expose_secret());
    let opened = tokio::task::spawn_blocking(move || {
        let kek = key.derive(&wrapped.parameters)?;
        DataKey::unwrap(&kek, &wrapped)
    });
    opened.await?.map_err(NewKeyError::OrganizationKey)
}

/// Keeps the key. The administrator's sign-in, where there is one, is sealed with it first: whatever happens in between,
/// doing all of it again is enough.
fn take(
    secrets: &SecretFiles,
    enrolment: &Enrolment,
    key: &DataKey,
) -> Result<DataKeyNow, NewKeyError> {
    if (key.organization(), key.client()) != (enrolment.organization.0, enrolment.client.0) {
        return Err(NewKeyError::OtherClient);
    }
    if key.id() == enrolment.key_id {
        return Ok(DataKeyNow::AsBefore);
    }
    let before = enrolment.key().map_err(|source| NewKeyError::DataKey {
        client: enrolment.client_name.clone(),
        source,
    })?;
    seal_administrator_anew(secrets, &before, key)?;
    secrets.replace_data_key(enrolment.client, key)?;
    Ok(DataKeyNow::New)
}

fn seal_administrator_anew(
    secrets: &SecretFiles,
    before: &DataKey,
    key: &DataKey,
) -> Result<(), SecretError> {
    match secrets.load_administrator(before) {
        Ok(administrator) => secrets.save_administrator(key, &administrator),
        Err(SecretError::NoAdministrator { .. }) => Ok(()),
        // An earlier try may have come as far as this.
        Err(error) => secrets.load_administrator(key).map(drop).map_err(|_| error),
    }
}

#[cfg(test)]
mod tests {
    use sync_engine::model::{ClientId, ObjectId, OrganizationId, UserPrincipalName};
    use uuid::Uuid;

    use super::*;
    use crate::secrets::Administrator;

    const ORGANIZATION: Uuid = Uuid::from_u128(1);
    const CLIENT: Uuid = Uuid::from_u128(2);

    fn enrolled(secrets: &SecretFiles) -> (Enrolment, DataKey) {
        let key = DataKey::generate(ORGANIZATION, CLIENT);
        let enrolment = Enrolment {
            client: ClientId(CLIENT),
            client_name: "Contoso".to_owned(),
            organization: OrganizationId(ORGANIZATION),
            agent: Uuid::from_u128(3),
            token: "token".into(),
            key_id: key.id(),
            data_key: key.to_secret(),
        };
        secrets.save_enrolment(&enrolment).unwrap();
        (enrolment, key)
    }

    fn administrator() -> Administrator {
        Administrator {
            user_name: UserPrincipalName::new("admin@contoso.com"),
            object: ObjectId(Uuid::from_u128(7)),
            refresh_token: "refresh".into(),
        }
    }

    fn kept(secrets: &SecretFiles) -> Enrolment {
        let found = secrets.load_enrolment("Contoso").unwrap();
        found.unwrap()
    }

    #[test]
    fn the_new_key_is_kept_and_opens_the_administrators_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = SecretFiles::at(folder.path().join("secrets"));
        let (enrolment, before) = enrolled(&secrets);
        let key = DataKey::generate(ORGANIZATION, CLIENT);
        assert_eq!(take(&secrets, &enrolment, &key).unwrap(), DataKeyNow::New);
        assert_eq!(kept(&secrets).key_id, key.id());
        assert_eq!(kept(&secrets).token.expose_secret(), "token");

        secrets.save_administrator(&key, &administrator()).unwrap();
        let next = DataKey::generate(ORGANIZATION, CLIENT);
        let done = take(&secrets, &kept(&secrets), &next).unwrap();
        assert_eq!(done, DataKeyNow::New);
        let admin = secrets.load_administrator(&next).unwrap();
        assert_eq!(admin.refresh_token.expose_secret(), "refresh");
        assert!(secrets.load_administrator(&before).is_err());
        let again = take(&secrets, &kept(&secrets), &next).unwrap();
        assert_eq!(again, DataKeyNow::AsBefore);
    }

    #[test]
    fn a_machine_that_stopped_half_way_only_does_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = SecretFiles::at(folder.path().join("secrets"));
        let (enrolment, _) = enrolled(&secrets);
        let key = DataKey::generate(ORGANIZATION, CLIENT);
        secrets.save_administrator(&key, &administrator()).unwrap();
        assert_eq!(take(&secrets, &enrolment, &key).unwrap(), DataKeyNow::New);
        assert!(secrets.load_administrator(&key).is_ok());
    }

    #[test]
    fn the_key_of_another_client_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = SecretFiles::at(folder.path().join("secrets"));
        let (enrolment, before) = enrolled(&secrets);
        let foreign = DataKey::generate(ORGANIZATION, Uuid::from_u128(9));
        let refused = take(&secrets, &enrolment, &foreign);
        assert!(matches!(refused, Err(NewKeyError::OtherClient)));
        assert_eq!(kept(&secrets).key_id, before.id());
    }
}
