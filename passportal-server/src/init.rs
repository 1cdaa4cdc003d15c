//! Makes a vault: the organization, its first administrator and its company vault.

use std::io;
use std::path::{Path, PathBuf};

use passportal_client::envelope::{DataKey, OrganizationKey, new_key_parameters};
use passportal_client::wire::{KeyParameters, MicrosoftSync, SyncMode, WrappedKey};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::data_dir::{DataDir, replace_with_empty_private};
use crate::database::Database;
use crate::organization_key;
use crate::password_hash;
use crate::server_key::ServerKey;
use crate::vault::{self, CompanyVault, NewClientRow, Organization, VaultError, person_password};

/// What a new vault begins with.
#[derive(Clone, Debug)]
pub struct InitRequest {
    /// Where it is kept. Made when missing.
    pub data_dir: PathBuf,
    /// The organization's name.
    pub organization: String,
    /// The first administrator's e-mail address.
    pub admin_email: String,
    /// The first administrator's password, at least 12 characters.
    pub admin_password: SecretString,
    /// The organization key, at least 12 characters. It is used here and not stored.
    pub organization_key: SecretString,
}

/// A vault that has been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initialised {
    /// The organization.
    pub organization_id: Uuid,
    /// Its company vault: a client like any other.
    pub company_vault: Uuid,
}

/// Why a vault was not made. Nothing is left half-written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The organization's name is empty.
    #[error("the organization needs a name")]
    NoName,
    /// Not an e-mail address.
    #[error("`{email}` is not an e-mail address")]
    BadEmail {
        /// What was given.
        email: String,
    },
    /// The organization key is too short.
    #[error(
        "the organization key is too short: it needs at least {} characters",
        organization_key::SHORTEST
    )]
    WeakOrganizationKey,
    /// The password is easily guessed.
    #[error("the administrator's password is refused: {why}")]
    WeakAdminPassword {
        /// In words for a person.
        why: String,
    },
    /// A vault is there already.
    #[error("there is a vault in `{}` already", data_dir.display())]
    Exists {
        /// Where.
        data_dir: PathBuf,
    },
    /// A file could not be written.
    #[error("could not write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database or a key could not be made.
    #[error("could not make the vault")]
    Make(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<VaultError> for InitError {
    fn from(error: VaultError) -> Self {
        Self::Make(Box::new(error))
    }
}

/// Makes a vault.
///
/// # Errors
/// When the request is refused, a vault is there already, or the disk does not take it.
pub async fn init(request: InitRequest) -> Result<Initialised, InitError> {
    check(&request)?;
    let dir = DataDir::new(&request.data_dir);
    if dir.database().exists() {
        return Err(InitError::Exists {
            data_dir: request.data_dir,
        });
    }
    dir.create().map_err(writing(dir.path()))?;
    let unfinished = dir.unfinished_database();
    let made = fill(&dir, &unfinished, &request).await;
    if made.is_err() {
        // Best effort: what is left is ignored and replaced by the next attempt.
        let _ = std::fs::remove_file(&unfinished);
    }
    made
}

fn check(request: &InitRequest) -> Result<(), InitError> {
    let email = request.admin_email.trim();
    if request.organization.trim().is_empty() {
        return Err(InitError::NoName);
    }
    let parts = email.split_once('@');
    if !parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        || email.contains(char::is_whitespace)
    {
        return Err(InitError::BadEmail {
            email: email.to_owned(),
        });
    }
    if organization_key::is_too_short(request.organization_key.expose_secret()) {
        return Err(InitError::WeakOrganizationKey);
    }
    person_password::check(email, request.admin_password.expose_secret()).map_err(|refused| {
        InitError::WeakAdminPassword {
            why: refused.to_string(),
        }
    })
}

/// Builds the database under another name and gives it its own only when it is whole.
async fn fill(
    dir: &DataDir,
    unfinished: &Path,
    request: &InitRequest,
) -> Result<Initialised, InitError> {
    let contents = Contents::prepare(request).await?;
    build(unfinished, &contents).await?;
    make_server_key(dir)?;
    std::fs::rename(unfinished, dir.database()).map_err(writing(&dir.database()))?;
    Ok(Initialised {
        organization_id: contents.organization.id,
        company_vault: contents.company_vault,
    })
}

/// What a new vault's database holds.
struct Contents<'a> {
    organization: Organization,
    parameters: KeyParameters,
    company_vault: Uuid,
    key: WrappedKey,
    admin_email: &'a str,
    password_hash: String,
}

impl<'a> Contents<'a> {
    /// Makes ids and keys, and derives from the secrets what may be stored.
    async fn prepare(request: &'a InitRequest) -> Result<Self, InitError> {
        let organization_id = Uuid::new_v4();
        let company_vault = Uuid::new_v4();
        let organization = Organization {
            id: organization_id,
            name: request.organization.trim().to_owned(),
        };
        let parameters = new_key_parameters(organization_id);
        let key = company_key(
            request.organization_key.clone(),
            parameters.clone(),
            company_vault,
        )
        .await?;
        Ok(Self {
            organization,
            parameters,
            company_vault,
            key,
            admin_email: request.admin_email.trim(),
            password_hash: password_hash::hash(request.admin_password.clone()).await?,
        })
    }
}

async fn build(file: &Path, contents: &Contents<'_>) -> Result<(), InitError> {
    replace_with_empty_private(file).map_err(writing(file))?;
    let database = Database::create(file).await.map_err(VaultError::from)?;
    let inserted = insert(&database, contents).await;
    database.close().await;
    Ok(inserted?)
}

async fn company_key(
    organization_key: SecretString,
    parameters: KeyParameters,
    client: Uuid,
) -> Result<WrappedKey, InitError> {
    let derive = move || {
        let kek = OrganizationKey::new(organization_key.expose_secret()).derive(&parameters)?;
        Ok(DataKey::generate(parameters.organization, client).wrap(&kek, &parameters))
    };
    tokio::task::spawn_blocking(derive)
        .await
        .map_err(|error| InitError::Make(Box::new(error)))?
        .map_err(|error: passportal_client::envelope::EnvelopeError| {
            InitError::Make(Box::new(error))
        })
}

async fn insert(database: &Database, contents: &Contents<'_>) -> Result<(), VaultError> {
    let mut transaction = database.write().await?;
    vault::insert_organization(
        &mut transaction,
        &contents.organization,
        &contents.parameters,
    )
    .await?;
    vault::insert_person(
        &mut transaction,
        contents.admin_email,
        &contents.password_hash,
    )
    .await?;
    let client = NewClientRow {
        id: contents.company_vault,
        name: &contents.organization.name,
        company_vault: CompanyVault::Yes,
        sync: MicrosoftSync::None,
        default_mode: SyncMode::Enabled,
        key: &contents.key,
    };
    vault::insert_client(&mut transaction, &client).await?;
    transaction.commit().await?;
    Ok(())
}

/// A key that an earlier, broken attempt left is used by nothing, so it is replaced.
fn make_server_key(dir: &DataDir) -> Result<(), InitError> {
    let file = dir.server_key();
    match std::fs::remove_file(&file) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(InitError::Write { path: file, source });
        }
        _ => {}
    }
    ServerKey::create(&file).map_err(writing(&file))?;
    Ok(())
}

fn writing(path: &Path) -> impl FnOnce(io::Error) -> InitError + use<> {
    let path = path.to_owned();
    move |source| InitError::Write { path, source }
}
