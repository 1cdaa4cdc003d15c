//! The directory under test, in the tenants of `tests/adapter/tenant.toml`, and what the tests ask of it.

use std::path::Path;

use entra_sim::{Scenario, Simulator};
use jiff::SignedDuration;
use msgraph_sync::{AppCredential, Cloud, Endpoints, EntraDirectory, TenantConfig};
use sync_engine::model::{
    Account, DirectoryChanges, ObjectId, Password, TenantId, UserPrincipalName, Verdict,
};
use sync_engine::ports::{Directory, SetPassword};

/// An application of a tenant, and its secret.
#[derive(Clone, Copy)]
pub(crate) struct App {
    tenant: &'static str,
    pub(crate) id: &'static str,
    secret: &'static str,
}

/// The agent's application.
pub(crate) const APP: App = App {
    tenant: "contoso.onmicrosoft.com",
    id: "5c0ffee0-0000-4000-8000-0000000000a1",
    secret: "fixture-Adapter~Secret.1",
};
/// Another one, which may read and not reset.
pub(crate) const READER: App = App {
    id: "5c0ffee0-0000-4000-8000-0000000000a2",
    secret: "fixture-Adapter~Secret.2",
    ..APP
};
/// The agent's application in a tenant whose pages are small.
pub(crate) const OF_SMALL_PAGES: App = App {
    tenant: "fabrikam.onmicrosoft.com",
    id: "5c0ffee0-0000-4000-8000-0000000000a3",
    secret: "fixture-Adapter~Secret.3",
};

impl App {
    /// The same application with a secret that is not its own.
    pub(crate) fn with_secret(self, secret: &'static str) -> Self {
        Self { secret, ..self }
    }
}

/// The tenant, as this application sees it.
pub(crate) fn directory_of(app: App) -> EntraDirectory {
    let mut config = TenantConfig::new(
        TenantId(app.tenant.to_owned()),
        app.id,
        AppCredential::ClientSecret(app.secret.into()),
    );
    config.connection.endpoints = endpoints();
    let ca = std::env::var_os("PASSPORTAL_ADAPTER_CA");
    config.connection.extra_ca = ca.map(|path| std::fs::read(path).unwrap());
    EntraDirectory::new(config).unwrap()
}

pub(crate) fn directory() -> EntraDirectory {
    directory_of(APP)
}

fn endpoints() -> Endpoints {
    let global = Endpoints::of(Cloud::Global);
    let (authority, graph) = match std::env::var("PASSPORTAL_ADAPTER") {
        Ok(named) if named == "default-endpoints" => return global,
        Ok(named) => {
            let (authority, graph) = named.split_once(',').unwrap();
            (authority.to_owned(), graph.to_owned())
        }
        Err(_) => {
            let base = simulator();
            (base.clone(), base)
        }
    };
    global
        .with_authority(authority.parse().unwrap())
        .with_graph(graph.parse().unwrap())
}

fn simulator() -> String {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/adapter/tenant.toml");
    let scenario = Scenario::load(&scenario).unwrap();
    let simulator = Simulator::new(scenario, SignedDuration::ZERO);
    let listening = entra_sim::bind(simulator, ([127, 0, 0, 1], 0).into(), None).unwrap();
    let url = listening.url();
    tokio::spawn(listening.run(std::future::pending()));
    url
}

pub(crate) fn find<'a>(all: &'a DirectoryChanges, name: &str) -> &'a Account {
    let wanted = UserPrincipalName::new(name);
    let mut accounts = all.accounts.iter();
    let found = accounts.find(|account| account.user_name == wanted);
    found.unwrap_or_else(|| panic!("{name} is not in the directory"))
}

/// The account's object id.
pub(crate) async fn id_of(directory: &EntraDirectory, name: &str) -> ObjectId {
    let all = directory.changes(None).await.unwrap();
    find(&all, name).id
}

/// An object id that no account has.
pub(crate) fn nobody() -> ObjectId {
    ObjectId(uuid::Uuid::from_u128(0xDEAD))
}

pub(crate) async fn verdict(directory: &EntraDirectory, name: &str, password: &str) -> Verdict {
    let (name, password) = (UserPrincipalName::new(name), Password::new(password));
    directory.verify(&name, &password).await.verdict
}

pub(crate) async fn set(directory: &EntraDirectory, name: &str, password: &str) -> SetPassword {
    let id = id_of(directory, name).await;
    directory.set_password(id, &Password::new(password)).await
}
