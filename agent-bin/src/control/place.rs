//! Where the agent's local socket is: both sides derive it from the configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use interprocess::local_socket::{GenericFilePath, Name, ToFsName as _};
use sha2::{Digest as _, Sha256};
use state_store::database_path;

use super::ControlError;
use crate::config::Config;
#[cfg(unix)]
use crate::secrets::SecretFiles;

/// The room for a path in `sockaddr_un`, without the NUL at its end.
#[cfg(target_os = "linux")]
const LONGEST: usize = 107;
#[cfg(all(unix, not(target_os = "linux")))]
const LONGEST: usize = 103;
/// Source: Microsoft, `CreateNamedPipe`: the whole name has at most 256 characters.
#[cfg(windows)]
const LONGEST: usize = 256;

/// The local socket of one agent: a file on Unix, the name of a pipe on Windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// The socket of the agent with this configuration: one for each memory, as only one agent works
    /// with a memory at a time.
    ///
    /// # Errors
    /// [`ControlError::TooLong`].
    pub fn of(config: &Config) -> Result<Self, ControlError> {
        Self::checked(locate(&config.state.url))
    }

    fn checked(path: PathBuf) -> Result<Self, ControlError> {
        let length = path.as_os_str().len();
        if length > LONGEST {
            return Err(ControlError::TooLong {
                place: Self(path),
                length,
                most: LONGEST,
            });
        }
        Ok(Self(path))
    }

    /// The file, or the pipe's name as a path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn name(&self) -> std::io::Result<Name<'_>> {
        self.0.as_path().to_fs_name::<GenericFilePath>()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// Beside a state file; for any other memory in the folder of the agent's secrets, told apart by the
/// memory's url.
#[cfg(unix)]
fn locate(state_url: &str) -> PathBuf {
    match database_path(state_url) {
        Ok(file) if file.extension().is_some_and(|it| it == "db") => file.with_extension("sock"),
        Ok(file) => {
            let mut name = file.into_os_string();
            name.push(".sock");
            PathBuf::from(name)
        }
        Err(_) => {
            let name = format!("agent-{}.sock", digest(state_url.as_bytes()));
            SecretFiles::beside(state_url).folder().join(name)
        }
    }
}

/// Pipes have names of their own; the memory's place is part of it.
#[cfg(windows)]
fn locate(state_url: &str) -> PathBuf {
    let whole = database_path(state_url)
        .ok()
        .and_then(|file| std::path::absolute(file).ok())
        .map_or_else(
            || state_url.to_owned(),
            |file| file.to_string_lossy().to_lowercase(),
        );
    PathBuf::from(format!(
        r"\\.\pipe\passportal-agent-{}",
        digest(whole.as_bytes())
    ))
}

/// Short, and the same in every version of the program.
fn digest(bytes: &[u8]) -> String {
    let whole = hex::encode(Sha256::digest(bytes));
    whole.chars().take(16).collect()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_beside_the_state_file() {
        let place = |url: &str| locate(url).display().to_string();
        assert_eq!(
            place("sqlite:///var/lib/passportal-agent/state.db"),
            "/var/lib/passportal-agent/state.sock"
        );
        assert_eq!(place("sqlite:///data/memory"), "/data/memory.sock");
        assert_eq!(place("sqlite:state.sqlite"), "state.sqlite.sock");
    }

    #[test]
    fn without_a_state_file_it_stands_among_the_secrets_one_for_each_memory() {
        let [one, other] = ["postgres://db/one", "postgres://db/other"].map(locate);
        assert_ne!(one, other);
        assert_eq!(one, locate("postgres://db/one"));
        assert!(
            one.starts_with("/var/lib/passportal-agent/secrets"),
            "{one:?}"
        );
        assert!(Place::checked(one).is_ok());
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_told_with_its_length() {
        let long = format!("sqlite:///{}/state.db", "d".repeat(LONGEST));
        let error = Place::checked(locate(&long)).unwrap_err();
        assert!(matches!(error, ControlError::TooLong { .. }), "{error}");
        assert!(error.to_string().contains(&format!("at most {LONGEST}")));
        assert!(error.hint().contains("shorter path"));
    }
}
