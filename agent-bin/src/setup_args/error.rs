//! Why options make no request, and what to do next.

use std::path::PathBuf;

use url::Url;

use crate::config::ConfigError;
use crate::secrets::SecretError;

/// Why the options make no request.
#[derive(Debug, thiserror::Error)]
pub enum ArgsError {
    /// Too few of them, and nobody to ask.
    #[error("setup needs {}", options.join(", "))]
    Missing {
        /// Their names.
        options: Vec<&'static str>,
    },
    /// The file with answers cannot be read.
    #[error("could not read the answers in {}", path.display())]
    Answers {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file with answers is not understood.
    #[error("{}:{line}: {why}", path.display())]
    NoAnswers {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Why, without a word of the line: somebody may have written a secret there.
        why: String,
    },
    /// The configuration that they would make, or the one that is there.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file with a secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The configuration that is there has this client.
    #[error("the configuration {} has a client `{client}` already", path.display())]
    ClientIsThere {
        /// The configuration.
        path: PathBuf,
        /// The client.
        client: String,
    },
    /// The configuration that is there says something else, and it is for all clients.
    #[error("the configuration has {key} = {there}, not {asked}")]
    OtherSetting {
        /// The key.
        key: &'static str,
        /// What it says.
        there: String,
        /// What the options say.
        asked: String,
    },
    /// The configuration that is there is for another vault.
    #[error("the configuration is for the vault {there}, not for {asked}")]
    OtherVault {
        /// The vault of the configuration.
        there: Box<Url>,
        /// The vault of the options.
        asked: Box<Url>,
    },
}

impl ArgsError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::Missing { .. } => {
                "give these options (`setup --help` tells them) or `--answers FILE`; or run it at a terminal, where it asks"
            }
            Self::Answers { .. } => "name a file that is there",
            Self::NoAnswers { .. } => {
                "it is TOML: setup's options by their names without the dashes, e.g. client = \"Contoso\""
            }
            Self::Config(source) => source.hint(),
            Self::Secret(source) => source.hint(),
            Self::ClientIsThere { .. } => {
                "to enrol it anew, remove it there and in the secrets folder first"
            }
            Self::OtherSetting { .. } => {
                "leave the option out, or change the configuration first; it holds for every client"
            }
            Self::OtherVault { .. } => "use another --config FILE for another vault",
        }
    }
}
