//! What is wrong with a configuration: one line with its place and key, and a hint.

use std::fmt;
use std::path::PathBuf;

use msgraph_sync::VerdictTableError;

use super::key_path::KeyPath;

/// What is wrong with a configuration. [`hint`](Self::hint) says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("there is no configuration file {}", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("could not read the configuration file {}", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("could not write the configuration file {}", path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is a file already.
    #[error("there is a configuration file {} already", path.display())]
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// A key or its value is wrong.
    #[error("{place}: {problem}")]
    Invalid {
        /// Where.
        place: Place,
        /// What, with the key.
        problem: String,
        /// What to do next.
        hint: String,
    },
    /// The file that replaces the built-in verdict table.
    #[error("verification.verdict_table cannot be used")]
    VerdictTable(#[source] VerdictTableError),
    /// There is nothing to do.
    #[error("the configuration names no client")]
    NoClient,
}

impl ConfigError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::NotFound { .. } => {
                "name it with --config FILE, or make one with `passportal-agent setup`"
            }
            Self::NotReadable { .. } => "let the service's user read it; it must be UTF-8 text",
            Self::NotWritable { .. } => "run the command as a user who may write there",
            Self::AlreadyThere { .. } => "edit it, or move it away first",
            Self::Invalid { hint, .. } => hint,
            Self::VerdictTable(source) => source.hint(),
            Self::NoClient => "add one with `passportal-agent setup`",
        }
    }
}

/// Where a mistake stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of the file; `None` where the file as a whole is meant.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
    },
    /// An environment variable.
    Variable(String),
    /// An option of the command line.
    Option(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                path,
                line: Some(line),
            } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Option(name) => write!(f, "option {name}"),
        }
    }
}

/// A mistake whose place is not looked up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) key: KeyPath,
    pub(super) what: String,
    pub(super) hint: String,
}

impl Problem {
    pub(super) fn new(key: KeyPath, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            key,
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// A mistake that the deserializer found, in the words of this file instead of its own.
    pub(super) fn from_serde(key: KeyPath, message: &str) -> Self {
        let message = message.replace('\n', " ");
        if let Some((name, known)) = unknown(&message, "unknown field `") {
            let hint = hint_for_unknown_key(name, &known);
            return Self::new(key.with_last(name), "unknown key", hint);
        }
        if let Some((value, known)) = unknown(&message, "unknown variant `") {
            return Self::new(
                key,
                format!("unknown value `{value}`"),
                format!("use one of: {known}"),
            );
        }
        Self::new(
            key,
            for_people(&message),
            "correct the value, or remove the key to have its default",
        )
    }

    pub(super) fn at(self, place: Place) -> ConfigError {
        let problem = if self.key.is_empty() {
            self.what
        } else {
            format!("{}: {}", self.key, self.what)
        };
        ConfigError::Invalid {
            place,
            problem,
            hint: self.hint,
        }
    }
}

/// Says "a table" and "a whole number" where the deserializer names types of this program.
fn for_people(message: &str) -> String {
    match message.split_once("expected struct ") {
        Some((before, _)) => format!("{before}expected a table"),
        None => message.replace("expected u32", "expected a whole number"),
    }
}

/// Takes the name and the known names out of "unknown field `x`, expected one of `a`, `b`".
fn unknown<'a>(message: &'a str, beginning: &str) -> Option<(&'a str, String)> {
    let (name, rest) = message.strip_prefix(beginning)?.split_once('`')?;
    let known = rest
        .trim_start_matches(", expected ")
        .trim_start_matches("one of ")
        .replace('`', "");
    Some((name, known))
}

fn hint_for_unknown_key(name: &str, known: &str) -> String {
    let name = name.to_lowercase();
    let is_secret = ["password", "secret", "token", "key"]
        .iter()
        .any(|word| name.contains(word));
    if is_secret {
        return format!(
            "no secret stands in the configuration, only the name of a file that holds it; known here: {known}"
        );
    }
    format!("known here: {known}")
}
