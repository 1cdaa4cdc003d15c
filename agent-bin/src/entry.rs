//! How setup enters a tenant: as the app at once, or as an administrator who signs in meanwhile.

use msgraph_sync::{EntraDirectory, Preflight, VerdictTable};

use crate::administrator::SignedIn;
use crate::config::SignIn;
use crate::outbound::Outbound;
use crate::secrets::{Administrator, SecretFiles};
use crate::setup::{SetupError, SetupRequest};
use crate::tenant::{self, TenantError};

/// What is ready before the vault is asked.
pub(crate) enum Entry {
    /// The app, with its credential.
    App(Box<EntraDirectory>),
    /// A person, who need not come before the vault has gone along.
    Person,
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
            _ => tenant::directory(client, outbound, secrets, verdict_table)
                .map(|it| Self::App(Box::new(it))),
        }
    }

    /// # Errors
    /// When the tenant, or the person, does not go along.
    pub(crate) async fn enter(
        &self,
        request: &SetupRequest,
        outbound: &Outbound,
    ) -> Result<Entered, SetupError> {
        match self {
            Self::App(directory) => {
                let preflight = directory.preflight().await;
                let preflight = preflight.map_err(|source| SetupError::Entra {
                    tenant: request.client.microsoft.tenant.to_string().into(),
                    source,
                })?;
                Ok(Entered {
                    preflight,
                    administrator: None,
                })
            }
            Self::Person => {
                let (client, show) = (&request.client, &request.show_code);
                let signed_in = SignedIn::by_device_code(client, outbound, show).await?;
                let (administrator, preflight) = signed_in.check().await?;
                Ok(Entered {
                    preflight,
                    administrator: Some(administrator),
                })
            }
        }
    }
}
