//! The Graph permissions that the agent needs, what for, and which wider ones do as well.
//!
//! Source: the permission tables of the calls in `docs/graph-calls.md`.

use std::collections::BTreeSet;

/// A permission that the agent needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// The least privileged.
    pub(crate) least: &'static str,
    /// Wider ones that do as well.
    wider: &'static [&'static str],
    /// What it is needed for.
    pub(crate) purpose: &'static str,
}

pub(crate) static READ_ACCOUNTS: Need = Need {
    least: "User.Read.All",
    wider: &[
        "User.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ],
    purpose: "read accounts",
};
pub(crate) static READ_DOMAINS: Need = Need {
    least: "Domain.Read.All",
    wider: &[
        "Domain.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ],
    purpose: "read domains",
};
/// App-only there is no other; a signed-in administrator's client may hold the older one.
pub(crate) static SET_PASSWORDS: Need = Need {
    least: "User-PasswordProfile.ReadWrite.All",
    wider: &["Directory.AccessAsUser.All"],
    purpose: "set passwords",
};
pub(crate) static READ_ROLES: Need = Need {
    least: "RoleManagement.Read.Directory",
    wider: &[
        "RoleManagement.Read.All",
        "RoleManagement.ReadWrite.Directory",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ],
    purpose: "read role assignments",
};
pub(crate) static READ_GROUPS: Need = Need {
    least: "GroupMember.Read.All",
    wider: &[
        "GroupMember.ReadWrite.All",
        "Group.Read.All",
        "Group.ReadWrite.All",
        "Directory.Read.All",
    ],
    purpose: "read role-assignable groups",
};
pub(crate) static READ_ORGANIZATION: Need = Need {
    least: "Organization.Read.All",
    wider: &["Directory.Read.All"],
    purpose: "read the tenant's name and licence",
};

/// Without these nothing can be done.
pub(crate) static TO_READ: [&Need; 2] = [&READ_ACCOUNTS, &READ_DOMAINS];

impl Need {
    /// Whether one of these permissions is enough.
    pub(crate) fn is_met_by(&self, held: &BTreeSet<String>) -> bool {
        held.contains(self.least) || self.wider.iter().any(|wider| held.contains(*wider))
    }
}
