//! Folders that only their owner may enter.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes a folder, and those above it, where they are missing; as root, for the owner of the first that is there.
/// What is there keeps its mode and its owner.
///
/// # Errors
/// When the system refuses.
pub fn make(folder: &Path) -> io::Result<()> {
    let missing = |it: &&Path| !it.as_os_str().is_empty() && !it.exists();
    let mut missing: Vec<&Path> = folder.ancestors().take_while(missing).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    missing.reverse();
    missing.into_iter().try_for_each(give)
}

/// Through the open folder: a name may lead elsewhere by now.
#[cfg(unix)]
fn give(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = open(folder, flags, Mode::empty())?;
    state_store::give_to_folder_owner(&made.into(), folder)
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
