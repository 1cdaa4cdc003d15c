//! The engine's directory port over one tenant of Entra ID.

use std::sync::Arc;

use async_trait::async_trait;
use sync_engine::model::{
    Account, DeltaLink, DirectoryChanges, Domains, ObjectId, Password, ResetRights, SignIn,
    UserPrincipalName,
};
use sync_engine::ports::{Directory, DirectoryError, PasswordWrite, SetPassword};

use crate::governor::Governor;
use crate::proxy::Route;
use crate::retry_after::Patience;
use crate::service_clock::ServiceClock;
use crate::session::Session;
use crate::token::{
    AppIdentity, CertificateWatch, ClientCredentialsSource, PersonSource, TokenCache, TokenEndpoint,
};
use crate::transport::{Timeouts, Transport};
use crate::verify::SignInTest;
use crate::{
    AppCredential, CertificateLife, ClientCertificate, Connection, Credential, GraphSetupError,
    LimitUse, TenantConfig, VerdictTable, VerificationApp,
};

/// One tenant of Entra ID: its accounts, the sign-in test, and the one write.
pub struct EntraDirectory {
    pub(crate) session: Session,
    pub(crate) clock: Arc<ServiceClock>,
    certificate: Option<CertificateLife>,
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

    /// From when until when the certificate is valid that the agent signs in with; `None` where it uses none.
    pub fn certificate(&self) -> Option<CertificateLife> {
        self.certificate
    }

    /// What is used of the tenant's limits.
    pub fn limit_use(&self) -> LimitUse {
        self.session.governor().in_use()
    }

    pub(crate) fn with_patience(
        config: TenantConfig,
        patience: Patience,
    ) -> Result<Self, GraphSetupError> {
        let Entrance {
            connection,
            clock,
            transport,
            endpoint,
        } = Entrance::of(config.connection.clone())?;
        let app = app(&config);
        let certificate = app.certificate().map(ClientCertificate::life);
        let tokens = Arc::new(tokens(&config, app, &endpoint, &clock));
        Ok(Self {
            certificate,
            session: Session::new(
                connection.endpoints.graph,
                tokens,
                transport,
                Governor::new(config.limits),
                patience,
            ),
            clock,
            sign_in_test: SignInTest::new(
                endpoint,
                verification_app(&config),
                verdict_table(config.verdict_table),
            ),
        })
    }
}

fn tokens(
    config: &TenantConfig,
    app: AppIdentity,
    endpoint: &Arc<TokenEndpoint>,
    clock: &Arc<ServiceClock>,
) -> TokenCache {
    let (endpoint, clock) = (Arc::clone(endpoint), Arc::clone(clock));
    let scope = config.connection.endpoints.scope();
    let tenant = config.connection.tenant.clone();
    match &config.credential {
        Credential::App(_) => TokenCache::new(ClientCredentialsSource {
            endpoint,
            app,
            scope,
            tenant,
            clock,
            watch: CertificateWatch::default(),
        }),
        Credential::Person(person) => TokenCache::new(PersonSource::new(
            endpoint,
            app,
            scope,
            tenant,
            clock,
            person.clone(),
            verdict_table(config.verdict_table.clone()),
        )),
    }
}

/// What every sign-in needs.
pub(crate) struct Entrance {
    pub(crate) connection: Connection,
    pub(crate) clock: Arc<ServiceClock>,
    pub(crate) transport: Arc<Transport>,
    pub(crate) endpoint: Arc<TokenEndpoint>,
}

impl Entrance {
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn of(connection: Connection) -> Result<Self, GraphSetupError> {
        let connection = connection.checked()?;
        let clock = Arc::new(ServiceClock::new(connection.clock_tolerance));
        let transport = Arc::new(transport(&connection, Arc::clone(&clock))?);
        let url = connection.oauth_url("token")?;
        Ok(Self {
            endpoint: Arc::new(TokenEndpoint::new(url, Arc::clone(&transport))),
            connection,
            clock,
            transport,
        })
    }
}

fn transport(
    connection: &Connection,
    clock: Arc<ServiceClock>,
) -> Result<Transport, GraphSetupError> {
    let extra_ca = connection.extra_ca.as_deref();
    Transport::new(extra_ca, route(connection)?, Timeouts::default(), clock)
}

/// The configured proxy wins over the environment's; `NO_PROXY` counts for both.
fn route(connection: &Connection) -> Result<Route, GraphSetupError> {
    match &connection.proxy {
        _ if connection.endpoints.are_local() => Ok(Route::straight()),
        Some(proxy) => Route::through(proxy, &no_proxy()),
        None => Ok(Route::of_environment()),
    }
}

fn no_proxy() -> String {
    let variable = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy"));
    variable.unwrap_or_default()
}

fn app(config: &TenantConfig) -> AppIdentity {
    let id = &config.connection.client_id;
    match &config.credential {
        Credential::App(credential) => app_with(id, credential),
        Credential::Person(_) => AppIdentity::public(id),
    }
}

fn app_with(id: &str, credential: &AppCredential) -> AppIdentity {
    match credential {
        AppCredential::ClientSecret(secret) => AppIdentity::with_secret(id, secret.clone()),
        AppCredential::Certificate(certificate) => {
            AppIdentity::with_certificate(id, certificate.clone())
        }
        AppCredential::Federated(token_file) => AppIdentity::federated(id, token_file.clone()),
    }
}

fn verdict_table(own: Option<VerdictTable>) -> VerdictTable {
    own.unwrap_or_else(VerdictTable::built_in)
}

fn verification_app(config: &TenantConfig) -> AppIdentity {
    match &config.verification {
        VerificationApp::Public(client_id) => AppIdentity::public(client_id),
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

    async fn set_passwords(&self, writes: &[PasswordWrite]) -> Vec<SetPassword> {
        self.session.set_passwords(writes).await
    }
}

impl std::fmt::Debug for EntraDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntraDirectory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
