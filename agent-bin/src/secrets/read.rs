//! Reads secrets from files that only the service can read.

use std::path::{Component, Path, PathBuf};

use passportal_client::secret_file::{self, SecretFileError};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::SecretError;
use crate::config::ClientConfig;
use crate::durable_file::{self, Audience};
use crate::private_folder;

/// The folder whose files the unit loads as credentials `secrets_FILE`: only root reads them there.
const LOADED_FOLDER: &str = "/etc/passportal-agent/secrets";

/// Where secrets may come from.
#[derive(Clone, Debug, Default)]
pub struct SecretSources {
    credentials: Option<PathBuf>,
}

/// Reads a secret from a file, looking at `$CREDENTIALS_DIRECTORY` of this process.
///
/// # Errors
/// See [`SecretSources::read`].
pub fn read_secret_file(path: &Path) -> Result<SecretString, SecretError> {
    SecretSources::from_env().read(path)
}

/// Writes a secret that is new on this machine into a file for its owner only.
pub(crate) fn write(path: &Path, secret: &SecretString) -> Result<(), SecretError> {
    let not_writable = |source| SecretError::NotWritable {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        private_folder::make(folder).map_err(not_writable)?;
    }
    durable_file::replace(path, secret.expose_secret().as_bytes(), Audience::Owner)
        .map_err(not_writable)
}

impl SecretSources {
    /// The credentials that systemd gave to this service, if it did.
    pub fn from_env() -> Self {
        Self::new(std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from))
    }

    /// With this credentials directory.
    pub fn new(credentials: Option<PathBuf>) -> Self {
        Self { credentials }
    }

    /// The content of a file without one line break at its end; nothing else is trimmed.
    ///
    /// # Errors
    /// Where the file is not there, empty, no text, or can be read by group or others, unless the
    /// platform itself guards it in the credentials directory.
    pub fn read(&self, path: &Path) -> Result<SecretString, SecretError> {
        let path = self.place(path);
        let read = if self.is_guarded(&path) {
            secret_file::read_guarded
        } else {
            secret_file::read
        };
        read(&path).map_err(|source| self.not_read(&path, source))
    }

    /// The bytes of a file that holds a key or a certificate, in a buffer that is wiped.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_bytes(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let path = self.place(path);
        let read = if self.is_guarded(&path) {
            secret_file::read_bytes_guarded
        } else {
            secret_file::read_bytes
        };
        read(&path).map_err(|source| self.not_read(&path, source))
    }

    /// The secret with which a client's application signs in: its `client_secret_file`, else the
    /// platform's credential `CLIENT-client-secret`.
    pub fn client_secret(&self, client: &ClientConfig) -> Result<SecretString, SecretError> {
        if let Some(path) = &client.microsoft.client_secret_file {
            return self.read(path);
        }
        let missing = || SecretError::NoClientSecret {
            client: client.name.clone(),
        };
        let path = self.credential(&client.name).ok_or_else(missing)?;
        match self.read(&path) {
            Err(SecretError::File(SecretFileError::NotFound { .. })) => Err(missing()),
            answer => answer,
        }
    }

    /// `None` without a credentials directory, and for a name that would lead out of it.
    pub(crate) fn credential(&self, client: &str) -> Option<PathBuf> {
        let name = format!("{client}-client-secret");
        let mut parts = Path::new(&name).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(_)), None) => Some(self.credentials.as_ref()?.join(name)),
            _ => None,
        }
    }

    /// Where systemd has put a file of the loaded folder, if it did; else the path itself.
    /// Source: `systemd.exec(5)`, `LoadCredential=` of a folder.
    pub(crate) fn place(&self, path: &Path) -> PathBuf {
        let file = path.strip_prefix(LOADED_FOLDER).ok();
        let name = file.map(|file| format!("secrets_{}", file.display()));
        let loaded = self.credentials.as_ref().zip(name);
        let loaded = loaded.map(|(folder, name)| folder.join(name));
        loaded
            .filter(|it| it.is_file())
            .unwrap_or_else(|| path.to_owned())
    }

    /// Without its cause a service would seem to need what it must not have: root's rights.
    fn not_read(&self, path: &Path, source: SecretFileError) -> SecretError {
        let is_hidden = matches!(
            source,
            SecretFileError::NotFound { .. } | SecretFileError::NotReadable { .. }
        );
        if is_hidden && self.credentials.is_some() && path.starts_with(LOADED_FOLDER) {
            let path = path.to_owned();
            return SecretError::NotLoaded { path, source };
        }
        source.into()
    }

    fn is_guarded(&self, path: &Path) -> bool {
        let inside = |folder: &PathBuf| {
            let (Ok(folder), Ok(path)) = (folder.canonicalize(), path.canonicalize()) else {
                return false;
            };
            path.starts_with(folder)
        };
        self.credentials.as_ref().is_some_and(inside)
    }
}

#[cfg(test)]
mod tests {
    use sync_engine::model::TenantId;

    use super::*;
    use crate::config::{Cloud, MicrosoftConfig, SignIn};

    fn file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
        let path = folder.path().join(name);
        durable_file::replace(&path, content, Audience::Owner).unwrap();
        path
    }

    fn client(name: &str, client_secret_file: Option<PathBuf>) -> ClientConfig {
        ClientConfig {
            name: name.to_owned(),
            microsoft: MicrosoftConfig {
                tenant: TenantId("contoso.com".to_owned()),
                cloud: Cloud::Global,
                sign_in: SignIn::ClientSecret,
                client_id: Some("app".to_owned()),
                verification_client_id: None,
                certificate: None,
                certificate_password_file: None,
                federated_token_file: None,
                administrator: None,
                client_secret_file,
                authority: None,
                graph: None,
            },
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_unless_the_platform_guards_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = file(&folder, "secret", b"geheim");
        for mode in [0o640, 0o604, 0o660, 0o777] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = SecretSources::new(None).read(&path).unwrap_err();
            assert!(
                matches!(error, SecretError::File(SecretFileError::TooOpen { .. })),
                "{mode:o}"
            );
            assert_eq!(error.hint(), format!("chmod 600 {}", path.display()));
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let other = SecretSources::new(Some(elsewhere.path().to_owned()));
        assert!(matches!(
            other.read(&path),
            Err(SecretError::File(SecretFileError::TooOpen { .. }))
        ));

        let guarded = SecretSources::new(Some(folder.path().to_owned()));
        assert_eq!(guarded.read(&path).unwrap().expose_secret(), "geheim");
    }

    #[test]
    fn the_configured_file_comes_before_the_platforms_credential() {
        let folder = tempfile::tempdir().unwrap();
        let own = file(&folder, "own", b"from the file");
        file(&folder, "Contoso Ltd-client-secret", b"from the platform");
        let sources = SecretSources::new(Some(folder.path().to_owned()));
        let secret = |client| sources.client_secret(&client).unwrap();

        assert_eq!(
            secret(client("Contoso Ltd", Some(own))).expose_secret(),
            "from the file"
        );
        assert_eq!(
            secret(client("Contoso Ltd", None)).expose_secret(),
            "from the platform"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_only_root_reads_is_read_where_systemd_has_put_it() {
        let folder = tempfile::tempdir().unwrap();
        file(&folder, "secrets_contoso.pem", b"from the platform");
        let named = Path::new(LOADED_FOLDER).join("contoso.pem");
        let sources = SecretSources::new(Some(folder.path().to_owned()));
        let secret = sources.read(&named).unwrap();
        assert_eq!(secret.expose_secret(), "from the platform");
        assert_eq!(&**sources.read_bytes(&named).unwrap(), b"from the platform");
        let other = named.with_file_name("fabrikam.pem");
        let of_service = sources.read(&other).unwrap_err();
        assert!(
            of_service.hint().contains("systemctl restart"),
            "{of_service}"
        );
        let of_person = SecretSources::new(None).read(&other).unwrap_err();
        assert!(!of_person.hint().contains("systemctl"), "{of_person}");
        for error in [of_service, of_person] {
            let told = error.to_string();
            assert!(told.contains("secrets/fabrikam.pem"), "{told}");
        }
    }

    #[test]
    fn without_a_client_secret_the_error_says_where_one_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let none = SecretSources::new(None);
        let empty = SecretSources::new(Some(folder.path().to_owned()));
        for sources in [none, empty] {
            let error = sources.client_secret(&client("Contoso", None)).unwrap_err();
            assert!(
                matches!(error, SecretError::NoClientSecret { .. }),
                "{error:?}"
            );
            assert!(error.hint().contains("client_secret_file"));
        }
    }

    #[test]
    fn a_client_name_never_leads_out_of_the_credentials_directory() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        file(&folder, "x-client-secret", b"not for you");
        let sources = SecretSources::new(Some(inner));
        for name in ["../x", "/x"] {
            let error = sources.client_secret(&client(name, None)).unwrap_err();
            assert!(
                matches!(error, SecretError::NoClientSecret { .. }),
                "{error:?}"
            );
        }
    }
}
