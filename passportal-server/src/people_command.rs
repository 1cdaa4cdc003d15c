//! Lets people in again who have lost their password or their second factor, from the vault's own machine. The server may
//! be running.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use crate::data_dir::DataDir;
use crate::database::Database;
use crate::password_hash;
use crate::server_key::ServerKey;
use crate::vault::{Vault, VaultError, person_password};

/// Why nobody was let in again. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// There is no vault.
    #[error("there is no vault in `{}`", data_dir.display())]
    NoVault {
        /// Where.
        data_dir: PathBuf,
    },
    /// Another version wrote it, and this one would have to change it under the server that serves it.
    #[error("the vault in `{}` is of another version", data_dir.display())]
    OtherVersion {
        /// Where.
        data_dir: PathBuf,
    },
    /// There is nobody with this address.
    #[error("nobody in this vault has the e-mail address `{email}`")]
    NoSuchPerson {
        /// The address.
        email: String,
    },
    /// The password is not good enough, or there is no second factor.
    #[error("{0}")]
    Refused(String),
    /// The vault failed.
    #[error("could not change the account")]
    Change(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl PeopleError {
    fn of(error: VaultError, email: &str) -> Self {
        match error {
            VaultError::NotFound { .. } => Self::NoSuchPerson {
                email: email.to_owned(),
            },
            VaultError::Refused(words) => Self::Refused(words),
            fault => Self::Change(Box::new(fault)),
        }
    }
}

/// Gives a person a new password. Their sessions end.
///
/// # Errors
/// When there is no such person, or the password is too short or too long.
pub async fn reset_password(
    data_dir: &Path,
    email: &str,
    password: SecretString,
) -> Result<(), PeopleError> {
    let failed = |error| PeopleError::of(error, email);
    person_password::check(email, password.expose_secret()).map_err(failed)?;
    let vault = open(data_dir).await?;
    let reset = async {
        vault.person(email).await?;
        let hash = password_hash::hash(password).await?;
        vault.reset_password(email, &hash).await
    };
    let reset = reset.await;
    vault.close().await;
    reset.map_err(failed)
}

/// Turns a person's second factor off. Their sessions end.
///
/// # Errors
/// When there is no such person, or no second factor.
pub async fn reset_second_factor(data_dir: &Path, email: &str) -> Result<(), PeopleError> {
    let vault = open(data_dir).await?;
    let reset = vault.reset_second_factor(email).await;
    vault.close().await;
    reset.map_err(|error| PeopleError::of(error, email))
}

async fn open(data_dir: &Path) -> Result<Vault, PeopleError> {
    let failed = |error: VaultError| PeopleError::Change(Box::new(error));
    let dir = DataDir::new(data_dir);
    if !dir.database().exists() {
        return Err(PeopleError::NoVault {
            data_dir: data_dir.to_owned(),
        });
    }
    let server_key = ServerKey::read(&dir.server_key());
    let server_key = server_key.map_err(|error| PeopleError::Change(Box::new(error)))?;
    let database = Database::open_as_it_is(&dir.database()).await;
    let database = database.map_err(|error| failed(error.into()))?;
    let is_current = database.is_current().await;
    if !is_current.map_err(|error| failed(error.into()))? {
        database.close().await;
        let data_dir = data_dir.to_owned();
        return Err(PeopleError::OtherVersion { data_dir });
    }
    Vault::new(database, server_key).await.map_err(failed)
}
