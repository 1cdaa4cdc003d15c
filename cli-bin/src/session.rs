//! A person's session with the vault, kept in a file that only they can read.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use jiff::Timestamp;
use passportal_client::{HttpConfig, PersonSession, SessionDetails};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use uuid::Uuid;

/// Names another session file, where the command line does not.
pub(crate) const FILE_VARIABLE: &str = "PASSPORTAL_SESSION_FILE";

/// Why there is no session to work with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("nobody is signed in to the vault")]
    NotSignedIn,
    #[error("the session with the vault ended at {ended}")]
    Expired { ended: Timestamp },
    #[error("the session file {} cannot be read", path.display())]
    NotReadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the session file {} is damaged", path.display())]
    Damaged { path: PathBuf },
    #[error("the session file {} cannot be written", path.display())]
    NotWritable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("this account has no home folder for a session file")]
    NoFolder,
}

impl SessionError {
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NotSignedIn | Self::Expired { .. } | Self::Damaged { .. } => {
                "sign in with `passportal login`"
            }
            Self::NotReadable { .. } | Self::NotWritable { .. } | Self::NoFolder => {
                "name another file with --session FILE"
            }
        }
    }
}

/// What is kept of a session. It may edit passwords, but opens none: the organization key is not in it.
#[derive(Serialize, Deserialize)]
struct Kept {
    base_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra_ca: Option<PathBuf>,
    organization: Uuid,
    organization_name: String,
    expires: Timestamp,
    token: String,
}

/// Where the session is kept: the option, the environment, or the user's configuration folder.
pub(crate) fn file(option: Option<&Path>) -> Result<PathBuf, SessionError> {
    if let Some(path) = option {
        return Ok(path.to_owned());
    }
    if let Some(path) = env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    ProjectDirs::from("", "", "passportal")
        .map(|folders| folders.config_dir().join("session.json"))
        .ok_or(SessionError::NoFolder)
}

/// Keeps a new session, in place of an older one.
pub(crate) fn keep(
    path: &Path,
    http: &HttpConfig,
    extra_ca: Option<PathBuf>,
    person: &PersonSession,
    details: &SessionDetails,
) -> Result<(), SessionError> {
    let kept = Kept {
        base_url: http.base_url().to_string(),
        extra_ca,
        organization: details.organization,
        organization_name: details.organization_name.clone(),
        expires: details.expires,
        token: person.token().expose_secret().to_owned(),
    };
    write(path, &kept).map_err(|source| SessionError::NotWritable {
        path: path.to_owned(),
        source,
    })
}

/// Takes the session up again.
pub(crate) fn resume(option: Option<&Path>) -> anyhow::Result<PersonSession> {
    let kept = load(&file(option)?, Timestamp::now())?;
    let http = http_config(&kept.base_url, kept.extra_ca.as_deref())?;
    let token = SecretString::from(kept.token);
    Ok(PersonSession::from_token(&http, token)?)
}

/// How to reach the vault.
pub(crate) fn http_config(base_url: &str, extra_ca: Option<&Path>) -> anyhow::Result<HttpConfig> {
    let config = HttpConfig::new(base_url)?;
    let Some(path) = extra_ca else {
        return Ok(config);
    };
    let pem = fs::read(path).map_err(|error| {
        let what = format!(
            "could not read the certificates in {}: {error}",
            path.display()
        );
        crate::failure::Refusal::new(what, "--extra-ca takes a file of PEM certificates")
    })?;
    Ok(config.with_extra_ca(pem))
}

fn load(path: &Path, now: Timestamp) -> Result<Kept, SessionError> {
    let text = fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SessionError::NotSignedIn,
        _ => SessionError::NotReadable {
            path: path.to_owned(),
            source,
        },
    })?;
    // Not the error's own text: it may quote the token.
    let kept: Kept = serde_json::from_slice(&text).map_err(|_| SessionError::Damaged {
        path: path.to_owned(),
    })?;
    if kept.expires <= now {
        return Err(SessionError::Expired {
            ended: kept.expires,
        });
    }
    Ok(kept)
}

/// A temporary file is made for its owner only (0600 on Unix), and then takes the name.
fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, kept)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(expires: i64) -> Kept {
        Kept {
            base_url: "https://vault.example/".into(),
            extra_ca: None,
            organization: Uuid::from_u128(1),
            organization_name: "Northwind".into(),
            expires: Timestamp::from_second(expires).unwrap(),
            token: "canary-8fa1".into(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_kept_session_is_found_again_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("session.json");
        write(&path, &kept(1000)).unwrap();
        assert_eq!(load(&path, at(999)).unwrap().token, "canary-8fa1");
        assert!(matches!(
            load(&path, at(1000)),
            Err(SessionError::Expired { .. })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_a_session_file_also_when_it_was_open_before() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, &kept(1000)).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn without_a_file_nobody_is_signed_in_and_a_damaged_one_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.json");
        assert!(matches!(load(&path, at(0)), Err(SessionError::NotSignedIn)));
        fs::write(&path, r#"{"token":"canary-8fa1""#).unwrap();
        let error = load(&path, at(0)).map(|_| ()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
