//! What root makes in a folder of the service's user belongs to that user.

use std::fs::File;
use std::io;
use std::path::Path;

/// Gives what this process has just made as root to the owner of the folder that it stands in: commands run as
/// root, the service does not, and it must be able to use what they leave behind.
///
/// # Errors
/// When the system refuses.
#[cfg(unix)]
pub fn give_to_folder_owner(made: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.metadata()?,
        _ => Path::new(".").metadata()?,
    };
    if made.metadata()?.uid() == 0 && folder.uid() != 0 {
        fchown(made, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

/// Elsewhere a folder's access list is inherited.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn give_to_folder_owner(_made: &File, _path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, chown};

    /// Only root can give files away; for anybody else nothing changes.
    #[test]
    fn what_root_makes_belongs_to_the_folders_owner() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().metadata().unwrap().uid();
        let owner = if own == 0 { 61_234 } else { own };
        chown(folder.path(), Some(owner), Some(own)).unwrap();
        let path = folder.path().join("secret");
        let made = File::create(&path).unwrap();
        give_to_folder_owner(&made, &path).unwrap();
        assert_eq!(path.metadata().unwrap().uid(), owner);
    }
}
