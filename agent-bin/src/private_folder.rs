//! Folders that only their owner may enter, and the one of the configuration.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

const OWNER_ONLY: u32 = 0o700;
#[cfg(unix)]
const READABLE: u32 = 0o755;

/// Makes a folder, and those above it, where they are missing; as root, for the owner of the first that is there.
/// What is there keeps its mode and its owner.
///
/// # Errors
/// When the system refuses.
pub fn make(folder: &Path) -> io::Result<()> {
    make_with(folder, OWNER_ONLY, give)
}

/// Makes the folder of a configuration, and those above it, where they are missing: whoever makes it, and with whatever
/// mask, the service's own user has to read it.
///
/// # Errors
/// When the system refuses.
#[cfg(unix)]
pub(crate) fn make_readable(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Mode, fchmod};
    make_with(folder, READABLE, |made| {
        Ok(fchmod(open(made)?, Mode::from_raw_mode(READABLE))?)
    })
}

/// On other systems memory and secrets stand in it, too.
#[cfg(not(unix))]
pub(crate) fn make_readable(folder: &Path) -> io::Result<()> {
    make(folder)
}

/// Does the rest to each folder that was made, from the outermost on.
fn make_with(folder: &Path, mode: u32, rest: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let missing = |it: &&Path| !it.as_os_str().is_empty() && !it.exists();
    let mut missing: Vec<&Path> = folder.ancestors().take_while(missing).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    #[cfg(not(unix))]
    let _ = mode;
    builder.create(folder)?;
    missing.reverse();
    missing.into_iter().try_for_each(rest)
}

/// A name may lead elsewhere by now.
#[cfg(unix)]
fn open(folder: &Path) -> io::Result<std::os::fd::OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(folder, flags, Mode::empty())?)
}

#[cfg(unix)]
fn give(folder: &Path) -> io::Result<()> {
    state_store::give_to_folder_owner(&open(folder)?.into(), folder)
}

/// What is made within it later inherits its list.
#[cfg(windows)]
fn give(folder: &Path) -> io::Result<()> {
    crate::access_list::only_for_its_owner(folder)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn every_folder_that_is_made_is_for_its_owner_only() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("agent");
        make(&inner.join("secrets")).unwrap();
        make(&inner).unwrap();
        for folder in [&inner, &inner.join("secrets")] {
            let mode = folder.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }

    #[test]
    fn the_folder_of_a_configuration_can_be_read_but_what_is_there_keeps_its_mode() {
        let outer = tempfile::tempdir().unwrap();
        let mode = |folder: &Path| folder.metadata().unwrap().permissions().mode() & 0o777;
        let private = outer.path().join("private");
        make(&private).unwrap();
        make_readable(&private.join("etc").join("agent")).unwrap();
        assert_eq!(mode(&private), 0o700);
        assert_eq!(mode(&private.join("etc")), 0o755);
        assert_eq!(mode(&private.join("etc").join("agent")), 0o755);
    }

    /// Only root can give folders away; for anybody else nothing changes.
    #[test]
    fn what_root_makes_belongs_to_the_owner_of_the_first_folder_that_was_there() {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let outer = tempfile::tempdir().unwrap();
        let own = outer.path().metadata().unwrap().uid();
        let owner = if own == 0 { 61_234 } else { own };
        chown(outer.path(), Some(owner), None).unwrap();
        let inner = outer.path().join("agent");
        make(&inner.join("secrets")).unwrap();
        for folder in [&inner, &inner.join("secrets")] {
            assert_eq!(folder.metadata().unwrap().uid(), owner);
        }
    }
}
