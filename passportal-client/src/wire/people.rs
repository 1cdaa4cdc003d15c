//! The organization's people: what each is, and which clients they work with.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What somebody is in the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Everything, at all clients.
    OrganizationAdmin,
    /// Looks after clients.
    Manager,
    /// Works with their credentials.
    Technician,
}

impl Role {
    /// All of them, the one that may do most first.
    pub const ALL: [Self; 3] = [Self::OrganizationAdmin, Self::Manager, Self::Technician];

    /// The API's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrganizationAdmin => "organization_admin",
            Self::Manager => "manager",
            Self::Technician => "technician",
        }
    }

    /// The word for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::OrganizationAdmin => "Organization Admin",
            Self::Manager => "Manager",
            Self::Technician => "Technician",
        }
    }
}

/// Which clients somebody works with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ClientAccess {
    /// All, also those to come.
    #[default]
    All,
    /// These only. An Organization Admin has all of them none the less.
    Assigned(BTreeSet<Uuid>),
}

/// What somebody may do, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Authority {
    /// The role.
    pub role: Role,
    /// The clients.
    #[serde(default)]
    pub access: ClientAccess,
    /// The permission "Set up sync". An Organization Admin has it always.
    #[serde(default)]
    pub set_up_sync: bool,
}
