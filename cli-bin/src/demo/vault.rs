//! The embedded vault of the demo, and the administrator who fills it.

use std::net::{Ipv4Addr, SocketAddr};

use passportal_client::envelope::{DataKey, OrganizationKey};
use passportal_client::wire::{
    Client, Credential, FlagQuery, FlaggedCredential, MicrosoftSync, NewClient, NewCredential,
    NewPassword, SyncMode, credential_type,
};
use passportal_client::{HttpConfig, PersonSession};
use passportal_server::{InitRequest, ServeConfig, ServeError, Server};
use secrecy::SecretString;
use sync_engine::model::Password;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::cast::Part;
use super::folder::Folder;
use super::random;
use crate::organization;

/// The organization of the demo.
pub(super) const ORGANIZATION: &str = "Northwind IT";
/// Its client.
pub(super) const CLIENT: &str = "Contoso";
/// Its administrator.
pub(super) const EMAIL: &str = "admin@northwind.example";

/// A running vault.
pub(super) struct Vault {
    pub(super) url: String,
    pub(super) password: String,
    pub(super) organization_key: String,
    end: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ServeError>>,
}

/// An administrator at work in it.
pub(super) struct Admin {
    person: PersonSession,
    client: Client,
    key: DataKey,
}

impl Vault {
    /// Makes a vault and serves it.
    pub(super) async fn start(folder: &Folder) -> anyhow::Result<Self> {
        let password = random::password();
        let organization_key = random::organization_key();
        passportal_server::init(InitRequest {
            data_dir: folder.vault(),
            organization: ORGANIZATION.to_owned(),
            admin_email: EMAIL.to_owned(),
            admin_password: SecretString::from(password.clone()),
            organization_key: SecretString::from(organization_key.clone()),
        })
        .await?;
        let server = Server::bind(ServeConfig {
            data_dir: folder.vault(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: None,
        })
        .await?;
        let url = server.url();
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            // A sender that is gone ends it, too.
            let _ = ended.await;
        }));
        Ok(Self {
            url,
            password,
            organization_key,
            end,
            running,
        })
    }

    /// Signs the administrator in and makes the client. The company vault is there already.
    pub(super) async fn fill(&self, client: &[Part], company: &[Part]) -> anyhow::Result<Admin> {
        let http = HttpConfig::new(&self.url)?;
        let password = SecretString::from(self.password.clone());
        let (person, _) = PersonSession::sign_in(&http, EMAIL, &password, None).await?;
        let own = one(person.clients().await?)?;
        let key = OrganizationKey::new(self.organization_key.as_str());
        let id = Uuid::new_v4();
        let new = NewClient {
            id,
            name: CLIENT.to_owned(),
            sync: MicrosoftSync::EntraId,
            default_mode: SyncMode::Enabled,
            key: organization::new_data_key(&key, &own.key, id)?,
        };
        let made = person.create_client(&new).await?;
        store(&person, &own, &organization::open(&key, &own.key)?, company).await?;
        let key = organization::open(&key, &made.key)?;
        store(&person, &made, &key, client).await?;
        Ok(Admin {
            person,
            client: made,
            key,
        })
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let _ = self.end.send(());
        Ok(self.running.await??)
    }
}

impl Admin {
    /// Gives a credential its next password, as a person would.
    pub(super) async fn set_password(&self, user_name: &str, clear: &str) -> anyhow::Result<()> {
        let credential = self.credential(user_name).await?;
        let version = credential.version + 1;
        let clear = Password::new(clear);
        let sealed = organization::seal(&self.key, credential.id, user_name, version, &clear);
        let new = NewPassword {
            version,
            sealed,
            user_name: None,
        };
        self.person.set_password(credential.id, &new).await?;
        Ok(())
    }

    /// The flags that stand on the client.
    pub(super) async fn flags(&self) -> anyhow::Result<Vec<FlaggedCredential>> {
        let query = FlagQuery {
            client: Some(self.client.id),
            kind: None,
        };
        Ok(self.person.flags(&query).await?)
    }

    async fn credential(&self, user_name: &str) -> anyhow::Result<Credential> {
        let all = self.person.credentials(self.client.id).await?;
        one(all.into_iter().filter(|it| it.user_name == user_name))
    }
}

fn one<T>(all: impl IntoIterator<Item = T>) -> anyhow::Result<T> {
    let first = all.into_iter().next();
    first.ok_or_else(|| anyhow::anyhow!("the demo's vault does not hold what was put into it"))
}

async fn store(
    person: &PersonSession,
    client: &Client,
    key: &DataKey,
    parts: &[Part],
) -> anyhow::Result<()> {
    for part in parts {
        let id = Uuid::new_v4();
        let password = Password::new(part.password.as_str());
        let new = NewCredential {
            id,
            credential_type: credential_type::USER.to_owned(),
            user_name: part.user_name.clone(),
            description: part.description.clone(),
            notes: String::new(),
            own_mode: part.mode,
            sealed: organization::seal(key, id, &part.user_name, 1, &password),
            folder: String::new(),
            url: String::new(),
            expires: None,
            totp: None,
        };
        person.create_credential(client.id, &new).await?;
    }
    Ok(())
}
