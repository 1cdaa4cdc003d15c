//! Reads secrets from files that only their owner can read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

/// No secret is longer; a device or a log file named by mistake is.
const LONGEST: usize = 64 * 1024;

/// Why a secret could not be had. No text repeats any of its content.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// There is no such file.
    #[error("there is no secret file {}", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// Other users can read it.
    #[error("the secret file {} can be read by other users (mode {mode:04o})", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// The command that puts it right.
        remedy: String,
    },
    /// There is nothing in it.
    #[error("the secret file {} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is not UTF-8 text, or far too long for a secret.
    #[error("the secret file {} holds no text that could be a secret", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("could not read the secret file {}", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl SecretFileError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::NotFound { .. } => "check the path, and that you may enter its folder",
            Self::TooOpen { remedy, .. } => remedy,
            Self::Empty { .. } => "write the secret into it, without quotes",
            Self::NotText { .. } => "it must hold the secret as one line of UTF-8 text",
            Self::NotReadable { .. } => "name a file that you may read",
        }
    }
}

/// The content of a file without one line break at its end; nothing else is trimmed.
///
/// # Errors
/// Where the file is not there, empty, no text, or can be read by group or others.
pub fn read(path: &Path) -> Result<SecretString, SecretFileError> {
    one_line(&read_whole(path)?, path)
}

/// As [`read`], for a file that the platform itself guards, whatever its mode says.
///
/// # Errors
/// As [`read`], but for the mode.
pub fn read_guarded(path: &Path) -> Result<SecretString, SecretFileError> {
    one_line(&read_text(&mut open(path)?, path)?, path)
}

/// The whole text of a file that only its owner can read, in a buffer that is wiped.
///
/// # Errors
/// Where the file is not there, no text, or can be read by group or others.
pub fn read_whole(path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    let mut file = open(path)?;
    refuse_open_to_others(&file, path)?;
    read_text(&mut file, path)
}

/// The bytes of a file that only its owner can read, in a buffer that is wiped.
///
/// # Errors
/// Where the file is not there, far too long for a secret, or can be read by group or others.
pub fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let file = open(path)?;
    refuse_open_to_others(&file, path)?;
    whole_bytes(file, path)
}

/// As [`read_bytes`], for a file that the platform itself guards, whatever its mode says.
///
/// # Errors
/// As [`read_bytes`], but for the mode.
pub fn read_bytes_guarded(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    whole_bytes(open(path)?, path)
}

fn one_line(text: &str, path: &Path) -> Result<SecretString, SecretFileError> {
    let secret = without_line_break(text);
    if secret.is_empty() {
        return Err(SecretFileError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(SecretString::from(secret))
}

fn open(path: &Path) -> Result<File, SecretFileError> {
    File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SecretFileError::NotFound {
            path: path.to_owned(),
        },
        _ => not_readable(path, source),
    })
}

/// Looks at the opened file, so that nobody can put another in its place in between.
#[cfg(unix)]
fn refuse_open_to_others(file: &File, path: &Path) -> Result<(), SecretFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().map_err(|error| not_readable(path, error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretFileError::TooOpen {
            path: path.to_owned(),
            mode,
            remedy: format!("chmod 600 {}", path.display()),
        });
    }
    Ok(())
}

/// Elsewhere the folder's access control list guards its files.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can refuse on Unix")]
fn refuse_open_to_others(_file: &File, _path: &Path) -> Result<(), SecretFileError> {
    Ok(())
}

/// The whole text, in a buffer that never moves while it grows and is wiped when it is dropped.
fn read_text(file: &mut File, path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    let mut text = Zeroizing::new(String::with_capacity(LONGEST + 1));
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    match file.take(limit).read_to_string(&mut text) {
        Ok(length) if length <= LONGEST => Ok(text),
        Err(source) if source.kind() != io::ErrorKind::InvalidData => {
            Err(not_readable(path, source))
        }
        _ => Err(SecretFileError::NotText {
            path: path.to_owned(),
        }),
    }
}

fn whole_bytes(file: File, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    let length = file.take(limit).read_to_end(&mut bytes);
    match length.map_err(|source| not_readable(path, source))? {
        length if length <= LONGEST => Ok(bytes),
        _ => Err(not_readable(path, io::ErrorKind::FileTooLarge.into())),
    }
}

/// One line break, of either kind, and no more than one.
fn without_line_break(text: &str) -> &str {
    text.strip_suffix("\r\n")
        .or_else(|| text.strip_suffix('\n'))
        .unwrap_or(text)
}

fn not_readable(path: &Path, source: io::Error) -> SecretFileError {
    SecretFileError::NotReadable {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    /// A file for its owner only, as `tempfile` makes them.
    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    fn secret(content: &[u8]) -> Result<String, SecretFileError> {
        read(file(content).path()).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn exactly_one_line_break_at_the_end_is_not_part_of_the_secret() {
        for (content, expected) in [
            ("geheim", "geheim"),
            ("geheim\n", "geheim"),
            ("geheim\r\n", "geheim"),
            ("geheim\n\n", "geheim\n"),
            ("geheim\r", "geheim\r"),
            (" ge heim \n", " ge heim "),
            ("\"quoted\\ü😀\"\n", "\"quoted\\ü😀\""),
        ] {
            assert_eq!(secret(content.as_bytes()).unwrap(), expected, "{content:?}");
        }
    }

    #[test]
    fn a_file_without_a_secret_is_refused() {
        for content in ["", "\n", "\r\n"] {
            let error = secret(content.as_bytes()).unwrap_err();
            assert!(matches!(error, SecretFileError::Empty { .. }), "{error:?}");
        }
        let endless = vec![b'x'; LONGEST + 1];
        for content in [b"canary\xff".as_slice(), &endless] {
            let error = secret(content).unwrap_err();
            assert!(
                matches!(error, SecretFileError::NotText { .. }),
                "{error:?}"
            );
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        assert_eq!(secret(&endless[1..]).unwrap().len(), LONGEST);
    }

    #[test]
    fn a_missing_file_is_told_with_its_name() {
        let error = read(Path::new("/nowhere/secret")).unwrap_err();
        assert_eq!(error.to_string(), "there is no secret file /nowhere/secret");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_command_that_helps() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = file(b"geheim");
        let allow = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), permissions).unwrap();
        };
        for mode in [0o640, 0o604, 0o660, 0o777] {
            allow(mode);
            let error = read(file.path()).unwrap_err();
            assert!(
                matches!(error, SecretFileError::TooOpen { mode: told, .. } if told == mode),
                "{error:?}"
            );
            assert_eq!(error.hint(), format!("chmod 600 {}", file.path().display()));
        }
        allow(0o400);
        assert_eq!(read(file.path()).unwrap().expose_secret(), "geheim");
    }
}
