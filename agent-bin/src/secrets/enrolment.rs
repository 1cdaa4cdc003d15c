//! What enrolment leaves on this machine: one file a client, which only the agent can read.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use passportal_client::envelope::{DataKey, EnvelopeError};
use passportal_client::secret_file::SecretFileError;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use state_store::database_path;
use sync_engine::model::{ClientId, OrganizationId};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use super::{SecretError, at_rest};
use crate::{durable_file, private_folder};

const SUFFIX: &str = ".enrolment.json";

/// An agent's identity for one client, and that client's data key.
#[derive(Clone)]
pub struct Enrolment {
    /// The client.
    pub client: ClientId,
    /// Its name in the vault when it was enrolled.
    pub client_name: String,
    /// The organization.
    pub organization: OrganizationId,
    /// The agent's id in the vault.
    pub agent: Uuid,
    /// The agent's token.
    pub token: SecretString,
    /// The id of the data key, which every sealed field names.
    pub key_id: Uuid,
    /// The client's data key, as base64 text.
    pub data_key: SecretString,
}

impl Enrolment {
    /// The client's data key.
    ///
    /// # Errors
    /// When the kept text is none.
    pub fn key(&self) -> Result<DataKey, EnvelopeError> {
        let (organization, client) = (self.organization.0, self.client.0);
        DataKey::from_secret(organization, client, self.key_id, &self.data_key)
    }
}

impl Enrolment {
    /// Everything, as text, for a place that is sealed.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let stored = Zeroizing::new(Stored::from(self));
        Zeroizing::new(serde_json::to_string(&*stored).unwrap_or_default())
    }

    /// From [`to_text`](Self::to_text)'s text.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        Some(Self::from(&*Zeroizing::new(stored)))
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolment")
            .field("client", &self.client)
            .field("agent", &self.agent)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The enrolments of this machine, in a folder of their own.
#[derive(Clone, Debug)]
pub struct SecretFiles {
    folder: PathBuf,
}

/// Why the enrolments are where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The state is a file, and they are beside it.
    BesideTheState,
    /// It is none: they are where `$STATE_DIRECTORY` says, or where it says by default.
    WhereSystemdSays,
}

impl Kept {
    /// With this state.
    pub fn of(state_url: &str) -> Self {
        match database_path(state_url) {
            Ok(_) => Self::BesideTheState,
            Err(_) => Self::WhereSystemdSays,
        }
    }
}

impl SecretFiles {
    /// In this folder, which is made when something is written.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// In the folder `secrets` beside the state file; where the state is no file, in the folder that
    /// systemd names for the service in `$STATE_DIRECTORY`, or beside the default state file.
    pub fn beside(state_url: &str) -> Self {
        let folders = || std::env::var("STATE_DIRECTORY").unwrap_or_default();
        let state = database_path(state_url).unwrap_or_else(|_| elsewhere(&folders()));
        Self::at(state.with_file_name("secrets"))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The enrolment of the client with this id or name (in any case); `None` where there is none. A file of another client
    /// that cannot be read is no hindrance.
    pub fn load_enrolment(&self, client: &str) -> Result<Option<Enrolment>, SecretError> {
        if let Ok(id) = client.parse::<ClientId>() {
            return self.by_id(id);
        }
        let wanted = client.trim().to_lowercase();
        let is_meant = |it: &Enrolment| it.client_name.trim().to_lowercase() == wanted;
        let mut found = None;
        let mut unreadable = None;
        for path in self.paths()? {
            match read(&path) {
                Ok(enrolment) if !is_meant(&enrolment) => {}
                Ok(_) if found.is_some() => {
                    let name = client.to_owned();
                    return Err(SecretError::Ambiguous { name });
                }
                Ok(enrolment) => found = Some(enrolment),
                Err(error) => unreadable = Some(error),
            }
        }
        // What cannot be read may be the one that is meant.
        match (found, unreadable) {
            (None, Some(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }

    /// Every enrolment, by client id.
    pub fn list(&self) -> Result<Vec<Enrolment>, SecretError> {
        self.paths()?.iter().map(|path| read(path)).collect()
    }

    fn paths(&self) -> Result<Vec<PathBuf>, SecretError> {
        let mut paths = Vec::new();
        for entry in self.entries()? {
            let path = entry.map_err(|source| self.not_readable(source))?.path();
            if path.to_string_lossy().ends_with(SUFFIX) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Keeps an enrolment, in place of an earlier one of the same client.
    pub fn save_enrolment(&self, enrolment: &Enrolment) -> Result<(), SecretError> {
        let path = self.path(enrolment.client);
        let stored = Zeroizing::new(Stored::from(enrolment));
        let not_writable = |source| SecretError::NotWritable {
            path: path.clone(),
            source,
        };
        // Wide enough never to grow: a buffer that moves leaves its content behind.
        let mut text = Zeroizing::new(Vec::with_capacity(stored.room()));
        serde_json::to_writer_pretty(&mut *text, &*stored)
            .map_err(|error| not_writable(error.into()))?;
        private_folder::make(&self.folder).map_err(not_writable)?;
        at_rest::write(&path, &text).map_err(not_writable)
    }

    /// Replaces the agent's token, when the vault has given a new one.
    pub fn replace_token(&self, client: ClientId, token: SecretString) -> Result<(), SecretError> {
        let enrolment = self.by_id(client)?.ok_or(SecretError::NotEnrolled {
            client: client.to_string(),
        })?;
        self.save_enrolment(&Enrolment { token, ..enrolment })
    }

    /// Replaces the client's data key, when the vault has another one.
    pub(crate) fn replace_data_key(
        &self,
        client: ClientId,
        key: &DataKey,
    ) -> Result<(), SecretError> {
        let enrolment = self.by_id(client)?.ok_or(SecretError::NotEnrolled {
            client: client.to_string(),
        })?;
        self.save_enrolment(&Enrolment {
            key_id: key.id(),
            data_key: key.to_secret(),
            ..enrolment
        })
    }

    /// Since when the client's token of the vault is kept: nothing else of an enrolment is replaced by itself.
    pub fn token_kept_since(&self, client: ClientId) -> Option<Timestamp> {
        written(&self.path(client))
    }

    /// Since when the refresh token of the client's administrator is kept: its last use.
    pub fn administrator_kept_since(&self, client: ClientId) -> Option<Timestamp> {
        written(&self.administrator_path(client))
    }

    /// Forgets a client, and the administrator who signed in for it. That it was not enrolled is no error.
    pub fn remove(&self, client: ClientId) -> Result<(), SecretError> {
        remove(self.path(client))?;
        remove(self.administrator_path(client))
    }

    fn by_id(&self, client: ClientId) -> Result<Option<Enrolment>, SecretError> {
        match read(&self.path(client)) {
            Err(SecretError::File(SecretFileError::NotFound { .. })) => Ok(None),
            answer => answer.map(Some),
        }
    }

    fn path(&self, client: ClientId) -> PathBuf {
        self.folder.join(format!("{client}{SUFFIX}"))
    }

    /// What is in the folder; nothing where it does not exist.
    fn entries(&self) -> Result<impl Iterator<Item = io::Result<fs::DirEntry>>, SecretError> {
        match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some).map_err(|source| self.not_readable(source)),
        }
        .map(|entries| entries.into_iter().flatten())
    }

    fn not_readable(&self, source: io::Error) -> SecretError {
        SecretError::NotReadable {
            path: self.folder.clone(),
            source,
        }
    }
}

/// When a file was written; `None` where there is none.
fn written(path: &Path) -> Option<Timestamp> {
    let written = fs::metadata(path).and_then(|it| it.modified()).ok()?;
    Timestamp::try_from(written).ok()
}

fn remove(path: PathBuf) -> Result<(), SecretError> {
    durable_file::sweep(&path);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(SecretError::NotWritable { path, source })
        }
        _ => Ok(()),
    }
}

fn read(path: &Path) -> Result<Enrolment, SecretError> {
    let text = at_rest::read(path)?;
    // The parser's own message may repeat a value; the line is enough.
    let stored: Stored = serde_json::from_str(&text).map_err(|error| SecretError::Damaged {
        path: path.to_owned(),
        line: error.line(),
    })?;
    Ok(Enrolment::from(&*Zeroizing::new(stored)))
}

/// The form on disk.
#[derive(Serialize, Deserialize, Zeroize)]
struct Stored {
    #[zeroize(skip)]
    client: ClientId,
    #[zeroize(skip)]
    client_name: String,
    #[zeroize(skip)]
    organization: OrganizationId,
    #[zeroize(skip)]
    agent: Uuid,
    token: String,
    #[zeroize(skip)]
    key_id: Uuid,
    data_key: String,
}

impl Stored {
    /// More than its JSON can need: every character may take six when it is escaped.
    fn room(&self) -> usize {
        1024 + 6 * (self.client_name.len() + self.token.len() + self.data_key.len())
    }
}

impl From<&Enrolment> for Stored {
    fn from(enrolment: &Enrolment) -> Self {
        Self {
            client: enrolment.client,
            client_name: enrolment.client_name.clone(),
            organization: enrolment.organization,
            agent: enrolment.agent,
            token: enrolment.token.expose_secret().to_owned(),
            key_id: enrolment.key_id,
            data_key: enrolment.data_key.expose_secret().to_owned(),
        }
    }
}

impl From<&Stored> for Enrolment {
    fn from(stored: &Stored) -> Self {
        Self {
            client: stored.client,
            client_name: stored.client_name.clone(),
            organization: stored.organization,
            agent: stored.agent,
            token: SecretString::from(stored.token.as_str()),
            key_id: stored.key_id,
            data_key: SecretString::from(stored.data_key.as_str()),
        }
    }
}

/// Where the state would be if it were a file: in the first of the service's folders.
fn elsewhere(folders: &str) -> PathBuf {
    match folders.split(':').next() {
        Some(folder) if !folder.is_empty() => Path::new(folder).join("state.db"),
        _ => database_path(crate::config::DEFAULT_STATE).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "token-\"canary\"";

    fn enrolment(n: u128, name: &str) -> Enrolment {
        Enrolment {
            client: ClientId(Uuid::from_u128(n)),
            client_name: name.to_owned(),
            organization: OrganizationId(Uuid::from_u128(100)),
            agent: Uuid::from_u128(200 + n),
            token: SecretString::from(TOKEN),
            key_id: Uuid::from_u128(300),
            data_key: SecretString::from("ZGF0YS1jYW5hcnk="),
        }
    }

    fn same(left: &Enrolment, right: &Enrolment) -> bool {
        left.client == right.client
            && left.client_name == right.client_name
            && left.organization == right.organization
            && left.agent == right.agent
            && left.key_id == right.key_id
            && left.token.expose_secret() == right.token.expose_secret()
            && left.data_key.expose_secret() == right.data_key.expose_secret()
    }

    fn files() -> (tempfile::TempDir, SecretFiles) {
        let folder = tempfile::tempdir().unwrap();
        let files = SecretFiles::at(folder.path().join("secrets"));
        (folder, files)
    }

    #[cfg(unix)]
    #[test]
    fn without_a_state_file_secrets_stand_in_the_services_own_folder() {
        let place = |folders| elsewhere(folders).with_file_name("secrets");
        let first = PathBuf::from("/srv/agent/secrets");
        assert_eq!(place("/srv/agent:/srv/more"), first);
        let default = PathBuf::from("/var/lib/passportal-agent/secrets");
        assert_eq!(place(""), default);
    }

    #[test]
    fn an_enrolment_is_found_by_id_and_by_name() {
        let (_folder, files) = files();
        let contoso = enrolment(1, "Contoso Ltd");
        files.save_enrolment(&contoso).unwrap();
        files.save_enrolment(&enrolment(2, "Fabrikam")).unwrap();

        for name in ["Contoso Ltd", "contoso ltd", &contoso.client.to_string()] {
            let found = files.load_enrolment(name).unwrap().unwrap();
            assert!(same(&found, &contoso), "{name}");
        }
        assert!(files.load_enrolment("Nobody").unwrap().is_none());
        let ids: Vec<_> = files
            .list()
            .unwrap()
            .into_iter()
            .map(|one| one.client)
            .collect();
        assert_eq!(ids, [1, 2].map(|n| ClientId(Uuid::from_u128(n))));
    }

    #[test]
    fn before_the_first_enrolment_there_is_none() {
        let (_folder, files) = files();
        assert!(files.list().unwrap().is_empty());
        assert!(files.load_enrolment("Contoso").unwrap().is_none());
        files.remove(ClientId(Uuid::from_u128(1))).unwrap();
        let answer = files.replace_token(ClientId(Uuid::from_u128(1)), "t".into());
        assert!(matches!(answer, Err(SecretError::NotEnrolled { .. })));
    }

    #[test]
    fn two_clients_of_one_name_are_told_apart_by_id_only() {
        let (_folder, files) = files();
        files.save_enrolment(&enrolment(1, "Contoso")).unwrap();
        files.save_enrolment(&enrolment(2, "CONTOSO")).unwrap();

        let answer = files.load_enrolment("contoso");

        assert!(
            matches!(answer, Err(SecretError::Ambiguous { .. })),
            "{answer:?}"
        );
        let id = ClientId(Uuid::from_u128(2));
        let found = files.load_enrolment(&id.to_string()).unwrap().unwrap();
        assert_eq!(found.client, id);
    }

    #[test]
    fn a_new_token_replaces_the_old_one_and_nothing_else() {
        let (_folder, files) = files();
        let before = enrolment(1, "Contoso");
        files.save_enrolment(&before).unwrap();

        files
            .replace_token(before.client, SecretString::from("fresh"))
            .unwrap();

        let after = files.load_enrolment("Contoso").unwrap().unwrap();
        let expected = Enrolment {
            token: SecretString::from("fresh"),
            ..before
        };
        assert!(same(&after, &expected));
        let text = at_rest::read(&files.path(after.client)).unwrap();
        assert!(
            !text.contains("canary\\\""),
            "the old token is gone from the file"
        );
        assert_eq!(fs::read_dir(files.folder()).unwrap().count(), 1);
    }

    #[test]
    fn the_age_of_a_token_is_known_and_of_none_there_is_none() {
        let (_folder, files) = files();
        let client = enrolment(1, "Contoso").client;
        assert_eq!(files.token_kept_since(client), None);
        let before = Timestamp::now() - jiff::SignedDuration::from_secs(5);
        files.save_enrolment(&enrolment(1, "Contoso")).unwrap();
        let since = files.token_kept_since(client).unwrap();
        assert!(since > before, "{since}");
        assert_eq!(files.administrator_kept_since(client), None);
    }

    #[test]
    fn a_removed_client_is_gone() {
        let (_folder, files) = files();
        files.save_enrolment(&enrolment(1, "Contoso")).unwrap();
        files.remove(ClientId(Uuid::from_u128(1))).unwrap();
        assert!(files.load_enrolment("Contoso").unwrap().is_none());
    }

    #[test]
    fn a_damaged_file_is_told_without_its_content() {
        let (_folder, files) = files();
        let enrolment = enrolment(1, "Contoso");
        files.save_enrolment(&enrolment).unwrap();
        let path = files.path(enrolment.client);
        let text = at_rest::read(&path).unwrap();
        // A token where an id belongs: the parser would like to quote it.
        let swapped = text.replace(&enrolment.agent.to_string(), "canary");
        at_rest::write(&path, swapped.as_bytes()).unwrap();

        let error = files.load_enrolment("Contoso").unwrap_err();

        assert!(matches!(error, SecretError::Damaged { .. }));
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    #[test]
    fn a_damaged_file_of_another_client_is_no_hindrance() {
        let (_folder, files) = files();
        files.save_enrolment(&enrolment(2, "Contoso")).unwrap();
        let damaged = files.path(enrolment(1, "Fabrikam").client);
        at_rest::write(&damaged, b"{").unwrap();
        let found = files.load_enrolment("contoso").unwrap().unwrap();
        assert_eq!(found.client, enrolment(2, "Contoso").client);
        let error = files.load_enrolment("Fabrikam").unwrap_err();
        assert!(matches!(error, SecretError::Damaged { .. }), "{error}");
    }

    #[test]
    fn an_enrolment_is_never_printed_with_its_secrets() {
        let printed = format!("{:?}", enrolment(1, "Contoso"));
        assert!(!printed.contains("canary"), "{printed}");
        assert!(!printed.contains("ZGF0"), "{printed}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_what_is_kept_and_a_loosened_file_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, files) = files();
        let enrolment = enrolment(1, "Contoso");
        files.save_enrolment(&enrolment).unwrap();
        let path = files.path(enrolment.client);
        let bits = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((bits(files.folder()), bits(&path)), (0o700, 0o600));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();

        let answer = files.load_enrolment("Contoso");
        assert!(
            matches!(
                answer,
                Err(SecretError::File(SecretFileError::TooOpen { .. }))
            ),
            "{answer:?}"
        );
    }

    #[test]
    fn the_folder_stands_beside_the_state_file() {
        let folder = |url| SecretFiles::beside(url).folder().to_owned();
        assert_eq!(
            folder("sqlite:///data/agent/state.db"),
            Path::new("/data/agent/secrets")
        );
        assert_eq!(folder("sqlite:state.db"), Path::new("secrets"));
        #[cfg(not(windows))]
        assert_eq!(
            folder("postgres://db/state"),
            Path::new("/var/lib/passportal-agent/secrets")
        );
    }
}
