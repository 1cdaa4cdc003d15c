//! The demo's data folder: its own, made anew, and never anybody else's.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use agent_bin::private_folder;
use anyhow::Context as _;

use crate::failure::Refusal;
use crate::secret_file;

/// Says that a folder is a demo's; locked as long as the demo runs.
const MARK: &str = ".passportal-demo";
const OWN: [&str; 3] = ["vault", "agent", "secrets"];

/// The folder, as long as the demo runs.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder, or clears what an earlier demo left in it. A folder with anything else in
    /// it is refused.
    pub(super) fn prepare(path: &Path) -> anyhow::Result<Self> {
        let path = secret_file::absolute(path);
        let whole = || format!("could not make the data folder {}", path.display());
        if !path.join(MARK).exists() && holds_something(&path).with_context(whole)? {
            let what = format!("{} is not a demo's folder", path.display());
            return Err(Refusal::new(what, "name a new or empty folder with --data-dir").into());
        }
        private_folder::make(&path).with_context(whole)?;
        let lock = lock(&path)?;
        for name in OWN {
            clear(&path.join(name)).with_context(whole)?;
            private_folder::make(&path.join(name)).with_context(whole)?;
        }
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the vault keeps its data.
    pub(super) fn vault(&self) -> PathBuf {
        self.path.join("vault")
    }

    /// The agent's configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.path.join("agent").join("config.toml")
    }

    /// The url of the agent's state.
    pub(super) fn state_url(&self) -> String {
        state_store::file_url(&self.path.join("agent").join("state.db"))
    }

    /// Writes a file that only its owner can read.
    pub(super) fn secret(&self, name: &str, secret: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join("secrets").join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(&path)
            .and_then(|mut file| file.write_all(secret.as_bytes()));
        written.with_context(|| format!("could not write {}", path.display()))?;
        Ok(path)
    }
}

fn holds_something(path: &Path) -> io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn clear(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let mark = path.join(MARK);
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(&mark)
        .with_context(|| format!("could not write {}", mark.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let what = format!("another demo runs in {}", path.display());
            Err(Refusal::new(what, "end it first, or name another folder with --data-dir").into())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("could not lock {}", mark.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_else_in_it_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("vault");
        fs::create_dir(&precious).unwrap();
        assert!(Folder::prepare(folder.path()).is_err());
        assert!(precious.exists());
        assert!(!folder.path().join(MARK).exists());
    }

    #[test]
    fn a_demos_folder_is_made_anew_and_other_files_in_it_stay() {
        let folder = tempfile::tempdir().unwrap();
        let demo = folder.path().join("demo");
        let first = Folder::prepare(&demo).unwrap();
        let secret = first.secret("key", "first").unwrap();
        fs::write(demo.join("notes.txt"), "mine").unwrap();
        assert!(Folder::prepare(&demo).is_err(), "the first still runs");
        drop(first);
        let second = Folder::prepare(&demo).unwrap();
        assert!(!secret.exists());
        assert!(demo.join("notes.txt").exists());
        assert_eq!(second.secret("key", "second").unwrap(), secret);
    }
}
