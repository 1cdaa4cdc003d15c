//! One check of a set-up, and what came of it.

use std::error::Error;

use serde::Serialize;

use crate::advice;
use crate::causes::chain;

/// One check, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, in a word or two.
    pub name: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub result: Checked,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Checked {
    /// As it should be.
    Fine {
        /// What was found.
        detail: String,
    },
    /// It works, and could be better.
    Note {
        /// What was found.
        note: String,
        /// What a person can do about it.
        remedy: String,
    },
    /// It does not work.
    Fault {
        /// What is wrong.
        fault: String,
        /// What a person can do about it.
        remedy: String,
    },
    /// Not looked at.
    Skipped {
        /// What is in its way.
        because: String,
    },
}

impl Check {
    pub(super) fn fine(name: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let result = Checked::Fine { detail };
        Self { name, result }
    }

    pub(super) fn note(
        name: &'static str,
        note: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (note, remedy) = (note.into(), remedy.into());
        let result = Checked::Note { note, remedy };
        Self { name, result }
    }

    pub(super) fn fault(
        name: &'static str,
        fault: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (fault, remedy) = (fault.into(), remedy.into());
        let result = Checked::Fault { fault, remedy };
        Self { name, result }
    }

    /// An error with its causes, and what to do next.
    pub(super) fn failed(name: &'static str, error: &(dyn Error + 'static)) -> Self {
        let remedy = advice::hint(error).unwrap_or_else(|| LOG.to_owned());
        Self::fault(name, chain(error), remedy)
    }

    pub(super) fn skipped(name: &'static str, because: impl Into<String>) -> Self {
        let because = because.into();
        let result = Checked::Skipped { because };
        Self { name, result }
    }

    /// Whether something does not work.
    pub fn is_fault(&self) -> bool {
        matches!(self.result, Checked::Fault { .. })
    }
}

const LOG: &str = "run it again with -vv to see more";
