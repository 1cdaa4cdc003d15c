//! How the agent reaches beyond this machine: whom it trusts there, and which proxy is on the way.

use std::path::{Path, PathBuf};

use msgraph_sync::{GraphSetupError, Proxy};

use crate::config::{Config, ProxyConfig};
use crate::secrets::{SecretError, read_secret_file};

/// What every connection to the vault and to Microsoft has in common.
#[derive(Clone, Debug, Default)]
pub struct Outbound {
    /// PEM certificates of `tls.extra_ca`.
    pub extra_ca: Option<Vec<u8>>,
    /// The proxy of the configuration; without one the environment's is used.
    pub proxy: Option<Proxy>,
}

/// Why nothing can be reached with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The file of extra certificate authorities cannot be read.
    #[error("could not read tls.extra_ca {}", path.display())]
    ExtraCa {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The proxy's address.
    #[error("proxy.url cannot be used")]
    Proxy(#[source] GraphSetupError),
    /// The proxy's password cannot be read.
    #[error("the proxy's password cannot be read")]
    ProxyPassword(#[source] SecretError),
}

impl OutboundError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::ExtraCa { .. } => "name a PEM file that the service's user may read",
            Self::Proxy(_) => "an address only: http://host:port or socks5h://host:port",
            Self::ProxyPassword(source) => source.hint(),
        }
    }
}

impl Outbound {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn of(config: &Config) -> Result<Self, OutboundError> {
        let extra_ca = config.tls.extra_ca.as_deref().map(extra_ca).transpose()?;
        let proxy = config.proxy.as_ref().map(proxy).transpose()?;
        Ok(Self { extra_ca, proxy })
    }
}

fn extra_ca(path: &Path) -> Result<Vec<u8>, OutboundError> {
    std::fs::read(path).map_err(|source| OutboundError::ExtraCa {
        path: path.to_owned(),
        source,
    })
}

fn proxy(config: &ProxyConfig) -> Result<Proxy, OutboundError> {
    let proxy = Proxy::new(&config.url).map_err(OutboundError::Proxy)?;
    let Some(user) = &config.user else {
        return Ok(proxy);
    };
    let password = read_secret_file(&user.password_file).map_err(OutboundError::ProxyPassword)?;
    proxy
        .with_user(&user.name, &password)
        .map_err(OutboundError::Proxy)
}
