//! Signs the administrator of an enrolled client in anew, where the last sign-in is over.

use std::sync::Arc;

use msgraph_sync::Preflight;
use passportal_client::envelope::EnvelopeError;
use sync_engine::model::UserPrincipalName;
use sync_engine::plan::AskedBy;
use uuid::Uuid;

use crate::administrator::{AdministratorError, ShowCode, SignedIn};
use crate::config::{ClientConfig, Config, ConfigError, SignIn};
use crate::outbound::{Outbound, OutboundError};
use crate::secrets::{Administrator, SecretError, SecretFiles};
use crate::vault_admin::{Bounds, VaultAdmin, Whose};
use crate::wiring::{self, WiringError};

/// Who is signed in now.
#[derive(Clone, Debug)]
pub struct SignedInAnew {
    /// The account.
    pub user_name: UserPrincipalName,
    /// Whether it is another account than before, which a running service learns of at its next start.
    pub is_another: bool,
    /// What the tenant answered.
    pub preflight: Preflight,
}

/// Why nobody is signed in anew. What was kept before is still kept.
#[derive(Debug, thiserror::Error)]
pub enum SignInAnewError {
    /// The client is configured to sign in as an app.
    #[error("client `{client}` signs in with sign_in = \"{sign_in}\", and not as a person")]
    NoPerson {
        /// The client.
        client: String,
        /// How it signs in.
        sign_in: SignIn,
    },
    /// The secrets folder.
    #[error(transparent)]
    Secrets(#[from] SecretError),
    /// The kept data key.
    #[error("the data key of client `{client}` is damaged")]
    DataKey {
        /// The client.
        client: String,
        /// Why.
        #[source]
        source: EnvelopeError,
    },
    /// What every connection needs.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The vault.
    #[error(transparent)]
    Agent(#[from] Box<WiringError>),
    /// The sign-in.
    #[error(transparent)]
    Administrator(#[from] AdministratorError),
}

impl SignInAnewError {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::NoPerson { .. } => Some("nobody needs to sign in; `passportal doctor` says more"),
            Self::Secrets(source) => Some(source.hint()),
            Self::DataKey { .. } => Some("enrol it with `passportal setup --client NAME …`"),
            Self::Outbound(source) => Some(source.hint()),
            Self::Config(source) => Some(source.hint()),
            Self::Agent(source) => source.hint(),
            Self::Administrator(source) => source.hint(),
        }
    }

    /// Whether the person or the app was not let in.
    pub fn is_not_authorised(&self) -> bool {
        matches!(self, Self::Administrator(source) if source.is_not_authorised())
    }
}

/// Signs in by device code, or with the password that the vault has, checks who it is, and keeps what is left of it. A running service goes on with it by itself.
///
/// # Errors
/// Why nobody is signed in, with a hint.
pub async fn run(
    config: &Config,
    client: &ClientConfig,
    show: &ShowCode,
) -> Result<SignedInAnew, SignInAnewError> {
    if !client.microsoft.sign_in.is_of_a_person() {
        return Err(SignInAnewError::NoPerson {
            client: client.name.clone(),
            sign_in: client.microsoft.sign_in,
        });
    }
    let secrets = SecretFiles::beside(&config.state.url);
    let enrolment = secrets.load_enrolment(&client.name)?;
    let enrolment = enrolment.ok_or_else(|| SecretError::NotEnrolled {
        client: client.name.clone(),
    })?;
    let key = enrolment.key().map_err(|source| SignInAnewError::DataKey {
        client: client.name.clone(),
        source,
    })?;
    let outbound = Outbound::of(config)?;
    let signed_in = if client.microsoft.sign_in == SignIn::VaultAdmin {
        let vault = wiring::vault(
            config,
            client,
            &secrets,
            &enrolment,
            Uuid::new_v4(),
            &outbound,
        );
        let bounds = Bounds::of(&config.policy(client), AskedBy::Person);
        let vault = Arc::new(vault.map_err(Box::new)?);
        let admin = VaultAdmin::new(vault, Whose::of(&client.microsoft), bounds);
        let table = config.verdict_table()?;
        SignedIn::by_vault_admin(client, &outbound, table.as_ref(), admin).await?
    } else {
        SignedIn::by_device_code(client, &outbound, show).await?
    };
    let (administrator, preflight) = signed_in.check().await?;
    let before = secrets.load_administrator(&key).ok();
    secrets.save_administrator(&key, &administrator)?;
    Ok(SignedInAnew {
        is_another: is_another(before.as_ref(), &administrator),
        user_name: administrator.user_name,
        preflight,
    })
}

fn is_another(before: Option<&Administrator>, now: &Administrator) -> bool {
    before.is_none_or(|before| before.object != now.object)
}
