//! Which accounts the agent may reset, as far as the directory tells.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ObjectId;

/// A directory role that lets the agent reset passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetRole {
    /// For users, and for some of the lesser administrators.
    UserAdministrator,
    /// For every administrator.
    PrivilegedAuthenticationAdministrator,
}

impl ResetRole {
    /// Its name in Entra ID.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserAdministrator => "User Administrator",
            Self::PrivilegedAuthenticationAdministrator => {
                "Privileged Authentication Administrator"
            }
        }
    }
}

impl fmt::Display for ResetRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The roles that the agent lacks, account by account. By default nothing is known, and what is not
/// known stands in nobody's way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResetRights {
    /// Lacking for every account that is not listed.
    pub everybody: Option<ResetRole>,
    /// Lacking for these accounts.
    pub accounts: BTreeMap<ObjectId, ResetRole>,
}

impl ResetRights {
    /// The role that the agent lacks for resetting this account.
    pub fn lacking(&self, account: ObjectId) -> Option<ResetRole> {
        self.accounts.get(&account).copied().or(self.everybody)
    }
}
