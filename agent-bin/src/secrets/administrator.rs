//! The administrator whom the agent acts for in one tenant, and what is left of the sign-in: sealed, in a file of its own.

use std::fmt;
use std::path::PathBuf;

use passportal_client::envelope::{DataKey, Purpose};
use passportal_client::secret_file::SecretFileError;
use passportal_client::wire::SealedText;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sync_engine::model::{ClientId, ObjectId, UserPrincipalName};
use zeroize::{Zeroize, Zeroizing};

use super::{SecretError, SecretFiles, at_rest};
use crate::private_folder;

const SUFFIX: &str = ".administrator.sealed";

/// The administrator whom the agent acts for.
#[derive(Clone)]
pub struct Administrator {
    /// Its user name, when it signed in.
    pub user_name: UserPrincipalName,
    /// Its object id.
    pub object: ObjectId,
    /// The current refresh token.
    pub refresh_token: SecretString,
}

impl Administrator {
    /// Everything, as text, for a place that is sealed.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let stored = Zeroizing::new(Stored::from(self));
        Zeroizing::new(serde_json::to_string(&*stored).unwrap_or_default())
    }

    /// From [`to_text`](Self::to_text)'s text.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        Some(Zeroizing::new(stored).administrator())
    }
}

impl fmt::Debug for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Administrator")
            .field("object", &self.object)
            .finish_non_exhaustive()
    }
}

impl SecretFiles {
    /// The administrator of the client that this data key belongs to.
    pub fn load_administrator(&self, key: &DataKey) -> Result<Administrator, SecretError> {
        let path = self.administrator_path(ClientId(key.client()));
        let text = at_rest::read(&path).map_err(|error| match error {
            SecretError::File(SecretFileError::NotFound { .. }) => {
                SecretError::NoAdministrator { path: path.clone() }
            }
            error => error,
        })?;
        let sealed = SealedText(text.trim_end().to_owned());
        let clear = key
            .open_local(Purpose::Administrator, &sealed)
            .map_err(|source| SecretError::AdministratorDamaged {
                path: path.clone(),
                source: Some(source),
            })?;
        // The parser's own message may repeat a value.
        let stored: Stored = serde_json::from_str(clear.expose_secret())
            .map_err(|_| SecretError::AdministratorDamaged { path, source: None })?;
        Ok(Zeroizing::new(stored).administrator())
    }

    /// Keeps the administrator of the client that this data key belongs to, in place of an earlier one.
    pub fn save_administrator(
        &self,
        key: &DataKey,
        administrator: &Administrator,
    ) -> Result<(), SecretError> {
        let path = self.administrator_path(ClientId(key.client()));
        let not_writable = |source| SecretError::NotWritable {
            path: path.clone(),
            source,
        };
        let stored = Zeroizing::new(Stored::from(administrator));
        let clear = serde_json::to_string(&*stored).map_err(|error| not_writable(error.into()))?;
        let sealed = key.seal_local(Purpose::Administrator, &SecretString::from(clear));
        private_folder::make(self.folder()).map_err(not_writable)?;
        at_rest::write(&path, sealed.0.as_bytes()).map_err(not_writable)
    }

    pub(super) fn administrator_path(&self, client: ClientId) -> PathBuf {
        self.folder().join(format!("{client}{SUFFIX}"))
    }
}

/// Inside the envelope.
#[derive(Serialize, Deserialize, Zeroize)]
struct Stored {
    user_name: String,
    #[zeroize(skip)]
    object: ObjectId,
    refresh_token: String,
}

impl Stored {
    fn administrator(&self) -> Administrator {
        Administrator {
            user_name: UserPrincipalName::new(&self.user_name),
            object: self.object,
            refresh_token: SecretString::from(self.refresh_token.as_str()),
        }
    }
}

impl From<&Administrator> for Stored {
    fn from(administrator: &Administrator) -> Self {
        Self {
            user_name: administrator.user_name.as_str().to_owned(),
            object: administrator.object,
            refresh_token: administrator.refresh_token.expose_secret().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use passportal_client::envelope::EnvelopeError;
    use uuid::Uuid;

    use super::*;

    const TOKEN: &str = "1.refresh-canary";

    fn administrator() -> Administrator {
        Administrator {
            user_name: UserPrincipalName::new("Admin@contoso.com"),
            object: ObjectId(Uuid::from_u128(7)),
            refresh_token: SecretString::from(TOKEN),
        }
    }

    fn key(client: u128) -> DataKey {
        DataKey::generate(Uuid::from_u128(100), Uuid::from_u128(client))
    }

    fn files() -> (tempfile::TempDir, SecretFiles) {
        let folder = tempfile::tempdir().unwrap();
        let files = SecretFiles::at(folder.path().join("secrets"));
        (folder, files)
    }

    #[test]
    fn an_administrator_comes_back_as_it_was_kept_and_the_file_tells_nothing_of_it() {
        let (_folder, files) = files();
        let key = key(1);
        files.save_administrator(&key, &administrator()).unwrap();
        let back = files.load_administrator(&key).unwrap();
        assert_eq!(back.user_name, administrator().user_name);
        assert_eq!(back.object, administrator().object);
        assert_eq!(back.refresh_token.expose_secret(), TOKEN);

        let path = files.administrator_path(ClientId(key.client()));
        let kept = std::fs::read(&path).unwrap();
        let kept = String::from_utf8_lossy(&kept);
        assert!(!kept.contains("canary") && !kept.contains("contoso"));
        assert!(!format!("{back:?}").contains("canary"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_missing_or_damaged_file_says_so_and_what_to_do() {
        let (_folder, files) = files();
        let key = key(1);
        let missing = files.load_administrator(&key).unwrap_err();
        assert!(matches!(missing, SecretError::NoAdministrator { .. }));
        assert!(missing.hint().contains("passportal sign-in"));

        files.save_administrator(&key, &administrator()).unwrap();
        let path = files.administrator_path(ClientId(key.client()));
        let kept = at_rest::read(&path).unwrap();
        for damaged in [&kept[..kept.len() - 4], "nonsense!", "e30"] {
            at_rest::write(&path, damaged.as_bytes()).unwrap();
            let error = files.load_administrator(&key).unwrap_err();
            assert!(
                matches!(error, SecretError::AdministratorDamaged { .. }),
                "{error:?}"
            );
            assert!(error.hint().contains("passportal sign-in"));
        }
    }

    #[test]
    fn another_clients_file_does_not_open() {
        let (_folder, files) = files();
        let (own, other) = (key(1), key(2));
        files.save_administrator(&other, &administrator()).unwrap();
        let path = |key: &DataKey| files.administrator_path(ClientId(key.client()));
        std::fs::rename(path(&other), path(&own)).unwrap();
        assert!(matches!(
            files.load_administrator(&own).unwrap_err(),
            SecretError::AdministratorDamaged {
                source: Some(EnvelopeError::OtherKey { .. }),
                ..
            }
        ));
    }

    #[test]
    fn a_client_that_is_forgotten_leaves_no_administrator() {
        let (_folder, files) = files();
        let key = key(1);
        files.save_administrator(&key, &administrator()).unwrap();
        files.remove(ClientId(key.client())).unwrap();
        assert!(matches!(
            files.load_administrator(&key),
            Err(SecretError::NoAdministrator { .. })
        ));
    }
}
