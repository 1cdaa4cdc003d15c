//! The lock file beside a state file, which one process holds at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::{Holder, OpenError, Place, give_to_folder_owner};

/// Held as long as it lives; the operating system lets go of it when the process ends, however
/// it ends. The file itself stays: removing it would let two processes lock two files.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let place = Place::File(database.to_owned());
        let not_writable = |error| OpenError::not_writable(place.clone(), error);
        let mut file = open(&beside(database)).map_err(not_writable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    place,
                    holder: read_holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(not_writable(error)),
        }
        write_holder(&mut file).map_err(not_writable)?;
        Ok(Self(file))
    }

    /// Whether the lock file still stands where others look for it.
    #[cfg(unix)]
    pub(super) fn is_there(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        self.0.metadata().is_ok_and(|told| told.nlink() > 0)
    }

    /// Elsewhere an open file cannot be removed.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub(super) fn is_there(&self) -> bool {
        true
    }

    /// Lets go of it before it is dropped.
    pub(super) fn release(&self) {
        // Where this fails, dropping the file lets go of it a little later.
        let _ = self.0.unlock();
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    give_to_folder_owner(&file, path)?;
    Ok(file)
}

fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.take(20).read_to_string(&mut text);
    let pid = read.ok().and_then(|_| text.trim().parse().ok());
    pid.map_or(Holder::Unknown, Holder::Process)
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}
