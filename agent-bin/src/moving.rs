//! Moves an agent to another machine: its configuration, its enrolments and the secrets that the configuration names, in one
//! file behind a passphrase. Its memory stays: the new machine checks before it writes, as after every loss of memory.

use std::fs;
use std::path::{Path, PathBuf};

use passportal_client::envelope::{
    DataKey, EnvelopeError, OrganizationKey, Purpose, new_key_parameters,
};
use passportal_client::wire::{SealedText, WrappedKey};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sync_engine::model::ClientId;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use crate::config::{Config, ConfigError, Overrides};
use crate::durable_file::{self, Audience};
use crate::private_folder;
use crate::secrets::{Administrator, Enrolment, SecretError, SecretFiles, SecretSources};

/// Of the file; another one is of another version.
const FORMAT: u32 = 1;
/// A passphrase guards everything that the agent may do, wherever the file goes.
const SHORTEST_PASSPHRASE: usize = 12;

/// Why an agent does not move.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A client that is not enrolled has nothing to move.
    #[error("client `{client}` is not enrolled on this machine")]
    NotEnrolled {
        /// The client.
        client: String,
    },
    /// Too easy to guess.
    #[error("the passphrase has fewer than {SHORTEST_PASSPHRASE} characters")]
    ShortPassphrase,
    /// Not the one that the file was made with.
    #[error("the passphrase does not open the file")]
    WrongPassphrase,
    /// Not one of these files.
    #[error("this is not an agent that was exported")]
    NotAnExport,
    /// A file of a later version.
    #[error("the file is of a later version of the agent (format {format})")]
    LaterFormat {
        /// Its format.
        format: u32,
    },
    /// There is an agent on this machine.
    #[error("{} is there already", path.display())]
    IsThere {
        /// What would have been overwritten.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("could not read or write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A key.
    #[error("a key of the agent is damaged")]
    Key(#[source] EnvelopeError),
}

impl MoveError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::Config(source) => source.hint(),
            Self::Secret(source) => source.hint(),
            Self::NotEnrolled { .. } | Self::Key(_) => "enrol it: `passportal-agent setup`",
            Self::ShortPassphrase => "take several words, and keep them apart from the file",
            Self::WrongPassphrase => "give the passphrase that the file was exported with",
            Self::NotAnExport => "name the file that `passportal-agent export` wrote, unchanged",
            Self::LaterFormat { .. } => {
                "install the version that it was exported with, or a later one"
            }
            Self::IsThere { .. } => {
                "nothing was written; move it away first, or name another --config"
            }
            Self::File { .. } => "see the cause above",
        }
    }
}

/// As it lies on a disk.
#[derive(Serialize, Deserialize)]
struct Export {
    format: u32,
    key: WrappedKey,
    sealed: SealedText,
}

/// What is inside.
#[derive(Serialize, Deserialize, Zeroize)]
struct Luggage {
    config: String,
    clients: Vec<Client>,
    /// Files with secrets that the configuration names, as hexadecimal text.
    secret_files: Vec<(String, String)>,
    /// The others.
    open_files: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize, Zeroize)]
struct Client {
    enrolment: String,
    administrator: Option<String>,
}

/// What came along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The clients, by name.
    pub clients: Vec<String>,
    /// The files that were written beside configuration and enrolments.
    pub files: Vec<PathBuf>,
}

/// Packs the agent of this configuration. The text is for a file; without the passphrase it tells nothing but its format.
///
/// # Errors
/// When a client is not enrolled, a secret cannot be read, or the passphrase is too short.
pub fn export(config_path: &Path, passphrase: &SecretString) -> Result<String, MoveError> {
    check_passphrase(passphrase)?;
    let luggage = Zeroizing::new(pack(config_path)?);
    let clear = serde_json::to_string(&*luggage).map_err(|_| MoveError::NotAnExport)?;
    let key = DataKey::generate(Uuid::nil(), Uuid::nil());
    let parameters = new_key_parameters(Uuid::nil());
    let kek = OrganizationKey::new(passphrase.expose_secret())
        .derive(&parameters)
        .map_err(MoveError::Key)?;
    let export = Export {
        format: FORMAT,
        sealed: key.seal_local(Purpose::Export, &SecretString::from(clear)),
        key: key.wrap(&kek, &parameters),
    };
    serde_json::to_string_pretty(&export).map_err(|_| MoveError::NotAnExport)
}

/// Unpacks an agent on this machine: the configuration to `config_path`, everything else to where it was. Nothing that
/// is there is overwritten, and if something cannot be written, nothing is left.
///
/// # Errors
/// When the passphrase is wrong, the file is none, or something is there already.
pub fn import(
    text: &str,
    passphrase: &SecretString,
    config_path: &Path,
) -> Result<Moved, MoveError> {
    let luggage = open(text, passphrase)?;
    let mut written = Written::default();
    let unpacked = unpack(&luggage, config_path, &mut written);
    if unpacked.is_err() {
        written.take_back();
    }
    unpacked
}

/// [`export`]s into a file that is new, for its owner only.
///
/// # Errors
/// As [`export`]; and when the file is there.
pub fn export_to(
    config_path: &Path,
    passphrase: &SecretString,
    file: &Path,
) -> Result<(), MoveError> {
    let text = export(config_path, passphrase)?;
    Written::default().write(file, text.as_bytes(), Audience::Owner)
}

/// [`import`]s from a file.
///
/// # Errors
/// As [`import`]; and when the file cannot be read.
pub fn import_from(
    file: &Path,
    passphrase: &SecretString,
    config_path: &Path,
) -> Result<Moved, MoveError> {
    let text = fs::read_to_string(file).map_err(|source| MoveError::File {
        path: file.to_owned(),
        source,
    })?;
    import(&text, passphrase, config_path)
}

fn check_passphrase(passphrase: &SecretString) -> Result<(), MoveError> {
    match passphrase.expose_secret().chars().count() {
        0..SHORTEST_PASSPHRASE => Err(MoveError::ShortPassphrase),
        _ => Ok(()),
    }
}

fn pack(config_path: &Path) -> Result<Luggage, MoveError> {
    let text = fs::read_to_string(config_path).map_err(|source| MoveError::File {
        path: config_path.to_owned(),
        source,
    })?;
    let config = Config::load(config_path, [], Overrides::none())?;
    let secrets = SecretFiles::beside(&config.state.url);
    let mut clients = Vec::new();
    for client in config.require_clients()? {
        let enrolment = secrets.load_enrolment(&client.name)?;
        let enrolment = enrolment.ok_or_else(|| MoveError::NotEnrolled {
            client: client.name.clone(),
        })?;
        let administrator = if client.microsoft.sign_in.is_of_a_person() {
            let key = enrolment.key().map_err(MoveError::Key)?;
            Some(secrets.load_administrator(&key)?.to_text().to_string())
        } else {
            None
        };
        clients.push(Client {
            enrolment: enrolment.to_text().to_string(),
            administrator,
        });
    }
    let sources = SecretSources::from_env();
    let mut secret_files = Vec::new();
    for path in config.secret_files() {
        let content = sources.read_bytes(path)?;
        secret_files.push((path.display().to_string(), hex::encode(&*content)));
    }
    let mut open_files = Vec::new();
    for path in config.open_files() {
        let content = fs::read(path).map_err(|source| MoveError::File {
            path: path.to_owned(),
            source,
        })?;
        open_files.push((path.display().to_string(), hex::encode(content)));
    }
    Ok(Luggage {
        config: text,
        clients,
        secret_files,
        open_files,
    })
}

fn open(text: &str, passphrase: &SecretString) -> Result<Zeroizing<Luggage>, MoveError> {
    let export: Export = serde_json::from_str(text).map_err(|_| MoveError::NotAnExport)?;
    if export.format != FORMAT {
        return Err(MoveError::LaterFormat {
            format: export.format,
        });
    }
    let passphrase = OrganizationKey::new(passphrase.expose_secret());
    let kek = passphrase.derive(&export.key.parameters);
    let kek = kek.map_err(|_| MoveError::NotAnExport)?;
    let key = DataKey::unwrap(&kek, &export.key).map_err(|error| match error {
        EnvelopeError::WrongOrganizationKey => MoveError::WrongPassphrase,
        _ => MoveError::NotAnExport,
    })?;
    let clear = key.open_local(Purpose::Export, &export.sealed);
    let clear = clear.map_err(|_| MoveError::NotAnExport)?;
    let luggage = serde_json::from_str(clear.expose_secret());
    luggage
        .map(Zeroizing::new)
        .map_err(|_| MoveError::NotAnExport)
}

/// What is to be taken back where something fails.
#[derive(Default)]
struct Written {
    files: Vec<PathBuf>,
    clients: Vec<(SecretFiles, ClientId)>,
}

impl Written {
    /// The first failure is the one to tell.
    fn take_back(&self) {
        for path in &self.files {
            let _ = fs::remove_file(path);
        }
        for (secrets, client) in &self.clients {
            let _ = secrets.remove(*client);
        }
    }

    fn write(&mut self, path: &Path, content: &[u8], audience: Audience) -> Result<(), MoveError> {
        if path.exists() {
            return Err(MoveError::IsThere {
                path: path.to_owned(),
            });
        }
        let failed = |source| MoveError::File {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            let made = match audience {
                Audience::Owner => private_folder::make(folder),
                Audience::Everyone => private_folder::make_readable(folder),
            };
            made.map_err(failed)?;
        }
        durable_file::replace(path, content, audience).map_err(failed)?;
        self.files.push(path.to_owned());
        Ok(())
    }

    fn enrol(&mut self, secrets: &SecretFiles, client: &Client) -> Result<String, MoveError> {
        let enrolment = Enrolment::from_text(&client.enrolment).ok_or(MoveError::NotAnExport)?;
        if secrets
            .load_enrolment(&enrolment.client.to_string())?
            .is_some()
        {
            return Err(MoveError::IsThere {
                path: secrets.folder().to_owned(),
            });
        }
        self.clients.push((secrets.clone(), enrolment.client));
        secrets.save_enrolment(&enrolment)?;
        if let Some(text) = &client.administrator {
            let key = enrolment.key().map_err(MoveError::Key)?;
            let administrator = Administrator::from_text(text).ok_or(MoveError::NotAnExport)?;
            secrets.save_administrator(&key, &administrator)?;
        }
        Ok(enrolment.client_name)
    }
}

fn unpack(
    luggage: &Luggage,
    config_path: &Path,
    written: &mut Written,
) -> Result<Moved, MoveError> {
    written.write(config_path, luggage.config.as_bytes(), Audience::Everyone)?;
    let config = Config::load(config_path, [], Overrides::none())?;
    let secrets = SecretFiles::beside(&config.state.url);
    let clients = luggage.clients.iter();
    let clients = clients.map(|client| written.enrol(&secrets, client));
    let clients = clients.collect::<Result<_, _>>()?;
    let mut files = Vec::new();
    for (named, audience) in [
        (&luggage.secret_files, Audience::Owner),
        (&luggage.open_files, Audience::Everyone),
    ] {
        for (path, content) in named {
            let content = hex::decode(content).map(Zeroizing::new);
            let content = content.map_err(|_| MoveError::NotAnExport)?;
            let path = PathBuf::from(path);
            written.write(&path, &content, audience)?;
            files.push(path);
        }
    }
    Ok(Moved { clients, files })
}

#[cfg(test)]
mod tests;
