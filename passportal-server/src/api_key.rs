//! Makes an API key for programs that sign in with `client_token`.

use std::io;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::data_dir::{DataDir, write_new_private};
use crate::database::Database;
use crate::server_key::ServerKey;
use crate::vault::{Actor, Vault, VaultError};

/// Why no API key was made.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// There is no vault.
    #[error("there is no vault in `{}`", data_dir.display())]
    NoVault {
        /// Where.
        data_dir: PathBuf,
    },
    /// The file for the key could not be written, for instance because it exists.
    #[error("could not write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The vault failed.
    #[error("could not make the API key")]
    Make(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes an API key and writes it, with its secret, to a new file that only its owner may read:
/// JSON `{"key": …, "secret": …}`. The server may be running.
///
/// # Errors
/// When there is no vault, or the file exists or cannot be written: then no key is made.
pub async fn create_api_key(data_dir: &Path, out: &Path) -> Result<(), ApiKeyError> {
    let dir = DataDir::new(data_dir);
    if !dir.database().exists() {
        return Err(ApiKeyError::NoVault {
            data_dir: data_dir.to_owned(),
        });
    }
    let writing = |source| ApiKeyError::Write {
        path: out.to_owned(),
        source,
    };
    // The file comes first, so that no key exists that nobody has.
    write_new_private(out, b"").map_err(writing)?;
    let made = make(&dir).await;
    let key = made.inspect_err(|_| {
        let _ = std::fs::remove_file(out);
    })?;
    std::fs::write(out, key.as_bytes()).map_err(writing)
}

async fn make(dir: &DataDir) -> Result<Zeroizing<String>, ApiKeyError> {
    let failed = |error: VaultError| ApiKeyError::Make(Box::new(error));
    let server_key =
        ServerKey::read(&dir.server_key()).map_err(|error| ApiKeyError::Make(Box::new(error)))?;
    let database = Database::open(&dir.database())
        .await
        .map_err(|error| failed(error.into()))?;
    let vault = Vault::new(database, server_key).await.map_err(failed)?;
    let made = vault.create_api_key(&Actor::operator()).await;
    vault.close().await;
    let made = made.map_err(failed)?;
    let text = format!(
        "{{\"key\": \"{}\", \"secret\": \"{}\"}}\n",
        made.key,
        made.secret.expose_secret()
    );
    Ok(Zeroizing::new(text))
}
