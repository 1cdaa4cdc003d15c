//! Enrols this machine for one client: everything is checked first, then everything is written.

use std::path::PathBuf;

use msgraph_sync::{Finding, GraphError, Preflight, VerdictTable};
use passportal_client::envelope::{DataKey, EnvelopeError, OrganizationKey};
use passportal_client::wire::{Client, EnrolRequest, MicrosoftSync, SyncMode};
use passportal_client::{ApiError, PersonSession};
use secrecy::{ExposeSecret, SecretString};
use state_store::{OpenError, StateUrl};
use sync_engine::model::{ClientId, OrganizationId, TenantId};
use uuid::Uuid;

use crate::administrator::{AdministratorError, ShowCode};
use crate::config::{self, ClientConfig, Config, ConfigError};
use crate::entry::{Entered, Entry};
use crate::outbound::{Outbound, OutboundError};
use crate::secrets::{self, Administrator, Enrolment, SecretError, SecretFiles};
use crate::tenant::TenantError;
use crate::wiring::{self, VERSION, WiringError, host_name, vault_http};

/// All that setup needs to know. Secrets come from files, never from arguments.
pub struct SetupRequest {
    /// The configuration file to write, or to add the client to.
    pub config_path: PathBuf,
    /// The configuration as it will be.
    pub config: Config,
    /// The client that is new in it.
    pub client: ClientConfig,
    /// An organization administrator's e-mail.
    pub email: String,
    /// The administrator's password, used once.
    pub password: SecretString,
    /// The one-time code, where the administrator has set one up.
    pub one_time_code: Option<String>,
    /// The organization key, used once to open the client's data key.
    pub organization_key: SecretString,
    /// A secret that was typed, and the file that it belongs into.
    pub new_secret: Option<NewSecret>,
    /// Shows the code that an administrator enters, where the agent is to act for one.
    pub show_code: ShowCode,
}

/// A secret that is new on this machine.
pub struct NewSecret {
    /// Where the agent will look for it.
    pub path: PathBuf,
    /// The secret.
    pub secret: SecretString,
}

/// What setup did.
#[derive(Clone, Debug)]
pub struct SetupDone {
    /// The client's name in the vault.
    pub client: String,
    /// Its tenant, as configured.
    pub tenant: TenantId,
    /// The file that was written.
    pub config_path: PathBuf,
    /// What the tenant answered.
    pub preflight: Preflight,
}

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

/// Checks the vault, the organization key and the tenant, then enrols and writes the
/// configuration. When it fails, nothing was written.
///
/// # Errors
/// What did not go along, with a hint.
pub async fn run(request: SetupRequest) -> Result<SetupDone, SetupError> {
    StateUrl::parse(&request.config.state.url)?;
    let secrets = SecretFiles::beside(&request.config.state.url);
    let outbound = Outbound::of(&request.config)?;
    let verdict_table = request.config.verdict_table()?;
    let entry = Entry::prepare(&request, &outbound, &secrets, verdict_table.as_ref())?;
    let http = vault_http(request.config.passportal.base_url.as_str(), &outbound)?;
    let code = request.one_time_code.as_deref();
    let (session, _) =
        PersonSession::sign_in(&http, &request.email, &request.password, code).await?;
    let setup = Setup {
        request: &request,
        secrets: &secrets,
        outbound: &outbound,
        verdict_table: verdict_table.as_ref(),
        session: &session,
    };
    let result = setup.enrol(&entry).await;
    // The session was for this only; a failure to end it changes nothing that was done.
    if let Err(error) = session.sign_out().await {
        tracing::debug!(%error, "the setup session could not be ended");
    }
    result
}

/// Everything that enrolling needs.
pub(crate) struct Setup<'a> {
    pub(crate) request: &'a SetupRequest,
    pub(crate) secrets: &'a SecretFiles,
    pub(crate) outbound: &'a Outbound,
    pub(crate) verdict_table: Option<&'a VerdictTable>,
    pub(crate) session: &'a PersonSession,
}

impl Setup<'_> {
    async fn enrol(&self, entry: &Entry) -> Result<SetupDone, SetupError> {
        let wanted = &self.request.client;
        let client = choose(&self.session.clients().await?, &wanted.name)?;
        if self
            .secrets
            .load_enrolment(&client.id.to_string())?
            .is_some()
        {
            return Err(SetupError::AlreadyEnrolled {
                client: client.name,
            });
        }
        let data_key = open_data_key(&self.request.organization_key, &client).await?;
        let entered = entry.enter(self.request, self.outbound).await?;
        if let Some(entered) = &entered {
            refuse_the_powerless(&entered.preflight, &client, wanted)?;
        }
        self.complete(&client, &data_key, entered).await
    }

    /// Enrols the agent and writes everything, once all else was checked. When it fails, nothing was written.
    pub(crate) async fn complete(
        &self,
        client: &Client,
        data_key: &DataKey,
        entered: Option<Entered>,
    ) -> Result<SetupDone, SetupError> {
        let enrolment = self.mint(client, data_key).await?;
        match self.finish(client, data_key, &enrolment, entered).await {
            Ok(preflight) => Ok(SetupDone {
                client: client.name.clone(),
                tenant: self.request.client.microsoft.tenant.clone(),
                config_path: self.request.config_path.clone(),
                preflight,
            }),
            Err(error) => {
                undo(self, &enrolment).await;
                Err(error)
            }
        }
    }

    /// The agent, as the vault knows it from now on.
    async fn mint(&self, client: &Client, data_key: &DataKey) -> Result<Enrolment, SetupError> {
        let enrolled = self
            .session
            .enrol(&EnrolRequest {
                client: client.id,
                host: host_name(),
                version: VERSION.to_owned(),
            })
            .await?;
        Ok(Enrolment {
            client: ClientId(client.id),
            client_name: client.name.clone(),
            agent: enrolled.agent,
            token: SecretString::from(enrolled.token),
            organization: OrganizationId(data_key.organization()),
            key_id: data_key.id(),
            data_key: data_key.to_secret(),
        })
    }

    /// Enters the tenant, where only the agent itself can, and writes everything.
    async fn finish(
        &self,
        client: &Client,
        data_key: &DataKey,
        enrolment: &Enrolment,
        entered: Option<Entered>,
    ) -> Result<Preflight, SetupError> {
        let entered = match entered {
            Some(entered) => entered,
            None => self.enter_as_agent(client, enrolment).await?,
        };
        let administrator = entered.administrator.as_ref();
        let administrator = administrator.map(|administrator| (data_key, administrator));
        keep(self.request, self.secrets, enrolment, administrator)?;
        Ok(entered.preflight)
    }

    async fn enter_as_agent(
        &self,
        client: &Client,
        enrolment: &Enrolment,
    ) -> Result<Entered, SetupError> {
        let request = self.request;
        let vault = wiring::vault(
            &request.config,
            &request.client,
            self.secrets,
            enrolment,
            Uuid::new_v4(),
            self.outbound,
        );
        let vault = vault.map_err(Box::new)?;
        let entered =
            Entered::by_vault_admin(request, self.outbound, self.verdict_table, vault).await?;
        refuse_the_powerless(&entered.preflight, client, &request.client)?;
        Ok(entered)
    }
}

/// A client whose passwords are only reported on needs an agent that reads.
pub(crate) fn refuse_the_powerless(
    preflight: &Preflight,
    client: &Client,
    wanted: &ClientConfig,
) -> Result<(), SetupError> {
    if client.default_mode == SyncMode::ReportMismatches {
        return Ok(());
    }
    let mut findings = preflight.findings.iter();
    match findings.find(|finding| finding.forbids_writes()) {
        Some(finding) => Err(SetupError::Powerless {
            tenant: wanted.microsoft.tenant.to_string(),
            finding: finding.clone(),
        }),
        None => Ok(()),
    }
}

pub(crate) fn choose(clients: &[Client], wanted: &str) -> Result<Client, SetupError> {
    let is_wanted = |client: &&Client| {
        client.name.eq_ignore_ascii_case(wanted) || client.id.to_string() == wanted
    };
    let on = |client: &&Client| client.sync == MicrosoftSync::EntraId;
    match clients.iter().find(is_wanted) {
        Some(client) if on(&client) => Ok(client.clone()),
        Some(client) => Err(SetupError::SyncIsOff {
            client: client.name.clone(),
        }),
        None => Err(SetupError::UnknownClient {
            client: wanted.to_owned(),
            known: clients
                .iter()
                .filter(on)
                .map(|it| it.name.clone())
                .collect(),
        }),
    }
}

/// Argon2id takes a while, on purpose: it runs beside the others.
pub(crate) async fn open_data_key(
    key: &SecretString,
    client: &Client,
) -> Result<DataKey, SetupError> {
    let key = OrganizationKey::new(key.expose_secret());
    let wrapped = client.key.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let kek = key.derive(&wrapped.parameters)?;
        DataKey::unwrap(&kek, &wrapped)
    });
    opened.await?.map_err(SetupError::OrganizationKey)
}

fn keep(
    request: &SetupRequest,
    secrets: &SecretFiles,
    enrolment: &Enrolment,
    administrator: Option<(&DataKey, &Administrator)>,
) -> Result<(), SetupError> {
    if let Some((key, administrator)) = administrator {
        secrets.save_administrator(key, administrator)?;
    }
    secrets.save_enrolment(enrolment)?;
    if let Some(NewSecret { path, secret }) = &request.new_secret {
        secrets::write(path, secret)?;
    }
    let path = &request.config_path;
    if path.exists() {
        config::append_client(path, &request.client)?;
    } else {
        config::write_new(path, &request.config)?;
    }
    Ok(())
}

async fn undo(setup: &Setup<'_>, enrolment: &Enrolment) {
    if let Err(error) = setup.secrets.remove(enrolment.client) {
        tracing::warn!(error = %error, "a secret that is of no use could not be removed");
    }
    if let Some(NewSecret { path, .. }) = &setup.request.new_secret {
        // It may never have been written.
        let _ = std::fs::remove_file(path);
    }
    if let Err(error) = setup.session.revoke_agent(enrolment.agent).await {
        tracing::warn!(error = %error, "an enrolment that is of no use could not be revoked");
    }
}
