//! Many credentials at once, all or nothing.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CredentialPatch, NewCredential, NewPassword};

/// `POST /api/v2/vault/imports`: credentials to be stored, in one transaction.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Import {
    /// New ones.
    #[serde(default)]
    pub new: Vec<ImportedCredential>,
    /// Changes of those that are there.
    #[serde(default)]
    pub updates: Vec<ImportedUpdate>,
}

impl Import {
    /// New ones and changes that one import may have.
    pub const MOST: usize = 10_000;
}

/// A new credential, and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedCredential {
    /// The client.
    pub client: Uuid,
    /// The credential.
    pub credential: NewCredential,
}

/// A change of a credential that is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedUpdate {
    /// The credential.
    pub id: Uuid,
    /// Its next password, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<NewPassword>,
    /// What else changes.
    #[serde(default)]
    pub patch: CredentialPatch,
}

/// What came of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Imported {
    /// Credentials that are new.
    pub added: usize,
    /// Credentials that were changed.
    pub updated: usize,
}
