//! Why the server does not run.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::lock::Holder;
use crate::vault::VaultError;

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// There is no vault.
    #[error("there is no vault in `{}`", data_dir.display())]
    NoVault {
        /// Where.
        data_dir: PathBuf,
    },
    /// Another server has it open.
    #[error("another server{holder} is using the vault in `{}`", data_dir.display())]
    InUse {
        /// Where.
        data_dir: PathBuf,
        /// Which process.
        holder: Holder,
    },
    /// The data directory or a file in it is read-only, or the disk is full.
    #[error("`{}` cannot be written", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A later version of this program wrote it.
    #[error("`{}` was written by a newer version of the server", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
    },
    /// Passwords would travel in clear.
    #[error("`{listen}` is reachable from other machines, which needs TLS")]
    NeedsTls {
        /// The address.
        listen: SocketAddr,
    },
    /// Something else listens there.
    #[error("`{listen}` is in use by another program")]
    PortInUse {
        /// The address.
        listen: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("could not listen on `{listen}`")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate or its key is missing or not PEM.
    #[error("could not use the certificate `{}` with the key `{}`", cert.display(), key.display())]
    Tls {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of the vault cannot be read.
    #[error("could not open `{}`", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database cannot be used.
    #[error("could not open the vault")]
    Vault(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server broke down.
    #[error("the server stopped")]
    Run(#[source] io::Error),
}

impl From<VaultError> for ServeError {
    fn from(error: VaultError) -> Self {
        Self::Vault(Box::new(error))
    }
}
