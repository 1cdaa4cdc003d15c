//! Makes a vault out of a backup: everything that was in it, with a new history for the agents.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use passportal_client::audit::{AuditHead, BrokenChain};

use crate::backup::{server_key_beside, sync_folder};
use crate::data_dir::{DataDir, replace_with_empty_private, write_new_private};
use crate::database::{Database, OpenError};
use crate::lock::{Holder, Lock, LockError};
use crate::server_key::ServerKey;
use crate::vault::{self, Actor, Forgotten, VaultError};

/// Where the restored vault's server key comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// From `FILE.server.key`, beside the backup.
    Beside,
    /// From this file.
    File(PathBuf),
    /// A new one: what the old one sealed (the secrets of API keys, second factors) is lost.
    New,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The audit trail's last good line in the backup.
    pub audit_head: AuditHead,
    /// The first line that is wrong, where the backup's audit trail was changed.
    pub audit_broken: Option<BrokenChain>,
    /// Second factors that are off now, because the server's key is a new one.
    pub second_factors_off: u64,
    /// API keys that are revoked now, for the same reason.
    pub api_keys_revoked: u64,
    /// Notice channels that are paused now, for the same reason.
    pub notice_channels_paused: u64,
}

/// Why nothing was restored. Nothing is left half-written.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup cannot be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no backup, or only a part of one.
    #[error("`{}` is no whole backup of a vault: {why}", path.display())]
    NotABackup {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A later version of this program wrote it.
    #[error("`{}` was written by a newer version of the server", path.display())]
    Newer {
        /// The backup.
        path: PathBuf,
    },
    /// There is no server key.
    #[error("there is no server key at `{}`", path.display())]
    NoServerKey {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The server key is another vault's.
    #[error("the server key `{}` does not fit this backup", path.display())]
    WrongServerKey {
        /// Which.
        path: PathBuf,
    },
    /// A server is using the folder.
    #[error("a server{holder} is using the vault in `{}`", data_dir.display())]
    InUse {
        /// Where.
        data_dir: PathBuf,
        /// Which process.
        holder: Holder,
    },
    /// Something is in the folder.
    #[error("`{}` is not empty", data_dir.display())]
    NotEmpty {
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
    /// The copy could not be made ready.
    #[error("could not make the vault ready")]
    Prepare(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<VaultError> for RestoreError {
    fn from(error: VaultError) -> Self {
        Self::Prepare(Box::new(error))
    }
}

impl From<sqlx::Error> for RestoreError {
    fn from(error: sqlx::Error) -> Self {
        VaultError::from(error).into()
    }
}

/// Makes a vault in a folder that is new or empty.
///
/// # Errors
/// When the backup is not whole, the key does not fit, or the folder is in use or not empty.
pub async fn restore(
    from: &Path,
    data_dir: &Path,
    key: &KeySource,
) -> Result<Restored, RestoreError> {
    refuse_used(data_dir)?;
    let key = read_key(from, key)?;
    check(from, key.as_ref()).await?;
    let dir = DataDir::new(data_dir);
    let was_there = data_dir.exists();
    dir.create().map_err(writing(dir.path()))?;
    let restored = fill(from, &dir, key).await;
    if restored.is_err() {
        clean_up(&dir, was_there);
    }
    restored
}

fn refuse_used(data_dir: &Path) -> Result<(), RestoreError> {
    let dir = DataDir::new(data_dir);
    if dir.lock().exists()
        && let Err(LockError::Held(holder)) = Lock::take(&dir.lock())
    {
        let data_dir = data_dir.to_owned();
        return Err(RestoreError::InUse { data_dir, holder });
    }
    let mut inside = match fs::read_dir(data_dir) {
        Ok(inside) => inside,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(writing(data_dir)(error)),
    };
    match inside.next() {
        None => Ok(()),
        Some(_) => Err(RestoreError::NotEmpty {
            data_dir: data_dir.to_owned(),
        }),
    }
}

/// A server key and the file that it is from.
struct GivenKey {
    path: PathBuf,
    text: zeroize::Zeroizing<String>,
    key: ServerKey,
}

fn read_key(from: &Path, source: &KeySource) -> Result<Option<GivenKey>, RestoreError> {
    let path = match source {
        KeySource::New => return Ok(None),
        KeySource::File(path) => path.clone(),
        KeySource::Beside => server_key_beside(from),
    };
    if !path.exists() {
        return Err(RestoreError::NoServerKey { path });
    }
    let read = fs::read_to_string(&path).and_then(|text| Ok((text, ServerKey::read(&path)?)));
    match read {
        Ok((text, key)) => Ok(Some(GivenKey {
            path,
            text: text.into(),
            key,
        })),
        Err(source) => Err(RestoreError::Read { path, source }),
    }
}

/// Looks at the whole backup before anything is made of it.
async fn check(from: &Path, key: Option<&GivenKey>) -> Result<(), RestoreError> {
    let path = from.to_owned();
    let not = |why: String| RestoreError::NotABackup {
        path: path.clone(),
        why,
    };
    refuse_what_is_no_copy(from)?;
    let unusable = |error: sqlx::Error| not(reason(&error));
    let database = Database::open_copy(from)
        .await
        .map_err(|error| not(reason(&error)))?;
    if let Some(damage) = database.damage().await.map_err(unusable)? {
        return Err(not(damage));
    }
    if !database.has_table("organization").await.map_err(unusable)? {
        return Err(not("it holds no organization".to_owned()));
    }
    if database.is_newer().await.map_err(unusable)? {
        return Err(RestoreError::Newer { path });
    }
    let mut view = database.read().await?;
    let fits = match key {
        Some(given) => vault::server_key_fits(&mut view, &given.key).await?,
        None => true,
    };
    drop(view);
    database.close().await;
    match key {
        Some(given) if !fits => Err(RestoreError::WrongServerKey {
            path: given.path.clone(),
        }),
        _ => Ok(()),
    }
}

/// A database with a write-ahead log is a vault in use, or a copy without its latest changes.
///
/// Source: `SQLite` file format, bytes 18 and 19 of the header (2: WAL).
fn refuse_what_is_no_copy(from: &Path) -> Result<(), RestoreError> {
    use std::io::Read as _;
    let path = from.to_owned();
    let reading = |source| RestoreError::Read {
        path: from.to_owned(),
        source,
    };
    let mut header = Vec::new();
    let file = File::open(from).map_err(reading)?;
    file.take(20).read_to_end(&mut header).map_err(reading)?;
    let why = match header.get(18..20) {
        None => "it is too short",
        Some([2, _] | [_, 2]) => "it is a vault's own file, which may lack its latest changes",
        Some(_) => return Ok(()),
    };
    let why = why.to_owned();
    Err(RestoreError::NotABackup { path, why })
}

fn reason(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// The database has its own name only when it is whole.
async fn fill(from: &Path, dir: &DataDir, key: Option<GivenKey>) -> Result<Restored, RestoreError> {
    let unfinished = dir.unfinished_database();
    replace_with_empty_private(&unfinished).map_err(writing(&unfinished))?;
    fs::copy(from, &unfinished).map_err(writing(&unfinished))?;
    make_private(&unfinished).map_err(writing(&unfinished))?;
    let restored = begin_anew(&unfinished, key.as_ref()).await?;
    File::open(&unfinished)
        .and_then(|file| file.sync_all())
        .map_err(writing(&unfinished))?;
    let key_file = dir.server_key();
    match key {
        Some(given) => write_new_private(&key_file, given.text.as_bytes()),
        None => ServerKey::create(&key_file).map(drop),
    }
    .map_err(writing(&key_file))?;
    fs::rename(&unfinished, dir.database()).map_err(writing(&dir.database()))?;
    sync_folder(&dir.database()).map_err(writing(&dir.database()))?;
    Ok(restored)
}

/// Brings the copy to this program's schema and gives it a new epoch: whatever agents remember is of
/// another history, so that everything is first contact. A new server key opens no second factor: they are off then.
async fn begin_anew(file: &Path, key: Option<&GivenKey>) -> Result<Restored, RestoreError> {
    let database = Database::open_without_log(file)
        .await
        .map_err(|error| match error {
            OpenError::Newer => RestoreError::Newer {
                path: file.to_owned(),
            },
            other => VaultError::from(other).into(),
        })?;
    let begun = async {
        vault::chain_what_was_there(&database).await?;
        let mut view = database.read().await?;
        let verified = vault::verify(&mut view, None).await?;
        drop(view);
        vault::begin_epoch(&database, &Actor::operator()).await?;
        let forgotten = match key {
            Some(_) => Forgotten::default(),
            None => vault::forget_sealed(&database, &Actor::operator()).await?,
        };
        Ok::<_, VaultError>((verified, forgotten))
    };
    let begun = begun.await;
    database.close().await;
    let (verified, forgotten) = begun?;
    Ok(Restored {
        second_factors_off: forgotten.second_factors,
        api_keys_revoked: forgotten.api_keys,
        notice_channels_paused: forgotten.notice_channels,
        audit_head: verified.head,
        audit_broken: verified.broken,
    })
}

#[cfg(unix)]
fn make_private(file: &Path) -> io::Result<()> {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(file, permissions)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "only Unix has modes")]
fn make_private(_file: &Path) -> io::Result<()> {
    Ok(())
}

/// Best effort: what is left is refused by the next attempt, and named.
fn clean_up(dir: &DataDir, was_there: bool) {
    let _ = fs::remove_file(dir.unfinished_database());
    let _ = fs::remove_file(dir.server_key());
    if !was_there {
        let _ = fs::remove_dir(dir.path());
    }
}

fn writing(path: &Path) -> impl FnOnce(io::Error) -> RestoreError + use<> {
    let path = path.to_owned();
    move |source| RestoreError::Write { path, source }
}
