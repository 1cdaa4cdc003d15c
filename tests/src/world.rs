//! The world: vault, tenant, one client, and whatever the test puts in.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_bin::administrator::show_in_words;
use agent_bin::config::{Config, Overrides};
use agent_bin::service;
use agent_bin::setup::{self, SetupDone, SetupError, SetupRequest};
use agent_bin::steering::Steering;
use agent_bin::wiring::{self, Agents};
use anyhow::Context;
use entra_sim::{
    AppChange, AppSpec, Authentication, GroupSpec, Scenario, Simulator, TenantSpec, UserSpec,
    Verification,
};
use jiff::SignedDuration;
use passportal_client::envelope::{DataKey, Field, OrganizationKey, Place};
use passportal_client::wire::{
    Client, Credential, CredentialPatch, MicrosoftSync, NewClient, NewCredential, NewPassword,
    Standing, SyncMode, WrappedKey, credential_type,
};
use passportal_client::{HttpConfig, PersonSession};
use passportal_server::{InitRequest, ServeConfig, Server};
use secrecy::SecretString;
use sync_engine::model::Password;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::TestCa;

/// The administrator of every world.
pub const ADMIN_EMAIL: &str = "admin@msp.example";
/// The administrator's password.
pub const ADMIN_PASSWORD: &str = "World-Admin-1";
/// The organization key.
pub const ORGANIZATION_KEY: &str = "world organization key";
/// The vault's name beyond this machine, where a proxy leads to it.
pub const VAULT_HOST: &str = "vault.msp.example";
/// The client.
pub const CLIENT: &str = "Contoso";
/// The client's tenant.
pub const TENANT: &str = "contoso.onmicrosoft.com";
/// The secret of the agent's app.
pub const APP_SECRET: &str = "World~App~Secret~0123456789";
/// The agent's app.
pub const APP: Uuid = Uuid::from_u128(0xA99);
/// What setup asks for, and what tells beforehand whose password may be reset.
pub const PERMISSIONS: [&str; 5] = [
    "User.Read.All",
    "User-PasswordProfile.ReadWrite.All",
    "Domain.Read.All",
    "RoleManagement.Read.Directory",
    "GroupMember.Read.All",
];

/// What a world begins with.
pub struct WorldBuilder {
    tenant: TenantSpec,
    clock_offset: SignedDuration,
    tls: Tls,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tls {
    Plain,
    OwnAuthority,
}

/// A vault, a tenant, and a person who is signed in.
pub struct World {
    /// The tenant, to look into and to change.
    pub simulator: Simulator,
    /// A person's session with the vault.
    pub person: PersonSession,
    /// The client.
    pub client: Client,
    /// Where the vault is.
    pub vault_url: String,
    /// Where the tenant is.
    pub entra_url: String,
    /// The authority that both trust, where they speak TLS.
    pub ca: Option<TestCa>,
    folder: TempDir,
    data_key: DataKey,
    stop: CancellationToken,
    servers: Vec<JoinHandle<()>>,
}

/// An agent that runs as the service does.
pub struct RunningAgent {
    /// Where its endpoints are.
    pub address: SocketAddr,
    stop: CancellationToken,
    running: JoinHandle<Result<(), service::ServiceError>>,
}

impl Default for WorldBuilder {
    fn default() -> Self {
        let app = AppSpec::confidential(APP, APP_SECRET)
            .permissions(&PERMISSIONS)
            .roles(&["User Administrator"]);
        let tenant = TenantSpec::new(TENANT)
            .domain("contoso.com", Authentication::Managed)
            .domain("federated.example", Authentication::Federated)
            .app(app);
        Self {
            tenant,
            clock_offset: SignedDuration::ZERO,
            tls: Tls::Plain,
        }
    }
}

impl WorldBuilder {
    /// With this account in the tenant.
    #[must_use]
    pub fn user(mut self, user: UserSpec) -> Self {
        self.tenant = self.tenant.user(user);
        self
    }

    /// With these accounts in the tenant.
    #[must_use]
    pub fn users(self, users: impl IntoIterator<Item = UserSpec>) -> Self {
        users.into_iter().fold(self, Self::user)
    }

    /// With this role-assignable group in the tenant.
    #[must_use]
    pub fn group(mut self, group: GroupSpec) -> Self {
        self.tenant = self.tenant.group(group);
        self
    }

    /// With a further app in the tenant, beside the agent's.
    #[must_use]
    pub fn further_app(mut self, app: AppSpec) -> Self {
        self.tenant = self.tenant.app(app);
        self
    }

    /// With another registration of the agent's app.
    #[must_use]
    pub fn app(mut self, change: impl Fn(AppSpec) -> AppSpec) -> Self {
        self.tenant.apps = self.tenant.apps.into_iter().map(change).collect();
        self
    }

    /// The tenant answers password sign-ins like this.
    #[must_use]
    pub fn verification(mut self, verification: Verification) -> Self {
        self.tenant.verification = verification;
        self
    }

    /// A new password takes this long to reach every replica of the tenant.
    #[must_use]
    pub fn replication_lag(mut self, lag: SignedDuration) -> Self {
        self.tenant.replication_lag = lag;
        self
    }

    /// The tenant's clock is off.
    #[must_use]
    pub fn clock_offset(mut self, offset: SignedDuration) -> Self {
        self.clock_offset = offset;
        self
    }

    /// Vault and tenant speak TLS with an authority of their own.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = Tls::OwnAuthority;
        self
    }

    /// Starts it all.
    ///
    /// # Errors
    /// When any part of it cannot be started.
    pub async fn start(self) -> anyhow::Result<World> {
        agent_bin::install_tls_provider();
        let folder = TempDir::new()?;
        let ca = match self.tls {
            Tls::Plain => None,
            Tls::OwnAuthority => Some(TestCa::new(folder.path())?),
        };
        let stop = CancellationToken::new();
        let simulator = Simulator::new(Scenario::of(self.tenant), self.clock_offset);
        let (entra_url, entra) = start_tenant(&simulator, ca.as_ref(), &stop)?;
        let (vault_url, vault) = start_vault(folder.path(), ca.as_ref(), &stop).await?;
        let mut http = HttpConfig::new(&vault_url)?;
        if let Some(ca) = &ca {
            http = http.with_extra_ca(std::fs::read(&ca.ca)?);
        }
        let password = SecretString::from(ADMIN_PASSWORD);
        let (person, _) = PersonSession::sign_in(&http, ADMIN_EMAIL, &password, None).await?;
        let (client, data_key) = add_client(&person, CLIENT).await?;
        Ok(World {
            simulator,
            person,
            client,
            vault_url,
            entra_url,
            ca,
            folder,
            data_key,
            stop,
            servers: vec![entra, vault],
        })
    }
}

fn start_tenant(
    simulator: &Simulator,
    ca: Option<&TestCa>,
    stop: &CancellationToken,
) -> anyhow::Result<(String, JoinHandle<()>)> {
    let tls = ca.map(|ca| entra_sim::TlsFiles {
        cert: ca.cert.clone(),
        key: ca.key.clone(),
    });
    let listening = entra_sim::bind(simulator.clone(), loopback(), tls)?;
    let url = listening.url();
    let stop = stop.clone().cancelled_owned();
    let running = tokio::spawn(async move {
        let _ = listening.run(stop).await;
    });
    Ok((url, running))
}

async fn start_vault(
    folder: &Path,
    ca: Option<&TestCa>,
    stop: &CancellationToken,
) -> anyhow::Result<(String, JoinHandle<()>)> {
    let data_dir = folder.join("vault");
    passportal_server::init(InitRequest {
        data_dir: data_dir.clone(),
        organization: "World MSP".to_owned(),
        admin_email: ADMIN_EMAIL.to_owned(),
        admin_password: SecretString::from(ADMIN_PASSWORD),
        organization_key: SecretString::from(ORGANIZATION_KEY),
    })
    .await?;
    let server = Server::bind(ServeConfig {
        data_dir,
        listen: loopback(),
        tls: ca.map(|ca| passportal_server::TlsFiles {
            cert: ca.cert.clone(),
            key: ca.key.clone(),
        }),
    })
    .await?;
    let url = server.url();
    let stop = stop.clone().cancelled_owned();
    let running = tokio::spawn(async move {
        let _ = server.run(stop).await;
    });
    Ok((url, running))
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A client whose data key is made here, as the dashboard and the command line make it.
async fn add_client(person: &PersonSession, name: &str) -> anyhow::Result<(Client, DataKey)> {
    let there = person.clients().await?;
    let company = there.first().context("a vault has its company vault")?;
    let parameters = company.key.parameters.clone();
    let id = Uuid::new_v4();
    let (data_key, key) =
        tokio::task::spawn_blocking(move || wrap_new_key(id, &parameters)).await??;
    let client = person
        .create_client(&NewClient {
            id,
            name: name.to_owned(),
            sync: MicrosoftSync::EntraId,
            default_mode: SyncMode::Enabled,
            key,
        })
        .await?;
    Ok((client, data_key))
}

fn wrap_new_key(
    client: Uuid,
    parameters: &passportal_client::wire::KeyParameters,
) -> anyhow::Result<(DataKey, WrappedKey)> {
    let kek = OrganizationKey::new(ORGANIZATION_KEY).derive(parameters)?;
    let data_key = DataKey::generate(parameters.organization, client);
    let wrapped = data_key.wrap(&kek, parameters);
    Ok((data_key, wrapped))
}

impl World {
    /// A world without an account.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::default()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The agent's configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.folder().join("agent").join("config.toml")
    }

    /// Stores a password.
    ///
    /// # Errors
    /// When the vault refuses it.
    pub async fn add(
        &self,
        user_name: &str,
        password: &str,
        mode: SyncMode,
    ) -> anyhow::Result<Credential> {
        self.store(credential_type::USER, user_name, password, Some(mode))
            .await
    }

    /// Stores the password of an administrator's account.
    ///
    /// # Errors
    /// When the vault refuses it.
    pub async fn add_administrator(
        &self,
        user_name: &str,
        password: &str,
    ) -> anyhow::Result<Credential> {
        self.store(credential_type::ADMIN, user_name, password, None)
            .await
    }

    async fn store(
        &self,
        credential_type: &str,
        user_name: &str,
        password: &str,
        own_mode: Option<SyncMode>,
    ) -> anyhow::Result<Credential> {
        let id = Uuid::new_v4();
        let new = NewCredential {
            id,
            credential_type: credential_type.to_owned(),
            user_name: user_name.to_owned(),
            description: String::new(),
            notes: String::new(),
            own_mode,
            sealed: self.seal(id, user_name, 1, password),
            folder: String::new(),
            url: String::new(),
            expires: None,
            totp: None,
        };
        Ok(self.person.create_credential(self.client.id, &new).await?)
    }

    /// A person types another password into the vault.
    ///
    /// # Errors
    /// When the vault refuses it.
    pub async fn type_password(&self, id: Uuid, password: &str) -> anyhow::Result<Credential> {
        let there = self.person.credential(id).await?;
        let version = there.version + 1;
        let sealed = self.seal(id, &there.user_name, version, password);
        Ok(self
            .person
            .set_password(
                id,
                &NewPassword {
                    version,
                    sealed,
                    user_name: None,
                },
            )
            .await?)
    }

    /// Takes a credential out of use, or back into it.
    ///
    /// # Errors
    /// When the vault refuses.
    pub async fn switch(&self, id: Uuid, standing: Standing) -> anyhow::Result<Credential> {
        let patch = CredentialPatch {
            standing: Some(standing),
            ..CredentialPatch::default()
        };
        Ok(self.person.patch_credential(id, &patch).await?)
    }

    fn seal(
        &self,
        credential: Uuid,
        user_name: &str,
        version: u64,
        password: &str,
    ) -> passportal_client::wire::SealedText {
        let place = Place {
            credential,
            field: Field::Password,
            version,
            user_name,
        };
        self.data_key.seal(&place, &Password::new(password))
    }

    /// Whether this is the account's password in Entra ID.
    pub fn entra_has(&self, user_name: &str, password: &str) -> bool {
        self.simulator
            .password_matches(TENANT, user_name, password)
            .unwrap_or(false)
    }

    /// How many passwords were set in Entra ID.
    pub fn writes(&self) -> u64 {
        self.simulator.counters().writes
    }

    /// Somebody changes the agent's app in the tenant.
    ///
    /// # Errors
    /// When the tenant does not have it.
    pub fn change_app(&self, change: AppChange) -> anyhow::Result<()> {
        Ok(self.simulator.change_app(TENANT, APP, change)?)
    }

    /// Uploads a certificate to the agent's app, in place of the others.
    ///
    /// # Errors
    /// When the simulator refuses.
    pub fn trust_certificate(&self, pem: &str) -> anyhow::Result<()> {
        self.change_app(AppChange {
            certificates: Some(vec![pem.to_owned()]),
            ..AppChange::default()
        })
    }

    /// Writes a file that only its owner can read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn secret_file(&self, name: &str, secret: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder().join(name);
        std::fs::write(&path, secret)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(path)
    }

    /// The request that enrols an agent for the client; a test may spoil it.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn setup_request(&self) -> anyhow::Result<SetupRequest> {
        let path = self.config_path();
        let state = state_store::file_url(&self.folder().join("agent/state.db"));
        let secret = self.secret_file("app-secret", APP_SECRET)?;
        let mut overrides = Overrides::none()
            .set("--base-url", "passportal.base_url", &self.vault_url)
            .set("--state-url", "state.url", state)
            .set("--listen", "listen.address", "127.0.0.1:0")
            .set("--client", "client.0.name", CLIENT)
            .set("--tenant", "client.0.microsoft.tenant", TENANT)
            .set("--sign-in", "client.0.microsoft.sign_in", "client-secret")
            .set(
                "--client-id",
                "client.0.microsoft.client_id",
                APP.to_string(),
            )
            .set(
                "--authority",
                "client.0.microsoft.authority",
                &self.entra_url,
            )
            .set("--graph", "client.0.microsoft.graph", &self.entra_url)
            .set(
                "--client-secret-file",
                "client.0.microsoft.client_secret_file",
                secret.display().to_string(),
            );
        if let Some(ca) = &self.ca {
            overrides = overrides.set("--extra-ca", "tls.extra_ca", ca.ca.display().to_string());
        }
        let config = Config::of_options(&path, overrides)?;
        let client = config
            .require_clients()?
            .first()
            .context("one client")?
            .clone();
        Ok(SetupRequest {
            config_path: path,
            config,
            client,
            email: ADMIN_EMAIL.to_owned(),
            password: SecretString::from(ADMIN_PASSWORD),
            one_time_code: None,
            organization_key: SecretString::from(ORGANIZATION_KEY),
            new_secret: None,
            show_code: show_in_words(|_| {}),
        })
    }

    /// Enrols an agent for the client.
    ///
    /// # Errors
    /// When setup refuses.
    pub async fn enrol(&self) -> Result<SetupDone, SetupError> {
        let request = self.setup_request().map_err(|error| {
            SetupError::Vault(passportal_client::ApiError::BadUrl {
                url: error.to_string(),
            })
        })?;
        setup::run(request).await
    }

    /// The agent's configuration, as setup left it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::load(&self.config_path(), [], Overrides::none())?)
    }

    /// The agent, put together and not running: a test drives its engine.
    ///
    /// # Errors
    /// When it cannot be put together.
    pub async fn agents(&self) -> anyhow::Result<Agents> {
        Ok(wiring::open(&self.config()?).await?)
    }

    /// Runs the agent as the service does, with this interval.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn run_agent(&self, interval: Duration) -> anyhow::Result<RunningAgent> {
        let mut config = self.config()?;
        config.sync.interval = interval;
        config.listen = loopback();
        let steering = Steering::fixed(&config);
        self.run_steered(config, steering).await
    }

    /// The same, by the configuration as it is in its file, which a test may change and have read anew.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn run_agent_of_file(&self) -> anyhow::Result<RunningAgent> {
        let path = self.config_path();
        let read = move || Config::load(&path, [], Overrides::none());
        let config = read()?;
        let steering = Steering {
            read_anew: Box::new(read),
            ..Steering::fixed(&config)
        };
        self.run_steered(config, steering).await
    }

    async fn run_steered(
        &self,
        config: Config,
        steering: Steering,
    ) -> anyhow::Result<RunningAgent> {
        let stop = CancellationToken::new();
        let (ready, address) = tokio::sync::oneshot::channel();
        let token = stop.clone();
        let running = tokio::spawn(async move {
            service::run_steered(&config, steering, token, |address| {
                let _ = ready.send(address);
            })
            .await
        });
        if let Ok(address) = address.await {
            return Ok(RunningAgent {
                address,
                stop,
                running,
            });
        }
        running.await??;
        anyhow::bail!("the agent ended before it was ready")
    }

    /// A credential as the vault shows it.
    ///
    /// # Errors
    /// When the vault does not answer.
    pub async fn look(&self, id: Uuid) -> anyhow::Result<Credential> {
        Ok(self.person.credential(id).await?)
    }

    /// Stops the servers and waits until they are gone.
    pub async fn stop(self) {
        self.stop.cancel();
        for server in self.servers {
            let _ = server.await;
        }
    }
}

impl RunningAgent {
    /// Stops it as SIGTERM does.
    ///
    /// # Errors
    /// When it did not end well.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        Ok(self.running.await??)
    }

    /// What one of its endpoints says.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let answer = http
            .get(format!("http://{}{path}", self.address))
            .send()
            .await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
}

/// Asks until the answer is yes, or for half a minute.
///
/// # Errors
/// When the answer stays no.
pub async fn eventually<F: Future<Output = bool>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> anyhow::Result<()> {
    for _ in 0..600 {
        if ask().await {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{what}: not within half a minute")
}
