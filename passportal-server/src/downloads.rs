//! What the downloads page gives away: the files of a release in a folder, each with its checksum.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

/// The list of checksums that a release comes with, as `sha256sum` writes it.
const SUMS: &str = "SHA256SUMS";

/// The ends of names that a release has.
const KINDS: [&str; 5] = [".deb", ".tar.gz", ".zip", ".msi", ".exe"];

/// A file that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Download {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// Hex, computed from the file.
    pub(crate) sha256: String,
    pub(crate) standing: Checksum,
}

/// What the release's own list says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// The same.
    Listed,
    /// There is no list, or the file is not on it.
    NotListed,
    /// Something else: the file is damaged or not the release's, and is not given away.
    Differs,
}

/// What is known of a file until it changes: its length, its time, and its checksum.
type Known = (u64, Option<SystemTime>, String);

/// The folder.
#[derive(Debug)]
pub(crate) struct Downloads {
    folder: PathBuf,
    /// Computed once for each file and kept as long as it does not change.
    known: Mutex<HashMap<String, Known>>,
}

impl Downloads {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            known: Mutex::default(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files, by name. A folder that is not there has none. It reads files: not for an async thread.
    pub(crate) fn list(&self) -> io::Result<Vec<Download>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let sums = self.sums()?;
        let mut files = Vec::new();
        for entry in entries {
            let Ok(name) = entry?.file_name().into_string() else {
                continue;
            };
            if KINDS.iter().any(|kind| name.ends_with(kind)) {
                files.extend(self.look_at(name, &sums)?);
            }
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// Opens a file that is offered and as its list says.
    pub(crate) fn open(&self, name: &str) -> io::Result<Option<(Download, File)>> {
        let offered = self.list()?.into_iter().find(|file| file.name == name);
        match offered {
            Some(file) if file.standing != Checksum::Differs => {
                let open = File::open(self.folder.join(&file.name))?;
                Ok(Some((file, open)))
            }
            _ => Ok(None),
        }
    }

    fn look_at(
        &self,
        name: String,
        sums: &HashMap<String, String>,
    ) -> io::Result<Option<Download>> {
        let path = self.folder.join(&name);
        let about = match fs::metadata(&path) {
            // Removed this very moment, or a link that leads nowhere.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            about => about?,
        };
        if !about.is_file() {
            return Ok(None);
        }
        let (bytes, time) = (about.len(), about.modified().ok());
        let known = self
            .known(&name)
            .filter(|(b, t, _)| (*b, *t) == (bytes, time));
        let sha256 = match known {
            Some((_, _, sha256)) => sha256,
            None => self.compute(&name, &path, (bytes, time))?,
        };
        let standing = match sums.get(&name) {
            Some(listed) if *listed == sha256 => Checksum::Listed,
            Some(_) => Checksum::Differs,
            None => Checksum::NotListed,
        };
        Ok(Some(Download {
            name,
            bytes,
            sha256,
            standing,
        }))
    }

    fn known(&self, name: &str) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).cloned()
    }

    fn compute(
        &self,
        name: &str,
        path: &Path,
        (bytes, time): (u64, Option<SystemTime>),
    ) -> io::Result<String> {
        let sha256 = checksum(File::open(path)?)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), (bytes, time, sha256.clone()));
        Ok(sha256)
    }

    fn sums(&self) -> io::Result<HashMap<String, String>> {
        let text = match fs::read_to_string(self.folder.join(SUMS)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
            Err(error) => return Err(error),
        };
        let line = |line: &str| {
            let (sum, name) = line.split_once(' ')?;
            let name = name.trim_start_matches([' ', '*']).trim_start_matches("./");
            Some((name.to_owned(), sum.to_lowercase()))
        };
        Ok(text.lines().filter_map(line).collect())
    }
}

fn checksum(file: File) -> io::Result<String> {
    let mut reader = BufReader::new(file);
    let mut hash = Sha256::new();
    loop {
        let part = reader.fill_buf()?;
        if part.is_empty() {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(part);
        let read = part.len();
        reader.consume(read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Downloads) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let downloads = Downloads::new(dir.path().to_owned());
        (dir, downloads)
    }

    #[test]
    fn each_file_of_a_release_is_offered_with_its_checksum() {
        let sums = format!("{EMPTY}  a.deb\n{EMPTY} *./b.zip\n");
        let (_dir, downloads) = folder(&[
            ("a.deb", ""),
            ("b.zip", "not what the list says"),
            ("c.tar.gz", ""),
            ("server.key", "a secret"),
            (SUMS, &sums),
        ]);
        let list = downloads.list().unwrap();
        let list: Vec<_> = list
            .iter()
            .map(|it| (it.name.as_str(), it.standing))
            .collect();
        assert_eq!(
            list,
            [
                ("a.deb", Checksum::Listed),
                ("b.zip", Checksum::Differs),
                ("c.tar.gz", Checksum::NotListed),
            ]
        );
        assert!(downloads.open("a.deb").unwrap().is_some());
        for refused in ["b.zip", "server.key", "../a.deb", "d.deb", SUMS, ""] {
            assert!(downloads.open(refused).unwrap().is_none(), "{refused}");
        }
    }

    #[test]
    fn a_file_that_changed_is_summed_anew_and_no_folder_is_no_file() {
        let (dir, downloads) = folder(&[("a.deb", "")]);
        assert_eq!(downloads.list().unwrap()[0].sha256, EMPTY);
        fs::write(dir.path().join("a.deb"), "more").unwrap();
        assert_ne!(downloads.list().unwrap()[0].sha256, EMPTY);
        dir.close().unwrap();
        assert_eq!(downloads.list().unwrap(), []);
    }
}
