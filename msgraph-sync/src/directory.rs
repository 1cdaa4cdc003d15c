//! The engine's directory port over one tenant of Entra ID.

use std::sync::Arc;

use async_trait::async_trait;
use sync_engine::model::{
    Account, DeltaLink, DirectoryChanges, Domains, ObjectId, Password, ResetRights, SignIn,
    UserPrincipalName,
};
use sync_engine::ports::{Directory, DirectoryError, SetPassword};

use crate::retry_after::Patience;
use crate::service_clock::ServiceClock;
use crate::session::Session;
use crate::token::{AppIdentity, ClientSecretSource, TokenCache, TokenEndpoint};
use crate::transport::{Reach, Transport};
use crate::verify::SignInTest;
use crate::{AppCredential, GraphSetupError, TenantConfig, VerdictTable, VerificationApp};

/// One tenant of Entra ID: its accounts, the sign-in test, and the one write.
pub struct EntraDirectory {
    pub(crate) session: Session,
    pub(crate) clock: Arc<ServiceClock>,
    pub(crate) sign_in_test: SignInTest,
}

impl EntraDirectory {
    /// Prepares everything. Nothing is sent yet.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: TenantConfig) -> Result<Self, GraphSetupError> {
        Self::with_patience(config, Patience::default())
    }

    pub(crate) fn with_patience(
        config: TenantConfig,
        patience: Patience,
    ) -> Result<Self, GraphSetupError> {
        let config = TenantConfig {
            endpoints: config.endpoints.checked()?,
            ..config
        };
        let clock = Arc::new(ServiceClock::new(config.clock_tolerance));
        let transport = Arc::new(transport(&config, Arc::clone(&clock))?);
        let endpoint = Arc::new(TokenEndpoint::new(
            config.token_url()?,
            Arc::clone(&transport),
        ));
        let tokens = Arc::new(TokenCache::new(ClientSecretSource {
            endpoint: Arc::clone(&endpoint),
            app: app(&config),
            scope: config.endpoints.scope(),
            tenant: config.tenant.clone(),
            clock: Arc::clone(&clock),
        }));
        Ok(Self {
            session: Session::new(config.endpoints.graph.clone(), tokens, transport, patience),
            clock,
            sign_in_test: SignInTest {
                endpoint,
                app: verification_app(&config),
                table: config.verdict_table.unwrap_or_else(VerdictTable::built_in),
            },
        })
    }
}

fn transport(
    config: &TenantConfig,
    clock: Arc<ServiceClock>,
) -> Result<Transport, GraphSetupError> {
    let reach = if config.endpoints.are_local() {
        Reach::Local
    } else {
        Reach::Beyond
    };
    Transport::new(config.extra_ca.as_deref(), reach, clock)
}

fn app(config: &TenantConfig) -> AppIdentity {
    match &config.credential {
        AppCredential::ClientSecret(secret) => AppIdentity::Secret {
            client_id: config.client_id.clone(),
            secret: secret.clone(),
        },
    }
}

fn verification_app(config: &TenantConfig) -> AppIdentity {
    match &config.verification {
        VerificationApp::Public(client_id) => AppIdentity::Public {
            client_id: client_id.clone(),
        },
        VerificationApp::Itself => app(config),
    }
}

#[async_trait]
impl Directory for EntraDirectory {
    async fn changes(&self, since: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError> {
        Ok(self.session.changes(since).await?)
    }

    async fn domains(&self) -> Result<Domains, DirectoryError> {
        Ok(self.session.domains().await?)
    }

    async fn reset_rights(&self) -> Result<ResetRights, DirectoryError> {
        Ok(self.standing().await?.rights)
    }

    async fn account(&self, id: ObjectId) -> Result<Option<Account>, DirectoryError> {
        Ok(self.session.account(id).await?)
    }

    async fn verify(&self, user_name: &UserPrincipalName, password: &Password) -> SignIn {
        self.sign_in_test.run(user_name, password).await
    }

    async fn set_password(&self, id: ObjectId, password: &Password) -> SetPassword {
        self.session.set_password(id, password).await
    }
}

impl std::fmt::Debug for EntraDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntraDirectory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
