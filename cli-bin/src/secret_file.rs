//! Reads secrets from files or standard input: never from arguments, never from the environment.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use passportal_client::password_rule::{self, PasswordRefusal};
use secrecy::SecretString;
use sync_engine::model::Password;
use zeroize::Zeroizing;

/// A secret is short; whatever is longer is the wrong file.
const LARGEST_FILE: u64 = 64 * 1024;
const STANDARD_INPUT: &str = "-";

/// Why a secret cannot be used. None of these tells anything of the secret itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFileError {
    #[error("could not read the secret from {name}")]
    Read {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("{name} holds more than a secret")]
    TooLarge { name: String },
    #[error("{name} is not UTF-8 text")]
    NotText { name: String },
    #[error("{name} is empty")]
    Empty { name: String },
    #[error("this password is refused")]
    Password(#[from] PasswordRefusal),
}

impl SecretFileError {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "name a file that you may read, or `-` for standard input",
            Self::TooLarge { .. } | Self::NotText { .. } | Self::Empty { .. } => {
                "the file must hold the secret and nothing else; one line break at its end is left out"
            }
            Self::Password(_) => "choose another password; nothing was changed",
        }
    }
}

/// A secret: the file's text without one line break at its end.
pub(crate) fn read(path: &Path) -> Result<SecretString, SecretFileError> {
    let text = read_text(path)?;
    Ok(SecretString::from(text.as_str()))
}

/// A password to be stored: as [`read`], and held against the vault's rules. What passes is carried
/// exactly as it is.
pub(crate) fn read_password(path: &Path) -> Result<Password, SecretFileError> {
    let text = read_text(path)?;
    password_rule::check(&text)?;
    Ok(Password::new(text.as_str()))
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, SecretFileError> {
    if path == Path::new(STANDARD_INPUT) {
        return from_reader(io::stdin().lock(), "standard input");
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| SecretFileError::Read {
        name: name.clone(),
        source,
    })?;
    from_reader(file, &name)
}

fn from_reader(reader: impl Read, name: &str) -> Result<Zeroizing<String>, SecretFileError> {
    let name = || name.to_owned();
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    reader
        .take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| SecretFileError::Read {
            name: name(),
            source,
        })?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(SecretFileError::TooLarge { name: name() });
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| SecretFileError::NotText { name: name() })
        .map(without_line_break)?;
    if text.is_empty() {
        return Err(SecretFileError::Empty { name: name() });
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// One line break, of either kind, and no more than one.
fn without_line_break(text: &str) -> &str {
    text.strip_suffix("\r\n")
        .or_else(|| text.strip_suffix('\n'))
        .unwrap_or(text)
}

/// Where a file really is, so that it is found again from another folder.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(content: &str) -> Result<String, SecretFileError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        read_password(file.path()).map(|password| password.expose().to_owned())
    }

    #[test]
    fn a_password_is_the_files_text_without_one_line_break() {
        assert_eq!(password("Hunter2!\n").unwrap(), "Hunter2!");
        assert_eq!(password("Hunter2!\r\n").unwrap(), "Hunter2!");
        assert_eq!(password("Hunter2!\n\n").unwrap(), "Hunter2!\n");
        assert_eq!(password("Hunter2!").unwrap(), "Hunter2!");
    }

    #[test]
    fn whatever_passes_is_carried_exactly() {
        for exact in [
            "trailing space ",
            "tab\tinside",
            r#"quote"apostrophe'and\backslash"#,
            "emoji 🔑🦀 and ümlaut",
            "$HOME `id` %PATH% <b>&amp;",
            "e\u{301} is not é",
            &"x".repeat(256),
            &"🔑".repeat(256),
        ] {
            assert_eq!(password(&format!("{exact}\n")).unwrap(), exact);
        }
    }

    #[test]
    fn an_empty_password_is_refused() {
        for empty in ["", "\n", "\r\n"] {
            assert!(matches!(
                password(empty),
                Err(SecretFileError::Empty { .. })
            ));
        }
    }

    #[test]
    fn a_leading_space_and_a_great_length_are_refused() {
        for space in [" ", "\t", "\n", "\u{a0}"] {
            assert!(matches!(
                password(&format!("{space}Hunter2!")),
                Err(SecretFileError::Password(
                    PasswordRefusal::LeadingWhiteSpace
                ))
            ));
        }
        assert!(matches!(
            password(&"x".repeat(257)),
            Err(SecretFileError::Password(PasswordRefusal::TooLong))
        ));
        assert!(matches!(
            password(&"🔑".repeat(300)),
            Err(SecretFileError::Password(PasswordRefusal::TooLong))
        ));
    }

    #[test]
    fn an_organization_key_may_begin_with_a_space() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " key \n").unwrap();
        let key = read(file.path()).unwrap();
        assert_eq!(secrecy::ExposeSecret::expose_secret(&key), " key ");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_showing_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"canary\xff").unwrap();
        let error = read(file.path()).unwrap_err();
        assert!(matches!(error, SecretFileError::NotText { .. }));
        assert!(!format!("{error} {error:?}").contains("canary"));
        std::fs::write(file.path(), vec![b'x'; 70_000]).unwrap();
        assert!(matches!(
            read(file.path()),
            Err(SecretFileError::TooLarge { .. })
        ));
    }
}
