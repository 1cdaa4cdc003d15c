//! What the clients of one configuration are made from, and how: step by step, so that as little as possible is done
//! before the first thing that can fail.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use msgraph_sync::{EntraDirectory, VerdictTable};
use state_store::StateDatabase;
use sync_engine::Ports;
use sync_engine::model::ClientId;
use sync_engine::plan::Policy;
use uuid::Uuid;

use crate::clock::SystemClock;
use crate::config::{ClientConfig, Config, ConfigError};
use crate::outbound::Outbound;
use crate::secrets::{Enrolment, Kept, SecretFiles, SecretSources};
use crate::tenant::Way;
use crate::wiring::{self, ClientAgent, WiringError};

/// What all clients of a configuration have in common.
pub(crate) struct Workshop {
    config: Config,
    outbound: Outbound,
    verdict_table: Option<VerdictTable>,
    secrets: SecretFiles,
}

/// A client of the configuration that is enrolled on this machine.
pub(crate) struct Draft {
    client: ClientConfig,
    enrolment: Enrolment,
    policy: Policy,
}

/// A client with the way into its tenant: all that can be had without the state.
pub(crate) struct Checked {
    draft: Draft,
    way: Way,
    directory: EntraDirectory,
}

/// What a running client was made from. While it stays equal, there is nothing to make anew.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Blueprint {
    /// With this client alone.
    config: Config,
    policy: Policy,
    agent: Uuid,
    key: Uuid,
    files: Vec<Option<(SystemTime, u64)>>,
}

impl Workshop {
    /// Reads what the configuration names for all clients.
    ///
    /// # Errors
    /// When it has no client, or a file of it cannot be read.
    pub(crate) fn of(config: &Config) -> Result<Self, WiringError> {
        config.require_clients()?;
        Ok(Self {
            outbound: Outbound::of(config)?,
            verdict_table: config.verdict_table()?,
            secrets: SecretFiles::beside(&config.state.url),
            config: config.clone(),
        })
    }

    /// That one client at least can be served.
    ///
    /// # Errors
    /// Why the first one cannot, where none can.
    pub(crate) fn require_one(&self) -> Result<(), WiringError> {
        let clients = self.config.clients.iter();
        let mut tried = clients.map(|client| self.check(self.draft(client)?));
        let first = tried
            .next()
            .unwrap_or_else(|| Err(ConfigError::NoClient.into()));
        match first {
            Err(error) if !tried.any(|it| it.is_ok()) => Err(error),
            _ => Ok(()),
        }
    }

    /// What is kept of this client on this machine.
    ///
    /// # Errors
    /// When it was never enrolled, or that cannot be read.
    pub(crate) fn draft(&self, client: &ClientConfig) -> Result<Draft, WiringError> {
        let enrolment = self.secrets.load_enrolment(&client.name)?;
        let enrolment = enrolment.ok_or_else(|| WiringError::NotEnrolled {
            client: client.name.clone(),
            folder: self.secrets.folder().to_owned(),
            kept: Kept::of(&self.config.state.url),
        })?;
        Ok(Draft {
            policy: wiring::policy(&self.config, client, &self.secrets)?,
            client: client.clone(),
            enrolment,
        })
    }

    /// The same, by the name that the configuration has for it.
    pub(crate) fn draft_of(&self, name: &str) -> Result<Draft, WiringError> {
        let mut clients = self.config.clients.iter();
        let client = clients.find(|client| client.name == name);
        self.draft(client.ok_or(ConfigError::NoClient)?)
    }

    /// Prepares the way into the tenant. Nothing is sent.
    ///
    /// # Errors
    /// When a credential cannot be read, or an address is wrong.
    pub(crate) fn check(&self, draft: Draft) -> Result<Checked, WiringError> {
        let table = self.verdict_table.as_ref();
        let way = Way::of(&draft.client, &self.outbound, &self.secrets)?;
        let directory = way.clone().directory(&draft.client, table)?;
        Ok(Checked {
            draft,
            way,
            directory,
        })
    }

    /// The client with everything that its engine needs.
    ///
    /// # Errors
    /// When its data key is damaged, or the vault's address cannot be used.
    pub(crate) fn build(
        &self,
        checked: Checked,
        state: &StateDatabase,
        instance: Uuid,
    ) -> Result<ClientAgent, WiringError> {
        let Checked {
            draft,
            way,
            directory,
        } = checked;
        let (client, enrolment) = (&draft.client, &draft.enrolment);
        let id = enrolment.client;
        let vault = Arc::new(wiring::vault(
            &self.config,
            client,
            &self.secrets,
            enrolment,
            instance,
            &self.outbound,
        )?);
        let directory = match wiring::vault_admin(client, &draft.policy, &vault) {
            Some(password) => way
                .with_password(password)
                .directory(client, self.verdict_table.as_ref())?,
            None => directory,
        };
        let directory = Arc::new(directory);
        let ports = Ports {
            vault: Arc::clone(&vault) as _,
            directory: Arc::clone(&directory) as _,
            store: Arc::new(state.client(id)),
            clock: Arc::new(SystemClock),
        };
        Ok(ClientAgent {
            id,
            name: enrolment.client_name.clone(),
            ports,
            policy: draft.policy,
            vault,
            directory,
        })
    }

    /// What a client of this draft is made from.
    pub(crate) fn blueprint(&self, draft: &Draft) -> Blueprint {
        let mut config = self.config.clone();
        config.clients = vec![draft.client.clone()];
        Blueprint {
            files: stamps(&files(&config, &SecretSources::from_env())),
            config,
            policy: draft.policy.clone(),
            agent: draft.enrolment.agent,
            key: draft.enrolment.key_id,
        }
    }

    pub(crate) fn secrets(&self) -> &SecretFiles {
        &self.secrets
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn extra_ca(&self) -> Option<Vec<u8>> {
        self.outbound.extra_ca.clone()
    }
}

impl Blueprint {
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }
}

impl Draft {
    pub(crate) fn id(&self) -> ClientId {
        self.enrolment.client
    }

    /// As the configuration calls it.
    pub(crate) fn name(&self) -> &str {
        &self.client.name
    }
}

impl Checked {
    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }
}

/// One client may be named in two ways, by its name and by its id.
///
/// # Errors
/// When one is.
pub(crate) fn refuse_twins(drafts: &[&Draft]) -> Result<(), WiringError> {
    for (index, first) in drafts.iter().enumerate() {
        let mut later = drafts.iter().skip(index + 1);
        if let Some(second) = later.find(|other| other.id() == first.id()) {
            return Err(WiringError::Twins {
                first: first.name().to_owned(),
                second: second.name().to_owned(),
            });
        }
    }
    Ok(())
}

/// The files that are read once, when a client is made, where they are read.
fn files(config: &Config, sources: &SecretSources) -> Vec<PathBuf> {
    let of_state = config.state.password_file.as_deref();
    let secret = config.secret_files().into_iter();
    let secret = secret.filter(|file| Some(*file) != of_state);
    let secret = secret.map(|file| sources.place(file));
    let clients = config.clients.iter();
    let credentials = clients.filter_map(|client| sources.credential(&client.name));
    let open = config.open_files().into_iter().map(Path::to_owned);
    secret.chain(credentials).chain(open).collect()
}

fn stamps(files: &[PathBuf]) -> Vec<Option<(SystemTime, u64)>> {
    files.iter().map(|file| stamp(file)).collect()
}

/// Another content has another one.
fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let there = std::fs::metadata(file).ok()?;
    Some((there.modified().ok()?, there.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    #[test]
    fn a_secret_of_the_platform_that_is_replaced_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let text = "[passportal]\nregion = \"us\"\n[[client]]\nname = \"Contoso\"\n\
                    [client.microsoft]\ntenant = \"contoso.com\"\nclient_id = \"app\"\n\
                    certificate = \"/etc/passportal-agent/secrets/contoso.pem\"\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path, [], Overrides::none()).unwrap();
        let credentials = folder.path().join("credentials");
        std::fs::create_dir(&credentials).unwrap();
        let sources = SecretSources::new(Some(credentials.clone()));

        let mut seen = vec![stamps(&files(&config, &sources))];
        for name in ["secrets_contoso.pem", "Contoso-client-secret"] {
            std::fs::write(credentials.join(name), name).unwrap();
            seen.push(stamps(&files(&config, &sources)));
            std::fs::write(credentials.join(name), "another").unwrap();
            seen.push(stamps(&files(&config, &sources)));
        }
        assert!(seen.windows(2).all(|it| it[0] != it[1]), "{seen:?}");
    }
}
