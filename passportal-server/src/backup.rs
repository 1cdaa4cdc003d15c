//! Makes a backup of a vault while its server runs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use passportal_client::audit::AuditHead;

use crate::data_dir::{DataDir, replace_with_empty_private, write_new_private};
use crate::database::Database;
use crate::vault::{self, Actor, VaultError};

/// Whether the server's key goes with the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithServerKey {
    /// Beside the backup, in a file of its own.
    Yes,
    /// Kept apart by a person.
    No,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct BackedUp {
    /// The server's key, where it was written, too.
    pub server_key: Option<PathBuf>,
    /// The audit trail's last line in the backup.
    pub audit_head: AuditHead,
}

/// Why no backup was made. Nothing is left half-written.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no vault.
    #[error("there is no vault in `{}`", data_dir.display())]
    NoVault {
        /// Where.
        data_dir: PathBuf,
    },
    /// Another version wrote it, and this one would have to change it.
    #[error("the vault in `{}` is of another version", data_dir.display())]
    OtherVersion {
        /// Where.
        data_dir: PathBuf,
    },
    /// A file is there already.
    #[error("`{}` exists already", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// A file could not be written or read.
    #[error("could not write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database failed, or the disk is full.
    #[error("could not copy the vault")]
    Copy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The copy is damaged, hence the vault is.
    #[error("the vault's database is damaged: {what}")]
    Damaged {
        /// What SQLite found.
        what: String,
    },
}

impl From<VaultError> for BackupError {
    fn from(error: VaultError) -> Self {
        Self::Copy(Box::new(error))
    }
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        VaultError::from(error).into()
    }
}

/// Writes the whole database, as it is at one moment, to a new file that only its owner may read. The
/// server may be running, and goes on meanwhile.
///
/// # Errors
/// When there is no vault, a file is there already, or the disk does not take it.
pub async fn backup(
    data_dir: &Path,
    to: &Path,
    with: WithServerKey,
) -> Result<BackedUp, BackupError> {
    let dir = DataDir::new(data_dir);
    if !dir.database().exists() {
        let data_dir = data_dir.to_owned();
        return Err(BackupError::NoVault { data_dir });
    }
    let key_file = (with == WithServerKey::Yes).then(|| server_key_beside(to));
    for path in [Some(to), key_file.as_deref()].into_iter().flatten() {
        if path.exists() {
            let path = path.to_owned();
            return Err(BackupError::Exists { path });
        }
    }
    let unfinished = beside(to, "unfinished");
    let made = copy(&dir, &unfinished, to).await;
    let audit_head = made.inspect_err(|_| {
        let _ = fs::remove_file(&unfinished);
    })?;
    if let Some(key_file) = &key_file {
        copy_key(&dir, key_file)?;
    }
    Ok(BackedUp {
        server_key: key_file,
        audit_head,
    })
}

/// Where a backup's server key lies.
pub(crate) fn server_key_beside(backup: &Path) -> PathBuf {
    beside(backup, "server.key")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// The backup has its own name only when it is whole.
async fn copy(dir: &DataDir, unfinished: &Path, to: &Path) -> Result<AuditHead, BackupError> {
    replace_with_empty_private(unfinished).map_err(writing(unfinished))?;
    let database = Database::open_as_it_is(&dir.database())
        .await
        .map_err(VaultError::from)?;
    let copied = copy_into(&database, dir, unfinished).await;
    database.close().await;
    copied?;
    let audit_head = look_at(unfinished).await?;
    let file = File::open(unfinished).map_err(writing(unfinished))?;
    file.sync_all().map_err(writing(unfinished))?;
    fs::rename(unfinished, to).map_err(writing(to))?;
    sync_folder(to).map_err(writing(to))?;
    Ok(audit_head)
}

async fn copy_into(database: &Database, dir: &DataDir, to: &Path) -> Result<(), BackupError> {
    if !database.is_current().await? {
        let data_dir = dir.path().to_owned();
        return Err(BackupError::OtherVersion { data_dir });
    }
    // Before the copy, so that the copy knows of itself.
    vault::note(database, &Actor::operator(), "began a backup of the vault").await?;
    database.copy_into(to).await?;
    Ok(())
}

async fn look_at(file: &Path) -> Result<AuditHead, BackupError> {
    let database = Database::open_to_read(file)
        .await
        .map_err(VaultError::from)?;
    let what = database.damage().await?;
    let mut view = database.read().await?;
    let head = vault::audit_head(&mut view).await?;
    drop(view);
    database.close().await;
    match what {
        None => Ok(head),
        Some(what) => Err(BackupError::Damaged { what }),
    }
}

fn copy_key(dir: &DataDir, to: &Path) -> Result<(), BackupError> {
    let from = dir.server_key();
    let key = fs::read(&from).map(zeroize::Zeroizing::new);
    let key = key.map_err(|source| BackupError::Write { path: from, source })?;
    write_new_private(to, &key).map_err(writing(to))
}

/// A renamed file survives a power cut only once its folder is on the disk as well.
pub(crate) fn sync_folder(file: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn writing(path: &Path) -> impl FnOnce(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::Write { path, source }
}
