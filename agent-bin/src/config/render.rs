//! Writes a configuration as TOML, the way setup leaves it behind.

use std::fs;
use std::io;
use std::path::Path;

use sync_engine::plan::Verification;

use super::duration::Written;
use super::error::{ConfigError, Place};
use super::raw::{
    Raw, RawClient, RawListen, RawMicrosoft, RawPassportal, RawProxy, RawState, RawSync, RawTls,
    RawVerification,
};
use super::{
    ClientConfig, Config, MicrosoftConfig, ProxyConfig, StateConfig, SyncConfig,
    VerificationConfig, default_listen,
};
use crate::durable_file::{self, Audience};
use crate::private_folder;

const HEADING: &str = "# The agent's configuration. No secret stands here; keys that are missing have their defaults.\n\n";

/// The text of a file that loads as the same configuration. Defaults are left out.
pub fn render(config: &Config) -> String {
    format!("{HEADING}{}", to_toml(&raw(config)))
}

/// Writes a new file; an existing one is never touched.
pub fn write_new(path: &Path, config: &Config) -> Result<(), ConfigError> {
    if path.try_exists().unwrap_or(true) {
        return Err(ConfigError::AlreadyThere {
            path: path.to_owned(),
        });
    }
    write(path, &render(config))
}

/// Adds a client at the end of an existing file and leaves the rest as it is, comments too.
pub fn append_client(path: &Path, client: &ClientConfig) -> Result<(), ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ConfigError::NotFound {
            path: path.to_owned(),
        },
        _ => ConfigError::NotReadable {
            path: path.to_owned(),
            source,
        },
    })?;
    let addition = to_toml(&Raw {
        client: vec![raw_client(client)],
        ..Raw::default()
    });
    let whole = format!("{}\n\n{addition}", text.trim_end());
    if let Err(error) = toml::from_str::<toml::Table>(&whole) {
        // Nothing is written; the likely cause is `client = […]` on one line.
        return Err(ConfigError::Invalid {
            place: Place::File {
                path: path.to_owned(),
                line: None,
            },
            problem: format!("a client cannot be added: {}", error.message()),
            hint: "write each client as a table of its own, headed [[client]]".to_owned(),
        });
    }
    write(path, &whole)
}

/// Makes the folder that this configuration will stand in.
pub(crate) fn make_folder(path: &Path) -> Result<(), ConfigError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    private_folder::make_readable(folder).map_err(|source| ConfigError::NotWritable {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, text: &str) -> Result<(), ConfigError> {
    make_folder(path)?;
    durable_file::replace(path, text.as_bytes(), Audience::Everyone).map_err(|source| {
        ConfigError::NotWritable {
            path: path.to_owned(),
            source,
        }
    })
}

#[expect(
    clippy::expect_used,
    reason = "every field is a string, a number, a truth value or a table of them"
)]
fn to_toml(raw: &Raw) -> String {
    toml::to_string(raw).expect("a configuration is TOML")
}

/// What is not the default.
fn other<T: PartialEq>(value: T, default: &T) -> Option<T> {
    (value != *default).then_some(value)
}

fn raw(config: &Config) -> Raw {
    Raw {
        passportal: RawPassportal {
            region: None,
            base_url: Some(config.passportal.base_url.clone()),
        },
        sync: raw_sync(&config.sync),
        verification: raw_verification(&config.verification),
        state: RawState {
            url: other(config.state.url.clone(), &StateConfig::default().url),
            password_file: config.state.password_file.clone(),
        },
        listen: RawListen {
            address: other(config.listen, &default_listen()),
        },
        tls: RawTls {
            extra_ca: config.tls.extra_ca.clone(),
        },
        proxy: config.proxy.as_ref().map(raw_proxy).unwrap_or_default(),
        client: config.clients.iter().map(raw_client).collect(),
    }
}

fn raw_sync(sync: &SyncConfig) -> RawSync {
    let default = SyncConfig::default();
    RawSync {
        interval: other(sync.interval, &default.interval).map(Written),
        full_read: other(sync.full_read, &default.full_read).map(Written),
        breaker_percent: other(sync.breaker_percent, &default.breaker_percent),
        breaker_minimum: other(sync.breaker_minimum, &default.breaker_minimum),
    }
}

fn raw_verification(verification: &VerificationConfig) -> RawVerification {
    let default = VerificationConfig::default();
    RawVerification {
        enabled: other(verification.test, &default.test).map(|test| test == Verification::Allowed),
        recheck: other(verification.recheck, &default.recheck).map(Written),
        max_failed_per_day: other(verification.max_failed_per_day, &default.max_failed_per_day),
        verdict_table: verification.verdict_table.clone(),
    }
}

fn raw_proxy(proxy: &ProxyConfig) -> RawProxy {
    let user = proxy.user.as_ref();
    RawProxy {
        url: Some(proxy.url.clone()),
        username: user.map(|user| user.name.clone()),
        password_file: user.map(|user| user.password_file.clone()),
    }
}

fn raw_client(client: &ClientConfig) -> RawClient {
    RawClient {
        name: Some(client.name.clone()),
        microsoft: raw_microsoft(&client.microsoft),
    }
}

fn raw_microsoft(microsoft: &MicrosoftConfig) -> RawMicrosoft {
    RawMicrosoft {
        tenant: Some(microsoft.tenant.0.clone()),
        cloud: Some(microsoft.cloud),
        sign_in: Some(microsoft.sign_in),
        client_id: microsoft.client_id.clone(),
        verification_client_id: microsoft.verification_client_id.clone(),
        certificate: microsoft.certificate.clone(),
        certificate_password_file: microsoft.certificate_password_file.clone(),
        federated_token_file: microsoft.federated_token_file.clone(),
        administrator: microsoft
            .administrator
            .as_ref()
            .map(|name| name.as_str().to_owned()),
        client_secret_file: microsoft.client_secret_file.clone(),
        authority: microsoft.authority.clone(),
        graph: microsoft.graph.clone(),
    }
}
