//! How the files of the secrets folder lie on the disk: on Windows protected by a key of the machine's (DPAPI).

use std::io;
use std::path::Path;

use passportal_client::secret_file;
use zeroize::Zeroizing;

use super::SecretError;
use crate::durable_file::{self, Audience};

/// Keeps a secret text in a file for its owner only, in place of an earlier one.
#[cfg(not(windows))]
pub(super) fn write(path: &Path, clear: &[u8]) -> io::Result<()> {
    durable_file::replace(path, clear, Audience::Owner)
}

/// Keeps a secret text in a file, in place of an earlier one. With the machine's key, not the account's: an administrator sets up what
/// the service's own account then uses.
#[cfg(windows)]
pub(super) fn write(path: &Path, clear: &[u8]) -> io::Result<()> {
    use windows_dpapi::{Scope, encrypt_data};

    let protected = encrypt_data(clear, Scope::Machine, None).map_err(io::Error::other)?;
    durable_file::replace(path, &protected, Audience::Owner)
}

/// The text that [`write`] kept.
#[cfg(not(windows))]
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    Ok(secret_file::read_whole(path)?)
}

/// The text that [`write`] kept, on this machine.
#[cfg(windows)]
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    use windows_dpapi::{Scope, decrypt_data};

    let protected = secret_file::read_bytes(path)?;
    let locked = |source| SecretError::Locked {
        path: path.to_owned(),
        source,
    };
    let clear = decrypt_data(&protected, Scope::Machine, None)
        .map(Zeroizing::new)
        .map_err(|error| locked(io::Error::other(error)))?;
    let text =
        std::str::from_utf8(&clear).map_err(|_| locked(io::ErrorKind::InvalidData.into()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAR: &str = "{\"token\": \"canary\"}";

    #[test]
    fn a_secret_comes_back_as_it_was_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, CLEAR.as_bytes()).unwrap();
        assert_eq!(*read(&path).unwrap(), CLEAR);
    }

    #[cfg(windows)]
    #[test]
    fn the_file_shows_nothing_of_it_and_what_the_machine_did_not_protect_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, CLEAR.as_bytes()).unwrap();
        let kept = std::fs::read(&path).unwrap();
        let holds = |word: &[u8]| kept.windows(word.len()).any(|part| part == word);
        assert!(!holds(b"canary"));

        std::fs::write(&path, CLEAR).unwrap();
        let error = read(&path).unwrap_err();
        assert!(matches!(error, SecretError::Locked { .. }), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}
