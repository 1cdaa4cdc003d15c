//! The agent's configuration: a TOML file, environment variables and the command line, in one typed value.

mod check;
mod duration;
mod error;
mod key_path;
mod layers;
mod raw;
mod render;
mod sign_in;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use msgraph_sync::VerdictTable;
use sync_engine::model::{TenantId, UserPrincipalName};
use sync_engine::plan::{Policy, Verification};
use url::Url;

pub use error::{ConfigError, Place};
pub use layers::Overrides;
pub use msgraph_sync::Cloud;
pub use passportal_client::Region;
pub(crate) use render::make_folder;
pub use render::{append_client, render, write_new};
pub use sign_in::SignIn;

/// Where the configuration is when the command line names no other place.
#[cfg(not(windows))]
pub const DEFAULT_PATH: &str = "/etc/passportal-agent/config.toml";
/// Where the configuration is when the command line names no other place.
#[cfg(windows)]
pub const DEFAULT_PATH: &str = r"C:\ProgramData\passportal-agent\config.toml";

/// The state file when nothing else is set.
#[cfg(not(windows))]
pub const DEFAULT_STATE: &str = "sqlite:///var/lib/passportal-agent/state.db";
/// The state file when nothing else is set.
#[cfg(windows)]
pub const DEFAULT_STATE: &str = "sqlite:///C:/ProgramData/passportal-agent/state.db";

/// What every environment variable of the agent begins with.
pub const ENVIRONMENT_PREFIX: &str = "PASSPORTAL_";

/// Variables with that beginning that are no settings of the agent: the command line's session
/// file, and a folder that tests read.
const NO_SETTINGS: [&str; 2] = ["PASSPORTAL_SESSION_FILE", "PASSPORTAL_REFERENCE"];

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The vault.
    pub passportal: Passportal,
    /// The clients that this agent serves.
    pub clients: Vec<ClientConfig>,
    /// How often, and how much at once.
    pub sync: SyncConfig,
    /// The sign-in test.
    pub verification: VerificationConfig,
    /// Where the agent remembers.
    pub state: StateConfig,
    /// Where it answers `/healthz`, `/readyz` and `/metrics`.
    pub listen: SocketAddr,
    /// Whom it trusts.
    pub tls: TlsConfig,
    /// The proxy beyond this machine; without one the environment's.
    pub proxy: Option<ProxyConfig>,
}

/// The vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passportal {
    /// Where its API begins; from the region, unless it is set.
    pub base_url: Url,
}

/// One client, and its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// Its name or id, as chosen in setup.
    pub name: String,
    /// Its tenant.
    pub microsoft: MicrosoftConfig,
}

/// A client's tenant, and how the agent signs in to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicrosoftConfig {
    /// A verified domain or the tenant's GUID.
    pub tenant: TenantId,
    /// The national cloud.
    pub cloud: Cloud,
    /// As whom the agent signs in.
    pub sign_in: SignIn,
    /// The application (client) id; always there.
    pub client_id: Option<String>,
    /// The public client of the sign-in test; without one the app's own identity is used.
    pub verification_client_id: Option<String>,
    /// A file with key and certificate, PEM or PKCS#12; always there where `sign_in` is a certificate.
    pub certificate: Option<PathBuf>,
    /// The file with the password of a PKCS#12 certificate.
    pub certificate_password_file: Option<PathBuf>,
    /// The file into which the platform writes another issuer's token; always there where `sign_in` is federated.
    pub federated_token_file: Option<PathBuf>,
    /// Whose credential of the vault the agent signs in with, where there are several administrators'.
    pub administrator: Option<UserPrincipalName>,
    /// A file with the client secret, where no platform store holds it.
    pub client_secret_file: Option<PathBuf>,
    /// Instead of the cloud's own authority.
    pub authority: Option<Url>,
    /// Instead of the cloud's own Graph.
    pub graph: Option<Url>,
}

/// How often, and how much at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncConfig {
    /// The longest time between two cycles.
    pub interval: Duration,
    /// The time between two full readings.
    pub full_read: Duration,
    /// See [`Policy::breaker_percent`].
    pub breaker_percent: u32,
    /// See [`Policy::breaker_minimum`].
    pub breaker_minimum: u32,
}

/// The sign-in test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationConfig {
    /// Whether it is made at all (`enabled`).
    pub test: Verification,
    /// See [`Policy::recheck`].
    pub recheck: Duration,
    /// See [`Policy::max_failed_per_day`].
    pub max_failed_per_day: u32,
    /// A file that replaces the built-in table of what sign-in codes say of a password.
    pub verdict_table: Option<PathBuf>,
}

/// Where the agent remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateConfig {
    /// A `sqlite:` or `postgres:` url, without a password.
    pub url: String,
    /// The file with the password of the database.
    pub password_file: Option<PathBuf>,
}

/// Whom the agent trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// A PEM file of certificate authorities, in addition to the platform's.
    pub extra_ca: Option<PathBuf>,
}

/// A proxy, and as whom the agent signs in to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyConfig {
    /// `http`, `https`, `socks5` or `socks5h`; without a user.
    pub url: Url,
    /// The user, where the proxy wants one.
    pub user: Option<ProxyUser>,
}

/// A user of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUser {
    /// The name.
    pub name: String,
    /// The file with the password.
    pub password_file: PathBuf,
}

impl Config {
    /// Reads the file at `path` and lays the environment and then the command line over it. Of the
    /// environment only the variables that begin with [`ENVIRONMENT_PREFIX`] are looked at.
    ///
    /// # Errors
    /// The first mistake, with its place: file and line, variable, or option. A missing file is one
    /// too, except at [`DEFAULT_PATH`] when the environment or the command line says something.
    pub fn load(
        path: &Path,
        env: impl IntoIterator<Item = (String, String)>,
        overrides: Overrides,
    ) -> Result<Self, ConfigError> {
        let layers = layers::Layers::read(path, env, overrides)?;
        check::check(&layers.merged()?).map_err(|problem| layers.locate(problem))
    }

    /// What the options of a command line alone make, for a file at `path` that is yet to be
    /// written.
    ///
    /// # Errors
    /// The first mistake, with its option.
    pub fn of_options(path: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let layers = layers::Layers::of_options(path, overrides)?;
        check::check(&layers.merged()?).map_err(|problem| layers.locate(problem))
    }

    /// The clients, of which there must be one.
    pub fn require_clients(&self) -> Result<&[ClientConfig], ConfigError> {
        if self.clients.is_empty() {
            return Err(ConfigError::NoClient);
        }
        Ok(&self.clients)
    }

    /// The files with secrets that the configuration names. A federated token is not the agent's, but its platform's.
    pub fn secret_files(&self) -> Vec<&Path> {
        let proxy_user = self.proxy.as_ref().and_then(|it| it.user.as_ref());
        let mut files: Vec<&PathBuf> = Vec::new();
        files.extend(&self.state.password_file);
        files.extend(proxy_user.map(|user| &user.password_file));
        for client in &self.clients {
            files.extend(&client.microsoft.certificate);
            files.extend(&client.microsoft.certificate_password_file);
            files.extend(&client.microsoft.client_secret_file);
        }
        files.into_iter().map(PathBuf::as_path).collect()
    }

    /// The files without secrets that the configuration names.
    pub fn open_files(&self) -> Vec<&Path> {
        let files = [&self.tls.extra_ca, &self.verification.verdict_table];
        files.into_iter().flatten().map(PathBuf::as_path).collect()
    }

    /// Reads the table that replaces the built-in one, where there is such a file.
    ///
    /// # Errors
    /// When the file cannot be read, or is no such table; then with the line.
    pub fn verdict_table(&self) -> Result<Option<VerdictTable>, ConfigError> {
        let path = self.verification.verdict_table.as_deref();
        let table = path.map(VerdictTable::load).transpose();
        table.map_err(ConfigError::VerdictTable)
    }

    /// The numbers that the engine obeys for one client.
    ///
    /// In the US Government clouds smart lockout begins after 3 failed sign-ins instead of 10, so
    /// no configuration makes the agent spend more than one of them there.
    /// Source: Microsoft Entra smart lockout.
    pub fn policy(&self, client: &ClientConfig) -> Policy {
        let most = match client.microsoft.cloud {
            Cloud::UsGovL4 | Cloud::UsGovL5 => 1,
            Cloud::Global | Cloud::China => u32::MAX,
        };
        Policy {
            verification: self.verification.test,
            recheck: self.verification.recheck,
            max_failed_per_day: self.verification.max_failed_per_day.min(most),
            breaker_percent: self.sync.breaker_percent,
            breaker_minimum: self.sync.breaker_minimum,
            ..Policy::default()
        }
    }
}

impl Default for SyncConfig {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            interval: Duration::from_secs(45),
            full_read: Duration::from_hours(24),
            breaker_percent: policy.breaker_percent,
            breaker_minimum: policy.breaker_minimum,
        }
    }
}

impl Default for VerificationConfig {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            test: policy.verification,
            recheck: policy.recheck,
            max_failed_per_day: policy.max_failed_per_day,
            verdict_table: None,
        }
    }
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            url: DEFAULT_STATE.to_owned(),
            password_file: None,
        }
    }
}

/// The variables of this process that [`Config::load`] looks at.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            // What is not UTF-8 is refused where it is parsed, with its name, instead of ignored.
            let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
            (text(name), text(value))
        })
        .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX))
        .filter(|(name, _)| !NO_SETTINGS.contains(&name.as_str()))
}

/// Where the agent listens when nothing else is set.
pub fn default_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 9464))
}

#[cfg(test)]
mod tests;
