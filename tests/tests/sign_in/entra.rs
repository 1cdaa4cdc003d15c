//! A simulated tenant with one app, and the adapter that signs in as it.

use entra_sim::{AppSpec, Scenario, Simulator, TenantSpec, UserSpec};
use jiff::SignedDuration;
use msgraph_sync::{AppCredential, Cloud, Endpoints, EntraDirectory, TenantConfig};
use sync_engine::model::TenantId;
use uuid::Uuid;

pub(crate) const TENANT: &str = "contoso.onmicrosoft.com";
pub(crate) const ANNA: &str = "anna@contoso.onmicrosoft.com";
pub(crate) const BEN: &str = "ben@contoso.onmicrosoft.com";
pub(crate) const PASSWORD: &str = "Right-Passw0rd";
pub(crate) const APP: Uuid = Uuid::from_u128(0xA99);

pub(crate) struct Entra {
    pub(crate) simulator: Simulator,
    url: url::Url,
}

/// The app, with the permissions that a preflight and a write need, and nothing to sign in with.
pub(crate) fn app() -> AppSpec {
    let permissions = [
        "User.Read.All",
        "User-PasswordProfile.ReadWrite.All",
        "Domain.Read.All",
    ];
    AppSpec::without_secret(APP)
        .permissions(&permissions)
        .roles(&["User Administrator"])
}

impl Entra {
    pub(crate) fn start(app: AppSpec) -> Self {
        Self::with_clock(app, SignedDuration::ZERO)
    }

    pub(crate) fn with_clock(app: AppSpec, offset: SignedDuration) -> Self {
        agent_bin::install_tls_provider();
        let tenant = TenantSpec::new(TENANT)
            .app(app)
            .user(UserSpec::new(ANNA, PASSWORD))
            .user(UserSpec::new(BEN, PASSWORD));
        let simulator = Simulator::new(Scenario::of(tenant), offset);
        let address = "127.0.0.1:0".parse().unwrap();
        let listening = entra_sim::bind(simulator.clone(), address, None).unwrap();
        let url = listening.url().parse().unwrap();
        tokio::spawn(listening.run(std::future::pending()));
        Self { simulator, url }
    }

    pub(crate) fn directory(&self, credential: AppCredential) -> EntraDirectory {
        let tenant = TenantId(TENANT.to_owned());
        let mut config = TenantConfig::new(tenant, APP.to_string(), credential);
        config.connection.endpoints = Endpoints::of(Cloud::Global)
            .with_authority(self.url.clone())
            .with_graph(self.url.clone());
        EntraDirectory::new(config).unwrap()
    }

    /// Why a preflight fails, in words; what a person is told to do stands behind it.
    pub(crate) async fn refusal(&self, credential: AppCredential) -> String {
        let error = self.directory(credential).preflight().await.unwrap_err();
        format!("{error} – {}", error.hint().unwrap_or("no hint"))
    }

    pub(crate) fn token_requests(&self) -> u64 {
        self.simulator.counters().token_requests
    }
}
