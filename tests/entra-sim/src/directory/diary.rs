//! What happened to a tenant's passwords, line by line, for tests that ask who did what and when.
//!
//! A password stands here as its SHA-256, so that whoever knows it finds it again, and nobody else reads it.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Older lines are forgotten, and counted.
const MOST: usize = 100_000;

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    pub(crate) user: Uuid,
    pub(crate) user_principal_name: String,
    /// The SHA-256 of the password that was set or tried, as hexadecimal digits.
    pub(crate) password: String,
    #[serde(flatten)]
    pub(crate) deed: Deed,
}

/// What was done with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub(crate) enum Deed {
    /// Set through Graph.
    Write {
        /// The application, or the signed-in user.
        by: Uuid,
        /// Whether the account had this very password already.
        had_it: bool,
    },
    /// Set by somebody in the directory.
    Change {
        /// Whether the account had this very password already.
        had_it: bool,
    },
    /// Tried at the token endpoint.
    SignIn {
        /// The application.
        by: Uuid,
        /// The error that it was answered with; none when it signed in.
        code: Option<u32>,
    },
}

/// A tenant's lines, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    lines: VecDeque<Line>,
    forgotten: u64,
}

impl Diary {
    pub(crate) fn add(&mut self, line: Line) {
        if self.lines.len() >= MOST {
            self.lines.pop_front();
            self.forgotten += 1;
        }
        self.lines.push_back(line);
    }

    pub(crate) fn lines(&self) -> &VecDeque<Line> {
        &self.lines
    }

    /// How many lines stood before the first one.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

/// The SHA-256 of a password, as hexadecimal digits.
pub(crate) fn digest(password: &str) -> String {
    hex::encode(Sha256::digest(password.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_are_forgotten_and_counted() {
        let mut diary = Diary::default();
        for second in 0..=MOST {
            diary.add(Line {
                at: Timestamp::from_second(i64::try_from(second).unwrap()).unwrap(),
                user: Uuid::nil(),
                user_principal_name: "anna@contoso.com".to_owned(),
                password: String::new(),
                deed: Deed::Change { had_it: false },
            });
        }
        assert_eq!((diary.lines().len(), diary.forgotten()), (MOST, 1));
        assert_eq!(diary.lines()[0].at.as_second(), 1);
    }
}
