//! The enrolment itself: all is checked, then the vault makes the agent, and everything is written or nothing.

use msgraph_sync::{Preflight, VerdictTable};
use passportal_client::PersonSession;
use passportal_client::envelope::DataKey;
use passportal_client::wire::{Client, EnrolRequest};
use secrecy::SecretString;
use sync_engine::model::{ClientId, OrganizationId};
use uuid::Uuid;

use super::client::{choose, open_data_key, refuse_the_powerless};
use super::{NewSecret, SetupDone, SetupError, SetupRequest};
use crate::config;
use crate::entry::{Entered, Entry};
use crate::outbound::Outbound;
use crate::secrets::{self, Administrator, Enrolment, SecretFiles};
use crate::wiring::{self, VERSION, host_name};

/// Everything that enrolling needs.
pub(crate) struct Setup<'a> {
    pub(crate) request: &'a SetupRequest,
    pub(crate) secrets: &'a SecretFiles,
    pub(crate) outbound: &'a Outbound,
    pub(crate) verdict_table: Option<&'a VerdictTable>,
    pub(crate) session: &'a PersonSession,
}

impl Setup<'_> {
    pub(super) async fn enrol(&self, entry: &Entry) -> Result<SetupDone, SetupError> {
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

fn keep(
    request: &SetupRequest,
    secrets: &SecretFiles,
    enrolment: &Enrolment,
    administrator: Option<(&DataKey, &Administrator)>,
) -> Result<(), SetupError> {
    // A folder for secrets may be within it, and only that one is closed.
    config::make_folder(&request.config_path)?;
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
