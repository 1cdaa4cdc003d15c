//! Everybody who may call.

use passportal_client::wire::Role;

/// Which clients a person works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    All,
    Assigned,
}

/// The permission "Set up sync".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SetUpSync {
    Without,
    With,
}

/// A caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Nobody,
    Person(Role, Access, SetUpSync),
    Agent,
    ApiKey,
}

impl Who {
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::Nobody];
        for role in Role::ALL {
            for access in [Access::All, Access::Assigned] {
                for set_up_sync in [SetUpSync::Without, SetUpSync::With] {
                    all.push(Self::Person(role, access, set_up_sync));
                }
            }
        }
        all.extend([Self::Agent, Self::ApiKey]);
        all
    }

    pub(super) fn role(self) -> Option<Role> {
        match self {
            Self::Person(role, ..) => Some(role),
            _ => None,
        }
    }

    /// Whether no client is foreign to them.
    pub(super) fn reaches_everything(self) -> bool {
        match self {
            Self::Person(role, access, _) => {
                role == Role::OrganizationAdmin || access == Access::All
            }
            _ => false,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Agent => "agent".to_owned(),
            Self::ApiKey => "API key".to_owned(),
            Self::Person(role, access, set_up_sync) => {
                let access = match access {
                    Access::All => "all",
                    Access::Assigned => "assigned",
                };
                let sync = match set_up_sync {
                    SetUpSync::Without => "",
                    SetUpSync::With => "+sync",
                };
                format!("{}/{access}{sync}", role.name())
            }
        }
    }
}

/// The names of several callers; a role whose four kinds are all there is named once.
pub(super) fn names(who: &[Who]) -> String {
    let mut names = Vec::new();
    for it in who {
        let role = it.role();
        let same = who.iter().filter(|other| other.role() == role).count();
        let name = match role {
            Some(role) if same == 4 => role.name().to_owned(),
            _ => it.name(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}
