//! Who may do what: one table of roles and acts.

use passportal_client::wire::Role;

use super::VaultError;

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Sees clients, credentials, flags, plans and agents.
    Read,
    /// Is shown a secret.
    Reveal,
    /// Adds and changes credentials, but not their sync mode.
    EditCredentials,
    /// Clears and snoozes flags.
    ClearFlags,
    /// Makes reports.
    MakeReports,
    /// Creates clients, without Microsoft sync.
    CreateClients,
    /// Renames clients.
    EditClients,
    /// Imports credentials.
    Import,
    /// Sets Microsoft sync of clients, and sync modes.
    SetUpSync,
    /// Enrols and revokes agents.
    ManageAgents,
    /// Rules on held plans, and confirms what is held.
    RuleOnPlans,
    /// Takes secrets out in clear.
    Export,
    /// Sees what everybody does in the whole organization.
    ReadAudit,
    /// Invites, changes and disables people.
    ManagePeople,
    /// Adds, changes and tests notice channels.
    ManageNotices,
    /// Seals everything anew under another organization key.
    ChangeOrganizationKey,
}

/// What a role says about an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    Yes,
    /// With the permission "Set up sync".
    WithSetUpSync,
    No,
}

/// What a person may do at a client that they have access to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(super) role: Role,
    pub(super) set_up_sync: bool,
}

impl Rights {
    /// Whether the act is allowed.
    pub(crate) fn allow(self, act: Act) -> bool {
        match act.grant(self.role) {
            Grant::Yes => true,
            Grant::WithSetUpSync => self.set_up_sync,
            Grant::No => false,
        }
    }

    /// Refuses what is not allowed, and says who can change that.
    pub(super) fn require(self, act: Act) -> Result<(), VaultError> {
        if self.allow(act) {
            return Ok(());
        }
        let what = act.words();
        Err(VaultError::Forbidden(match act.grant(self.role) {
            Grant::WithSetUpSync => format!(
                "you may not {what} without the permission \"Set up sync\"; an Organization Admin can give it to you"
            ),
            _ => format!(
                "a {} may not {what}; ask an Organization Admin",
                self.role.label()
            ),
        }))
    }
}

impl Act {
    fn grant(self, role: Role) -> Grant {
        let [admin, manager, technician] = self.grants();
        match role {
            Role::OrganizationAdmin => admin,
            Role::Manager => manager,
            Role::Technician => technician,
        }
    }

    /// The table: Organization Admin, Manager, Technician.
    fn grants(self) -> [Grant; 3] {
        use Grant::{No, WithSetUpSync, Yes};
        match self {
            Self::Read | Self::Reveal | Self::EditCredentials | Self::ClearFlags => [Yes, Yes, Yes],
            Self::MakeReports | Self::CreateClients => [Yes, Yes, No],
            Self::EditClients | Self::Import => [Yes, Yes, WithSetUpSync],
            Self::SetUpSync | Self::ManageAgents | Self::RuleOnPlans => {
                [Yes, WithSetUpSync, WithSetUpSync]
            }
            Self::Export
            | Self::ReadAudit
            | Self::ManagePeople
            | Self::ManageNotices
            | Self::ChangeOrganizationKey => [Yes, No, No],
        }
    }

    /// What is done, for a person.
    fn words(self) -> &'static str {
        match self {
            Self::Read => "see clients, credentials, flags, held plans and agents",
            Self::Reveal => "see passwords and one-time codes",
            Self::EditCredentials => "add and change credentials",
            Self::ClearFlags => "clear and snooze flags",
            Self::MakeReports => "make reports",
            Self::CreateClients => "create clients",
            Self::EditClients => "rename clients",
            Self::Import => "import credentials",
            Self::SetUpSync => "change Microsoft sync and sync modes",
            Self::ManageAgents => "enrol and revoke agents",
            Self::RuleOnPlans => "approve or reject held plans, or confirm what is held",
            Self::Export => "export credentials",
            Self::ReadAudit => "see the audit trail of the organization",
            Self::ManagePeople => "manage people",
            Self::ManageNotices => "manage notice channels",
            Self::ChangeOrganizationKey => "change the organization key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTS: [Act; 16] = [
        Act::Read,
        Act::Reveal,
        Act::EditCredentials,
        Act::ClearFlags,
        Act::MakeReports,
        Act::CreateClients,
        Act::EditClients,
        Act::Import,
        Act::SetUpSync,
        Act::ManageAgents,
        Act::RuleOnPlans,
        Act::Export,
        Act::ReadAudit,
        Act::ManagePeople,
        Act::ManageNotices,
        Act::ChangeOrganizationKey,
    ];

    fn line(act: Act) -> String {
        let cells = act.grants().map(|grant| match grant {
            Grant::Yes => "yes",
            Grant::WithSetUpSync => "with \"Set up sync\"",
            Grant::No => "no",
        });
        format!("| {} | {} |\n", act.words(), cells.join(" | "))
    }

    #[test]
    fn the_security_page_has_this_table() {
        let roles = Role::ALL.map(Role::label).join(" | ");
        let lines: String = ACTS.into_iter().map(line).collect();
        let table = format!("| may | {roles} |\n|---|---|---|---|\n{lines}");
        let page = include_str!("../../../docs/SECURITY.md");
        assert!(page.contains(&table), "docs/SECURITY.md lacks:\n{table}");
    }

    #[test]
    fn a_refusal_says_who_can_grant_it() {
        let technician = Rights {
            role: Role::Technician,
            set_up_sync: false,
        };
        for act in ACTS {
            match technician.require(act) {
                Ok(()) => assert!(technician.allow(act)),
                Err(error) => assert!(error.to_string().contains("Organization Admin"), "{error}"),
            }
        }
    }

    #[test]
    fn an_organization_admin_may_do_everything() {
        let admin = Rights {
            role: Role::OrganizationAdmin,
            set_up_sync: false,
        };
        assert!(ACTS.into_iter().all(|act| admin.allow(act)));
    }
}
