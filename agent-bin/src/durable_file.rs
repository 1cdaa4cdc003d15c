//! Replaces a file so that, whatever happens, either the old or the new content is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use state_store::give_to_folder_owner;

/// Nothing takes so long to be written.
const OVER: Duration = Duration::from_mins(1);

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
    sweep(path);
    sync_folder(path)
}

/// Removes what crashes left beside `path`: it may hold a secret that is in use. What cannot be removed now is left for
/// another time.
pub(crate) fn sweep(path: &Path) {
    let Some(folder) = path.parent() else {
        return;
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let left_behind = entries
        .map(|entry| entry.path())
        .filter(|it| is_beside(it, path) && is_over(it));
    for it in left_behind {
        let _ = fs::remove_file(it);
    }
}

/// As [`beside`] names it, in any process.
fn is_beside(it: &Path, path: &Path) -> bool {
    let names = it.file_name().zip(path.file_name());
    let names = names.map(|(it, name)| (it.to_string_lossy(), name.to_string_lossy()));
    names.is_some_and(|(it, name)| {
        let process = it.strip_prefix(&*name).and_then(|it| it.strip_prefix('.'));
        let process = process.and_then(|it| it.strip_suffix(".new"));
        process.is_some_and(|it| it.parse::<u32>().is_ok())
    })
}

fn is_over(file: &Path) -> bool {
    let written = fs::symlink_metadata(file).and_then(|it| it.modified());
    written.is_ok_and(|at| SystemTime::now().duration_since(at).unwrap_or_default() > OVER)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_left_behind_goes_and_what_another_process_writes_now_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.json");
        let long_ago = SystemTime::now() - OVER * 2;
        let put = |name: &str, at: SystemTime| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(at).unwrap();
        };
        put("client.json.4711.new", long_ago);
        put("client.json.4712.new", SystemTime::now());
        put("client.json.old.new", long_ago);
        put("other.json.4711.new", long_ago);

        replace(&path, b"new", Audience::Owner).unwrap();

        let entries = fs::read_dir(folder.path()).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(
            names,
            [
                "client.json",
                "client.json.4712.new",
                "client.json.old.new",
                "other.json.4711.new"
            ]
        );
    }
}
