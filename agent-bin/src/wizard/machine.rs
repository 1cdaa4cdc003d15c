//! What the machine must be able to do, before anything is asked.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// What the agent needs for its memory, its secrets and its log, with room to spare.
const ROOM: u64 = 200 << 20;

/// Why this machine cannot have an agent.
#[derive(Debug, thiserror::Error)]
pub enum MachineFault {
    /// 32 bits.
    #[error("this system has {bits} bits, and the agent needs 64")]
    Bits {
        /// How many.
        bits: u32,
    },
    /// Nothing can be written there.
    #[error("nothing can be written below {}", folder.display())]
    NotWritable {
        /// The folder that is there.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk is full, or nearly.
    #[error("the disk of {} has {} MB left, and the agent wants {}", folder.display(), left >> 20, ROOM >> 20)]
    NoRoom {
        /// A folder on it.
        folder: PathBuf,
        /// Bytes.
        left: u64,
    },
}

impl MachineFault {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Bits { .. } => "install it on a 64-bit system",
            Self::NotWritable { .. } if cfg!(windows) => {
                "run it in a terminal that was started as administrator, or name other places: --config, --state-url"
            }
            Self::NotWritable { .. } => {
                "run it as root (`sudo`), or name other places: --config, --state-url"
            }
            Self::NoRoom { .. } => "free some room, or name another place: --state-url",
        }
    }
}

/// Whether the configuration and the agent's memory can be kept there.
///
/// # Errors
/// The first thing that is missing.
pub(super) fn examine(places: &[PathBuf]) -> Result<(), MachineFault> {
    if usize::BITS < 64 {
        return Err(MachineFault::Bits { bits: usize::BITS });
    }
    for place in places {
        let folder = existing(place);
        try_to_write(&folder).map_err(|source| MachineFault::NotWritable {
            folder: folder.clone(),
            source,
        })?;
        match fs4::available_space(&folder) {
            Ok(left) if left < ROOM => return Err(MachineFault::NoRoom { folder, left }),
            // A file system that does not tell is no reason to refuse.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// The nearest folder above that is there.
fn existing(place: &Path) -> PathBuf {
    let place = std::path::absolute(place).unwrap_or_else(|_| place.to_owned());
    let mut above = place.ancestors();
    let folder = above.find(|it| it.is_dir());
    folder.map_or(place.clone(), Path::to_owned)
}

fn try_to_write(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".passportal-agent-{}", Uuid::new_v4()));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)?;
    fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_the_one_above_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        examine(&[folder.path().join("agent").join("config.toml")]).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_place_below_a_file_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        // The folder above the file is there; what cannot be written is told by the folder itself.
        examine(&[file.join("config.toml")]).unwrap();
        let missing = MachineFault::NotWritable {
            folder: file,
            source: io::Error::from(io::ErrorKind::PermissionDenied),
        };
        assert!(missing.hint().contains("--state-url"));
        let full = MachineFault::NoRoom {
            folder: folder.path().to_owned(),
            left: 3 << 20,
        };
        assert!(full.to_string().contains("3 MB left"), "{full}");
    }
}
