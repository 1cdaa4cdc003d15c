//! Why setup did nothing, and what to do next.

use msgraph_sync::{Finding, GraphError};
use passportal_client::ApiError;
use passportal_client::envelope::EnvelopeError;
use state_store::OpenError;

use crate::administrator::AdministratorError;
use crate::advice::ONE_TIME_CODE;
use crate::config::ConfigError;
use crate::outbound::OutboundError;
use crate::secrets::SecretError;
use crate::tenant::TenantError;
use crate::wiring::WiringError;

/// Why setup did nothing.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The vault.
    #[error("the vault did not go along")]
    Vault(#[from] ApiError),
    /// There is no such client.
    #[error("the vault has no client `{client}`")]
    UnknownClient {
        /// The name that was given.
        client: String,
        /// Those that are there and have Microsoft sync on.
        known: Vec<String>,
    },
    /// The client has Microsoft sync off.
    #[error("client `{client}` has Microsoft sync off")]
    SyncIsOff {
        /// The client.
        client: String,
    },
    /// The place of the agent's memory.
    #[error("the agent could not remember there")]
    State(#[from] OpenError),
    /// The organization key.
    #[error("the organization key does not open this client's data key")]
    OrganizationKey(#[source] EnvelopeError),
    /// What every connection needs.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The tenant's configuration.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// The tenant.
    #[error("tenant `{tenant}` did not go along")]
    Entra {
        /// The tenant.
        tenant: Box<str>,
        /// Why.
        #[source]
        source: GraphError,
    },
    /// Nobody is signed in whom the agent could act for.
    #[error("no administrator is signed in")]
    Administrator(#[source] Box<AdministratorError>),
    /// The agent could read the tenant, and set no password in it.
    #[error("tenant `{tenant}`: {finding}")]
    Powerless {
        /// The tenant.
        tenant: String,
        /// Why.
        finding: Finding,
    },
    /// The client is enrolled here already.
    #[error("client `{client}` is enrolled on this machine already")]
    AlreadyEnrolled {
        /// The client.
        client: String,
    },
    /// The secrets folder.
    #[error("the agent's secrets cannot be kept")]
    Secrets(#[from] SecretError),
    /// The agent, once enrolled, cannot reach the vault.
    #[error(transparent)]
    Agent(#[from] Box<WiringError>),
    /// Something in the background went wrong.
    #[error("the organization key could not be tried")]
    Background(#[from] tokio::task::JoinError),
}

impl From<AdministratorError> for SetupError {
    fn from(error: AdministratorError) -> Self {
        Self::Administrator(Box::new(error))
    }
}

impl SetupError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Config(source) => source.hint().to_owned(),
            Self::Vault(error) if error.needs_one_time_code() => ONE_TIME_CODE.to_owned(),
            Self::Vault(ApiError::NotAuthorised { .. }) => {
                "give the e-mail and password of an organization administrator".to_owned()
            }
            Self::Vault(ApiError::Invalid { .. }) => "do as the vault says".to_owned(),
            Self::Vault(_) => {
                "check the base URL or region, the network, the proxy and --extra-ca".to_owned()
            }
            Self::UnknownClient { known, .. } if known.is_empty() => {
                "switch a client's Microsoft sync on in the dashboard first".to_owned()
            }
            Self::UnknownClient { known, .. } => format!("choose one of: {}", known.join(", ")),
            Self::SyncIsOff { client } => {
                format!("switch it on: `passportal clients set \"{client}\" --sync entra-id`")
            }
            Self::State(source) => source.hint().to_owned(),
            Self::OrganizationKey(_) => {
                "give the organization key exactly as it was set when the vault was made".to_owned()
            }
            Self::Outbound(source) => source.hint().to_owned(),
            Self::Tenant(source) => source.hint()?.to_owned(),
            Self::Entra { source, .. } => source.hint()?.to_owned(),
            Self::Administrator(source) => source.hint()?.to_owned(),
            Self::Powerless { finding, .. } => format!(
                "{}; for reports only, set the client's default mode to Report mismatches",
                finding.remedy()
            ),
            Self::AlreadyEnrolled { .. } => {
                "remove it from the configuration and the secrets folder to enrol it anew"
                    .to_owned()
            }
            Self::Secrets(source) => source.hint().to_owned(),
            Self::Agent(source) => source.hint()?.to_owned(),
            Self::Background(_) => return None,
        })
    }

    /// Whether the person or the app was not let in.
    pub fn is_not_authorised(&self) -> bool {
        match self {
            Self::Vault(source) => matches!(source, ApiError::NotAuthorised { .. }),
            Self::OrganizationKey(_) | Self::Powerless { .. } => true,
            Self::Entra { source, .. } => source.is_not_authorised(),
            Self::Administrator(source) => source.is_not_authorised(),
            _ => false,
        }
    }
}
