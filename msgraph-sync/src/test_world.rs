//! A simulated tenant for this crate's tests of whole conversations, with an administrator who signs in by device code.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use entra_sim::{AppSpec, Authentication, Scenario, Simulator, TenantSpec, UserSpec, bind};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use sync_engine::model::TenantId;
use sync_engine::ports::Cause;
use url::Url;
use uuid::{Uuid, uuid};

use crate::{
    Cloud, Connection, DeviceSignIn, Endpoints, EntraDirectory, RefreshTokenKeeper, SignedInPerson,
    TenantConfig,
};

pub(crate) const TENANT: &str = "contoso.onmicrosoft.com";
pub(crate) const PUBLIC: Uuid = uuid!("6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e02");
pub(crate) const CONFIDENTIAL: Uuid = uuid!("6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e03");
pub(crate) const ADMIN: &str = "admin@contoso.com";
const PERMISSIONS: [&str; 5] = [
    "User.Read.All",
    "Domain.Read.All",
    "User-PasswordProfile.ReadWrite.All",
    "RoleManagement.Read.Directory",
    "GroupMember.Read.All",
];

/// A simulated tenant at a port of its own.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    url: Url,
}

/// Keeps a refresh token in memory, or refuses to.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) kept: Mutex<Vec<String>>,
    pub(crate) is_full: Mutex<bool>,
}

impl World {
    pub(crate) fn start() -> Self {
        let tenant = TenantSpec::new(TENANT)
            .domain("contoso.com", Authentication::Managed)
            .app(AppSpec::public(PUBLIC).permissions(&PERMISSIONS))
            .app(AppSpec::confidential(CONFIDENTIAL, "secret"))
            .user(UserSpec::new(ADMIN, "Right-Passw0rd").roles(&["User Administrator"]))
            .user(UserSpec::new("anna@contoso.com", "Right-Passw0rd"));
        let simulator = Simulator::new(Scenario::of(tenant), SignedDuration::ZERO);
        let address = "127.0.0.1:0".parse().unwrap();
        let listening = bind(simulator.clone(), address, None).unwrap();
        let url = Url::parse(&listening.url()).unwrap();
        tokio::spawn(listening.run(std::future::pending()));
        Self { simulator, url }
    }

    pub(crate) fn connection(&self, app: Uuid) -> Connection {
        let mut connection = Connection::new(TenantId(TENANT.to_owned()), app.to_string());
        connection.endpoints = Endpoints::of(Cloud::Global)
            .with_authority(self.url.clone())
            .with_graph(self.url.clone());
        connection
    }

    /// The administrator signs in; what is left is the refresh token.
    pub(crate) async fn sign_in(&self) -> SecretString {
        let waiting = DeviceSignIn::begin(self.connection(PUBLIC)).await.unwrap();
        let code = waiting.notice().user_code;
        self.simulator.approve_device(&code, ADMIN).unwrap();
        waiting.wait().await.unwrap()
    }

    /// The tenant's directory on behalf of the administrator.
    pub(crate) fn directory(&self, token: SecretString, memory: &Arc<Memory>) -> EntraDirectory {
        let person = SignedInPerson {
            refresh_token: token,
            keeper: Arc::clone(memory) as _,
            password: None,
        };
        EntraDirectory::new(TenantConfig::at(self.connection(PUBLIC), person)).unwrap()
    }
}

impl Memory {
    pub(crate) fn last(&self) -> Option<String> {
        self.kept.lock().unwrap().last().cloned()
    }
}

#[async_trait]
impl RefreshTokenKeeper for Memory {
    async fn kept(&self) -> Result<SecretString, Cause> {
        let last = self.last().ok_or("nothing is kept")?;
        Ok(SecretString::from(last))
    }

    async fn keep(&self, _: &SecretString, token: &SecretString) -> Result<(), Cause> {
        if *self.is_full.lock().unwrap() {
            return Err("the disk is full".into());
        }
        let token = token.expose_secret().to_owned();
        self.kept.lock().unwrap().push(token);
        Ok(())
    }
}
