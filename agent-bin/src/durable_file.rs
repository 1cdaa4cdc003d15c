//! Replaces a file so that, whatever happens, either the old or the new content is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use state_store::give_to_folder_owner;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Its owner only.
    Owner,
    /// Everyone; only its owner writes it.
    Everyone,
}

/// Writes a new file beside `path`, waits until the disk has it, and then gives it the name.
pub(crate) fn replace(path: &Path, content: &[u8], audience: Audience) -> io::Result<()> {
    let temporary = beside(path);
    let written = write(&temporary, content, audience).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to tell; a file left behind is refused by nobody.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(path)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    PathBuf::from(name)
}

fn write(path: &Path, content: &[u8], audience: Audience) -> io::Result<()> {
    // One that a crash left behind may have another mode; it must not be written into.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create(path, audience)?;
    if audience == Audience::Owner {
        give_to_folder_owner(&file, path)?;
    }
    file.write_all(content)?;
    file.sync_all()
}

fn create(path: &Path, audience: Audience) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode(audience));
    let file = options.open(path)?;
    // The user's mask may have taken away what the service's own user needs.
    #[cfg(unix)]
    if audience == Audience::Everyone {
        let all = std::os::unix::fs::PermissionsExt::from_mode(mode(audience));
        file.set_permissions(all)?;
    }
    #[cfg(not(unix))]
    let _ = audience;
    Ok(file)
}

#[cfg(unix)]
fn mode(audience: Audience) -> u32 {
    match audience {
        Audience::Owner => 0o600,
        Audience::Everyone => 0o644,
    }
}

/// A rename is durable once its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Elsewhere a folder cannot be synced; the file's own record, which holds its name, can.
#[cfg(not(unix))]
fn sync_folder(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.sync_all()
}
