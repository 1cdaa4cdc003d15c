//! Why a secret could not be had or kept. No message repeats any of its content.

use std::path::PathBuf;

use passportal_client::envelope::EnvelopeError;
use passportal_client::secret_file::SecretFileError;

/// Why a secret could not be had or kept. [`hint`](Self::hint) says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A file cannot be read, or should not be used.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The service's user reads only what systemd has loaded of root's folder.
    #[error("the service was not given {} when it started", path.display())]
    NotLoaded {
        /// The file.
        path: PathBuf,
        /// Why the file itself is not read.
        #[source]
        source: SecretFileError,
    },
    /// The folder cannot be read.
    #[error("could not read the secrets folder {}", path.display())]
    NotReadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It cannot be written.
    #[error("could not write the secret file {}", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It was protected by another machine's key, or is damaged.
    #[error("this machine's key does not open the secret file {}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An enrolment that this version does not understand.
    #[error("the enrolment in {} is damaged (line {line})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line that is not understood.
        line: usize,
    },
    /// Two enrolled clients have this name.
    #[error("more than one enrolled client is named `{name}`")]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// There is no enrolment to change.
    #[error("the client {client} is not enrolled on this machine")]
    NotEnrolled {
        /// The client.
        client: String,
    },
    /// Nobody has signed in for the client.
    #[error("nobody has signed in for this client: there is no {}", path.display())]
    NoAdministrator {
        /// Where it would be.
        path: PathBuf,
    },
    /// What is left of the administrator's sign-in does not open.
    #[error("the administrator's sign-in in {} is damaged", path.display())]
    AdministratorDamaged {
        /// The file.
        path: PathBuf,
        /// Why, where the envelope says it.
        #[source]
        source: Option<EnvelopeError>,
    },
    /// No place holds the client secret.
    #[error("there is no client secret for the client `{client}`")]
    NoClientSecret {
        /// The client.
        client: String,
    },
}

impl SecretError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::File(source) => source.hint(),
            Self::NotLoaded { .. } => {
                "put it there (chmod 600), and have systemd load it: systemctl restart passportal-agent"
            }
            Self::NotReadable { .. } => "let the service's user read it",
            Self::NotWritable { .. } => {
                "let the service's user write the folder, and see that the disk is not full"
            }
            Self::Locked { .. } | Self::Damaged { .. } => {
                "remove the file and enrol again with `passportal-agent setup`"
            }
            Self::Ambiguous { .. } => "write the client's id instead of its name",
            Self::NotEnrolled { .. } => "enrol it with `passportal-agent setup`",
            Self::NoAdministrator { .. } | Self::AdministratorDamaged { .. } => {
                "sign in by device code: `passportal sign-in CLIENT`"
            }
            Self::NoClientSecret { .. } => {
                "set client_secret_file, or give the service a credential named CLIENT-client-secret"
            }
        }
    }
}
