//! What a person should mend about the agent's standing in its tenant.

use std::fmt;

use crate::permissions::{Need, SET_PASSWORDS};

/// Something about the agent that a person should mend. The agent works on as far as it can.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Something that the agent is for cannot be done.
    PermissionMissing {
        /// The least privileged Graph permission for it.
        permission: &'static str,
        /// What cannot be done.
        purpose: &'static str,
    },
    /// The agent has no directory role that resets passwords.
    NoRole,
    /// The agent cannot tell beforehand whose passwords it may not reset.
    RightsUnknown {
        /// The least privileged Graph permission for it.
        permission: &'static str,
        /// What cannot be read.
        purpose: &'static str,
    },
    /// The agent's token cannot be read, so that nothing is known of it beforehand.
    TokenUnreadable,
}

impl Finding {
    pub(crate) fn missing(need: &Need) -> Self {
        Self::PermissionMissing {
            permission: need.least,
            purpose: need.purpose,
        }
    }

    pub(crate) fn unknown(need: &Need) -> Self {
        Self::RightsUnknown {
            permission: need.least,
            purpose: need.purpose,
        }
    }

    /// Whether no password at all can be set.
    pub fn forbids_writes(&self) -> bool {
        match self {
            Self::NoRole => true,
            Self::PermissionMissing { permission, .. } => *permission == SET_PASSWORDS.least,
            Self::RightsUnknown { .. } | Self::TokenUnreadable => false,
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::PermissionMissing { permission, .. } | Self::RightsUnknown { permission, .. } => {
                format!(
                    "grant the permission {permission} to the app, with admin consent: as an application \
                     permission, or as a delegated one where the agent acts for an administrator"
                )
            }
            Self::NoRole => "assign the directory role User Administrator to the app, or to the \
                             administrator whom the agent acts for; Privileged Authentication \
                             Administrator where administrators' passwords are synced"
                .to_owned(),
            Self::TokenUnreadable => {
                "nothing: a write that is not allowed is refused by Entra ID".to_owned()
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PermissionMissing {
                permission,
                purpose,
            } => write!(
                f,
                "the agent's app lacks the permission {permission}: it cannot {purpose}"
            ),
            Self::NoRole => f.write_str("the agent has no directory role that resets passwords"),
            Self::RightsUnknown {
                permission,
                purpose,
            } => write!(
                f,
                "the agent cannot {purpose} without the permission {permission}: whose password it may not reset shows only when it tries"
            ),
            Self::TokenUnreadable => {
                f.write_str("the agent's token does not tell its roles and permissions")
            }
        }
    }
}
