//! The composition root: from a configuration to one engine for each client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use msgraph_sync::{EntraDirectory, LONGEST_WRITE, PersonPassword, Preflight};
use passportal_client::envelope::EnvelopeError;
use passportal_client::{AgentApi, AgentIdentity, ApiError, HttpConfig, Onlooker, PassportalVault};
use state_store::{Access, OpenError, StateDatabase, StateUrl};
use sync_engine::model::ClientId;
use sync_engine::plan::{AskedBy, Policy};
use sync_engine::ports::DirectoryError;
use sync_engine::{Engine, EngineError, Ports};
use uuid::Uuid;

use crate::causes::chain;
use crate::config::{ClientConfig, Config, ConfigError, SignIn};
use crate::instance;
use crate::outbound::{Outbound, OutboundError};
use crate::secrets::{Enrolment, Kept, SecretError, SecretFiles, read_secret_file};
use crate::tenant::{self, TenantError};
use crate::token_keeper::KeptToken;
use crate::vault_admin::{Bounds, VaultAdmin, Whose};
use crate::workshop::{Checked, Workshop, refuse_twins};

/// The agent's version, as the vault and the dashboard show it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whoever stops the agent waits for it.
const LONGEST_FAREWELL: Duration = Duration::from_secs(1);

/// Why the agent cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The configuration.
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    /// A client was never enrolled on this machine.
    #[error("client `{client}` is not enrolled on this machine: {} has no enrolment of it", folder.display())]
    NotEnrolled {
        /// The client.
        client: String,
        /// Where its enrolment would be.
        folder: PathBuf,
        /// Why there.
        kept: Kept,
    },
    /// The secrets folder.
    #[error("the agent's secrets cannot be read")]
    Secrets(#[from] SecretError),
    /// Two entries of the configuration are one client: each would undo the other's work.
    #[error("clients `{first}` and `{second}` of the configuration are the same client")]
    Twins {
        /// An entry.
        first: String,
        /// The other.
        second: String,
    },
    /// The kept data key is damaged.
    #[error("the data key of client `{client}` is damaged")]
    DataKey {
        /// The client.
        client: String,
        /// Why.
        #[source]
        source: EnvelopeError,
    },
    /// The vault's address or certificates.
    #[error("the vault cannot be reached with this configuration")]
    Vault(#[from] ApiError),
    /// What every connection needs.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The tenant.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// The state file.
    #[error(transparent)]
    State(#[from] OpenError),
}

impl WiringError {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Config(source) => Some(source.hint()),
            Self::Twins { .. } => Some("remove one of the two [[client]] tables"),
            Self::NotEnrolled {
                kept: Kept::WhereSystemdSays,
                ..
            } => Some(
                "was it enrolled under another STATE_DIRECTORY? with a state on a server, each command needs the service's; else enrol it with `passportal setup --client NAME …`",
            ),
            Self::NotEnrolled { .. } | Self::DataKey { .. } => {
                Some("enrol it with `passportal setup --client NAME …`")
            }
            Self::Secrets(source) => Some(source.hint()),
            Self::Vault(_) => Some("check passportal.base_url, tls.extra_ca and proxy.url"),
            Self::Outbound(source) => Some(source.hint()),
            Self::Tenant(source) => source.hint(),
            Self::State(source) => Some(source.hint()),
        }
    }
}

/// All clients of one agent, and the memory that they share.
pub struct Agents {
    /// One for each client of the configuration.
    pub clients: Vec<ClientAgent>,
    pub(crate) state: StateDatabase,
}

/// One client with everything that its engine needs.
pub struct ClientAgent {
    /// The client.
    pub id: ClientId,
    /// Its name.
    pub name: String,
    /// The world, as its engine reaches it.
    pub ports: Ports,
    /// The numbers that its plans obey.
    pub policy: Policy,
    /// Its vault, for the farewell.
    pub vault: Arc<PassportalVault>,
    /// Its tenant, for the preflight.
    pub directory: Arc<EntraDirectory>,
}

impl ClientAgent {
    /// An engine that has seen nothing yet.
    pub fn engine(&self) -> Engine {
        Engine::new(self.ports.clone(), self.policy.clone())
    }

    /// An engine for a dry run.
    pub fn read_only_engine(&self) -> Engine {
        Engine::new(self.read_only_ports(), self.policy.clone())
    }

    /// The world for a dry run: nothing is written anywhere, and nobody is heard.
    pub fn read_only_ports(&self) -> Ports {
        let vault = Arc::new(Onlooker::new(Arc::clone(&self.vault)));
        let ports = Ports {
            vault,
            ..self.ports.clone()
        };
        ports.read_only()
    }

    /// Signs in to the tenant and reads the least there is, so that a wrong tenant, secret,
    /// permission or clock is told as what it is.
    ///
    /// # Errors
    /// Which of those it is.
    pub async fn preflight(&self) -> Result<Preflight, EngineError> {
        let preflight = self.directory.preflight().await;
        let preflight = preflight.map_err(DirectoryError::from)?;
        for finding in &preflight.findings {
            tracing::warn!(client.id = %self.id, "{finding}; {}", finding.remedy());
        }
        Ok(preflight)
    }

    /// Gives the lease back, so that the next agent need not wait for its end. A vault that does not
    /// answer is not waited for: nothing is lost, the lease ends by itself.
    pub async fn farewell(&self) {
        match tokio::time::timeout(LONGEST_FAREWELL, self.vault.farewell()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(error = %chain(&error), "the vault could not be told farewell");
            }
            Err(_) => tracing::debug!("the vault did not hear the farewell in time"),
        }
    }
}

impl Agents {
    /// Closes the memory, so that another process may open it.
    pub async fn close(self) {
        self.state.close().await;
    }
}

/// Opens the state and puts every client together. Nothing is sent yet.
///
/// # Errors
/// When a client is not enrolled, a secret cannot be read, or the state is in use.
pub async fn open(config: &Config) -> Result<Agents, WiringError> {
    let workshop = Workshop::of(config)?;
    let mut checked = Vec::new();
    for client in &config.clients {
        checked.push(workshop.check(workshop.draft(client)?)?);
    }
    let drafts: Vec<_> = checked.iter().map(Checked::draft).collect();
    refuse_twins(&drafts)?;
    let state = state(&workshop).await?;
    let instance = instance_of(&state, config);
    let clients = checked.into_iter();
    let clients = clients.map(|it| workshop.build(it, &state, instance));
    Ok(Agents {
        clients: clients.collect::<Result<_, _>>()?,
        state,
    })
}

/// Which of the processes that hold the agents' tokens this is.
pub(crate) fn instance_of(state: &StateDatabase, config: &Config) -> Uuid {
    let instance = state.instance();
    instance.unwrap_or_else(|| instance::of(&config.state.url))
}

/// The memory that the configuration names.
pub(crate) async fn state(workshop: &Workshop) -> Result<StateDatabase, WiringError> {
    let config = workshop.config();
    let url = StateUrl::parse(&config.state.url)?;
    let file = config.state.password_file.as_deref();
    // A state file needs no password, and so no file with one.
    let file = file.filter(|_| url.file().is_none());
    let access = Access {
        password: file.map(read_secret_file).transpose()?,
        extra_ca: workshop.extra_ca(),
        host: Some(host_name()),
    };
    Ok(StateDatabase::open_with(&url, &access).await?)
}

/// The configuration's numbers, the longest that one of Graph's writes may take, and whom the agent acts for.
pub(crate) fn policy(
    config: &Config,
    client: &ClientConfig,
    secrets: &SecretFiles,
) -> Result<Policy, TenantError> {
    Ok(Policy {
        write_timeout: LONGEST_WRITE,
        own_account: tenant::own_account(client, secrets)?,
        ..config.policy(client)
    })
}

/// The vault's own credential of the administrator whom the agent acts for.
pub(crate) fn vault_admin(
    client: &ClientConfig,
    policy: &Policy,
    vault: &Arc<PassportalVault>,
) -> Option<Arc<dyn PersonPassword>> {
    let own = policy.own_account.as_ref();
    let own = own.filter(|_| client.microsoft.sign_in == SignIn::VaultAdmin)?;
    let whose = Whose::This(own.user_name.clone());
    let bounds = Bounds::of(policy, AskedBy::Agent);
    Some(Arc::new(VaultAdmin::new(Arc::clone(vault), whose, bounds)))
}

/// The vault of one enrolled client.
///
/// # Errors
/// When the kept data key is damaged, or the vault's address cannot be used.
pub fn vault(
    config: &Config,
    client: &ClientConfig,
    secrets: &SecretFiles,
    enrolment: &Enrolment,
    instance: Uuid,
    outbound: &Outbound,
) -> Result<PassportalVault, WiringError> {
    let key = enrolment.key().map_err(|source| WiringError::DataKey {
        client: client.name.clone(),
        source,
    })?;
    let http = vault_http(config.passportal.base_url.as_str(), outbound)?;
    let api = AgentApi::new(&http, enrolment.token.clone())?;
    let identity = AgentIdentity {
        host: host_name(),
        version: VERSION.to_owned(),
        write_timeout: LONGEST_WRITE,
        interval: config.sync.interval,
        instance,
    };
    let keeper = Arc::new(KeptToken::new(secrets.clone(), enrolment.client));
    Ok(PassportalVault::new(api, key, identity, keeper))
}

/// How the vault at this address is reached.
///
/// # Errors
/// When the address is not one, or not https beyond this machine.
pub fn vault_http(base_url: &str, outbound: &Outbound) -> Result<HttpConfig, ApiError> {
    let mut http = HttpConfig::new(base_url)?;
    if let Some(pem) = &outbound.extra_ca {
        http = http.with_extra_ca(pem.clone());
    }
    if let Some(proxy) = &outbound.proxy {
        http = http.with_proxy(proxy.address().clone());
    }
    Ok(http)
}

/// This machine's name, for people.
pub fn host_name() -> String {
    let from_file = std::fs::read_to_string("/etc/hostname").ok();
    from_file
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unnamed host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn not_enrolled(state_url: &str) -> WiringError {
        WiringError::NotEnrolled {
            client: "Contoso".to_owned(),
            folder: PathBuf::from("/srv/agent/secrets"),
            kept: Kept::of(state_url),
        }
    }

    #[test]
    fn a_client_that_is_not_enrolled_is_told_with_the_folder_and_what_decides_about_it() {
        let on_a_server = not_enrolled("postgres://agent@db.example/state");
        assert!(on_a_server.to_string().contains("/srv/agent/secrets"));
        assert!(on_a_server.hint().unwrap().contains("STATE_DIRECTORY"));
        let in_a_file = not_enrolled("sqlite:///srv/agent/state.db");
        assert!(in_a_file.to_string().contains("/srv/agent/secrets"));
        let hint = in_a_file.hint().unwrap();
        assert!(!hint.contains("STATE_DIRECTORY"), "{hint}");
    }
}
