//! Reading a scenario file, with errors that name the line and the key.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ClearText, FederatedSpec, Scenario};
use crate::entra::assertion::{readable_certificate, readable_public_key};

/// Why a scenario cannot be used. Each message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file, or a secret file that it names, cannot be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// The unreadable file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that should hold a certificate or a public key does not.
    #[error("`{}` holds no RSA certificate or public key as PEM", path.display())]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// The file's ending says neither TOML nor JSON.
    #[error("`{}` ends neither in .toml nor in .json", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The text does not describe a scenario.
    #[error("`{}`, line {line}, key `{key}`: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The path of the key, such as `tenant[0].user[2].behaviour`.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A complaint about a text, before the file's name is known.
pub(super) struct Complaint {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) reason: String,
}

impl Scenario {
    /// Reads a scenario from a `.toml` or `.json` file and checks that it makes sense.
    ///
    /// # Errors
    /// When a file is unreadable, a key unknown or wrongly typed, or names contradict each other.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = read(path)?;
        let mut scenario = match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => from_toml(&text),
            Some("json") => from_json(&text),
            _ => {
                return Err(ScenarioError::Format {
                    path: path.to_owned(),
                });
            }
        }
        .and_then(|scenario| scenario.check(&text).map(|()| scenario))
        .map_err(|complaint| complaint.in_file(path))?;
        scenario.read_files(path.parent().unwrap_or(Path::new("")))?;
        Ok(scenario)
    }

    fn read_files(&mut self, folder: &Path) -> Result<(), ScenarioError> {
        for app in self.tenants.iter_mut().flat_map(|tenant| &mut tenant.apps) {
            if let Some(file) = &app.secret_file {
                let secret = read(&folder.join(file))?;
                app.secret = Some(ClearText::from(secret.trim_end_matches(['\r', '\n'])));
            }
            for file in &app.certificate_files {
                let path = folder.join(file);
                let pem = read(&path)?;
                if !readable_certificate(&pem) {
                    return Err(ScenarioError::Key { path });
                }
                app.certificates.push(pem);
            }
            for credential in &mut app.federated {
                credential.read_key_file(folder)?;
            }
        }
        Ok(())
    }
}

impl FederatedSpec {
    fn read_key_file(&mut self, folder: &Path) -> Result<(), ScenarioError> {
        if let Some(file) = &self.public_key_file {
            let path = folder.join(file);
            let pem = read(&path)?;
            if !readable_public_key(&pem) {
                return Err(ScenarioError::Key { path });
            }
            self.public_key = pem;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<String, ScenarioError> {
    std::fs::read_to_string(path).map_err(|source| ScenarioError::Read {
        path: path.to_owned(),
        source,
    })
}

fn from_toml(text: &str) -> Result<Scenario, Complaint> {
    let complain = |key: String, error: &toml::de::Error| Complaint {
        line: error.span().map_or(1, |span| line_at(text, span.start)),
        key,
        reason: one_line(error.message()),
    };
    let document =
        toml::Deserializer::parse(text).map_err(|error| complain(".".to_owned(), &error))?;
    serde_path_to_error::deserialize(document)
        .map_err(|error| complain(error.path().to_string(), error.inner()))
}

fn from_json(text: &str) -> Result<Scenario, Complaint> {
    let mut document = serde_json::Deserializer::from_str(text);
    let complain = |key: String, error: &serde_json::Error| Complaint {
        line: error.line(),
        key,
        reason: without_place(&error.to_string()),
    };
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut document, &mut track);
    let scenario = Scenario::deserialize(tracked)
        .map_err(|error| complain(track.path().to_string(), &error))?;
    document
        .end()
        .map_err(|error| complain(".".to_owned(), &error))?;
    Ok(scenario)
}

impl Complaint {
    fn in_file(self, path: &Path) -> ScenarioError {
        ScenarioError::Invalid {
            path: path.to_owned(),
            line: self.line,
            key: self.key,
            reason: self.reason,
        }
    }
}

pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text
        .as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(", ")
}

/// `serde_json` ends its messages with the place, which is reported on its own.
fn without_place(message: &str) -> String {
    let end = message.rfind(" at line ").unwrap_or(message.len());
    one_line(message.get(..end).unwrap_or(message))
}
