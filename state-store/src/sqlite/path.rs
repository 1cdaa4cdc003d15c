//! The state file's place: made where it is missing, refused where it cannot be written.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::give_to_folder_owner;

/// Makes sure of a folder and a file that can be written; returns the one name that every process
/// locks, however it was spelt.
pub(super) fn prepare(path: &Path) -> io::Result<PathBuf> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        create_folder(folder)?;
    }
    match create_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    let path = path.canonicalize()?;
    refuse_read_only(&path)?;
    Ok(path)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// `SQLite` gives its log and its index the mode and, as root, the owner of the file that they belong to.
fn create_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    give_to_folder_owner(&options.open(path)?, path)
}

/// A person who takes the write permission away means it, also where the agent runs as root, which
/// the operating system would let write.
fn refuse_read_only(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.permissions().readonly() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is marked read-only",
        ));
    }
    Ok(())
}

/// What tells a file from another one in its place. Elsewhere than on Unix, an open file cannot be
/// replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    number: u64,
}

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let told = fs::metadata(path)?;
        Ok(Self {
            device: told.dev(),
            number: told.ino(),
        })
    }

    #[cfg(not(unix))]
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|_| Self {
            device: 0,
            number: 0,
        })
    }
}
