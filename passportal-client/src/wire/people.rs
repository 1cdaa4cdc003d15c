//! The organization's people: what each is, and which clients they work with.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Standing;

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

/// `GET /api/v2/vault/people`: somebody who has an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonRecord {
    /// Their id.
    pub id: Uuid,
    /// Their e-mail address.
    pub email: String,
    /// What they may do.
    #[serde(flatten)]
    pub authority: Authority,
    /// Whether they may sign in.
    pub standing: Standing,
}

/// `PATCH /api/v2/vault/people/{id}`: what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonPatch {
    /// Another role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Other clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<ClientAccess>,
    /// The permission "Set up sync", or no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_up_sync: Option<bool>,
    /// Disabling ends their sessions and tokens at once, and flags what they were shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// `POST /api/v2/vault/people/invitations`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewInvitation {
    /// Whom it is for.
    pub email: String,
    /// What they will be allowed to do.
    #[serde(flatten)]
    pub authority: Authority,
}

/// `GET /api/v2/vault/people/invitations`: an invitation that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// Whom it is for.
    pub email: String,
    /// What they will be allowed to do.
    #[serde(flatten)]
    pub authority: Authority,
    /// Who invited them.
    pub invited_by: String,
    /// When its link ends.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires: Timestamp,
}

/// A new invitation with its link.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationLink {
    /// The invitation.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// The path of the page that accepts it, below the vault's own address. It is shown this once.
    pub path: String,
}
