//! How setup enters a tenant: as the app at once, as an administrator who signs in meanwhile, or as one whose password the
//! vault gives to the enrolled agent.

use std::sync::Arc;

use msgraph_sync::{AppCredential, EntraDirectory, Preflight, VerdictTable};
use passportal_client::PassportalVault;
use sync_engine::plan::AskedBy;

use crate::administrator::SignedIn;
use crate::config::SignIn;
use crate::outbound::Outbound;
use crate::secrets::{Administrator, SecretFiles};
use crate::setup::{NewSecret, SetupError, SetupRequest};
use crate::tenant::{self, TenantError};
use crate::vault_admin::{Bounds, VaultAdmin, Whose};

/// What is ready before the vault is asked.
pub(crate) enum Entry {
    /// The app, with its credential.
    App(Box<EntraDirectory>),
    /// A person, who need not come before the vault has gone along.
    Person,
    /// An administrator whose credential is in the vault: only an agent gets it.
    VaultAdmin,
}

/// The tenant, as it answered.
pub(crate) struct Entered {
    pub(crate) preflight: Preflight,
    /// Who signed in, if it was a person.
    pub(crate) administrator: Option<Administrator>,
}

impl Entry {
    /// # Errors
    /// When the configuration does not allow to sign in.
    pub(crate) fn prepare(
        request: &SetupRequest,
        outbound: &Outbound,
        secrets: &SecretFiles,
        verdict_table: Option<&VerdictTable>,
    ) -> Result<Self, TenantError> {
        let client = &request.client;
        match client.microsoft.sign_in {
            SignIn::DeviceCode => tenant::connection(client, outbound).map(|_| Self::Person),
            SignIn::VaultAdmin => tenant::connection(client, outbound).map(|_| Self::VaultAdmin),
            SignIn::Certificate | SignIn::ClientSecret | SignIn::Federated => {
                let directory = match &request.new_secret {
                    Some(NewSecret { secret, .. }) => {
                        let typed = AppCredential::ClientSecret(secret.clone());
                        let connection = tenant::connection(client, outbound)?;
                        tenant::directory_at(connection, typed, client, verdict_table)?
                    }
                    None => tenant::directory(client, outbound, secrets, verdict_table)?,
                };
                Ok(Self::App(Box::new(directory)))
            }
        }
    }

    /// Enters without the vault's help; `None` where only the enrolled agent can.
    ///
    /// # Errors
    /// When the tenant, or the person, does not go along.
    pub(crate) async fn enter(
        &self,
        request: &SetupRequest,
        outbound: &Outbound,
    ) -> Result<Option<Entered>, SetupError> {
        match self {
            Self::App(directory) => {
                let preflight = directory.preflight().await;
                let preflight = preflight.map_err(|source| SetupError::Entra {
                    tenant: request.client.microsoft.tenant.to_string().into(),
                    source,
                })?;
                Ok(Some(Entered {
                    preflight,
                    administrator: None,
                }))
            }
            Self::Person => {
                let (client, show) = (&request.client, &request.show_code);
                let signed_in = SignedIn::by_device_code(client, outbound, show).await?;
                Entered::by(&signed_in).await.map(Some)
            }
            Self::VaultAdmin => Ok(None),
        }
    }
}

impl Entered {
    /// As the administrator whose credential this client's vault has.
    ///
    /// # Errors
    /// When there is none, or it does not sign in.
    pub(crate) async fn by_vault_admin(
        request: &SetupRequest,
        outbound: &Outbound,
        verdict_table: Option<&VerdictTable>,
        vault: PassportalVault,
    ) -> Result<Self, SetupError> {
        let client = &request.client;
        let bounds = Bounds::of(&request.config.policy(client), AskedBy::Person);
        let admin = VaultAdmin::new(Arc::new(vault), Whose::of(&client.microsoft), bounds);
        let signed_in = SignedIn::by_vault_admin(client, outbound, verdict_table, admin).await?;
        Self::by(&signed_in).await
    }

    async fn by(signed_in: &SignedIn) -> Result<Self, SetupError> {
        let (administrator, preflight) = signed_in.check().await?;
        Ok(Self {
            preflight,
            administrator: Some(administrator),
        })
    }
}
