//! Folders that only their owner may enter.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes a folder, and those above it, where they are missing. What is there keeps its mode.
///
/// # Errors
/// When the system refuses.
pub fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
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
}
