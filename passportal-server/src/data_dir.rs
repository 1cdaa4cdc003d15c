//! What lies where in the data directory, and files that only their owner may read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The data directory of one vault.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("vault.db")
    }

    /// The files that the downloads page offers, unless it is told another folder.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.0.join("downloads")
    }

    /// The database while `init` is still filling it.
    pub(crate) fn unfinished_database(&self) -> PathBuf {
        self.0.join("vault.db.unfinished")
    }

    /// The key that seals what the server itself must be able to read: API secrets.
    pub(crate) fn server_key(&self) -> PathBuf {
        self.0.join("server.key")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("server.lock")
    }

    /// Makes the directory, for its owner only where the platform knows that.
    pub(crate) fn create(&self) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0)
    }
}

/// Writes a new file that only its owner may read; an existing one is an error.
pub(crate) fn write_new_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = new_private(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn new_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes an empty file that only its owner may read, in place of one that may lie there.
pub(crate) fn replace_with_empty_private(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    new_private(path).map(drop)
}
