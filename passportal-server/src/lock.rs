//! The lock of a data directory, which one server holds at a time.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Held as long as it lives; the operating system lets go of it when the process ends, however it
/// ends. The file itself stays: removing it would let two servers lock two files.
#[derive(Debug)]
pub(crate) struct Lock {
    _held: File,
}

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another server has it.
    Held(Holder),
    /// The file cannot be opened, locked or written.
    NotWritable(io::Error),
}

/// The process that has a vault open, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, " (pid {pid})"),
            None => Ok(()),
        }
    }
}

impl Lock {
    /// Takes the lock and leaves this process's id in the file, for the next one who asks.
    pub(crate) fn take(path: &Path) -> Result<Self, LockError> {
        let mut file = open(path).map_err(LockError::NotWritable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(read_holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(LockError::NotWritable(error)),
        }
        write_holder(&mut file).map_err(LockError::NotWritable)?;
        Ok(Self { _held: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Nobody is named where the platform lets only the holder read the file.
fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.take(20).read_to_string(&mut text);
    Holder(read.ok().and_then(|_| text.trim().parse().ok()))
}

fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}
