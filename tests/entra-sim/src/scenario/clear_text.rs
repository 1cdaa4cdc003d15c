//! A password or secret of the simulated world: held in clear, as a test double must, but never printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret that `Debug` does not show. It serializes in clear, because a scenario file holds it so.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClearText(String);

impl ClearText {
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ClearText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for ClearText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for ClearText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearText(…)")
    }
}
