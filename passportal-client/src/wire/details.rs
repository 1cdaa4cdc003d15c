//! What a credential has besides its password, and its sealed secrets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SealedText;

/// The longest texts of a credential, in characters.
pub mod text_limit {
    /// User name, type, folder, description.
    pub const NAME: usize = 500;
    /// Where it is used.
    pub const URL: usize = 2000;
    /// Notes.
    pub const NOTES: usize = 10_000;
}

/// The secret of a credential's one-time codes (TOTP), sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealedTotp {
    /// The version that it is sealed for.
    pub version: u64,
    /// The user name that it is sealed for.
    pub user_name: String,
    /// The secret.
    pub sealed: SealedText,
}

/// A new user name, with what is authenticated with it sealed anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Renamed {
    /// The new user name.
    pub user_name: String,
    /// The version of the password that is sealed: the current one, which stays. Another is a conflict (409).
    pub version: u64,
    /// The same password, sealed for the new user name.
    pub sealed: SealedText,
    /// The same secret of one-time codes, where the credential has one that stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<SealedTotp>,
}

/// `POST /api/v2/vault/credentials/{id}/secrets`: the sealed secrets of a credential, for whoever has the organization key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealedSecrets {
    /// The credential.
    pub id: Uuid,
    /// The user name that the password is sealed for.
    pub user_name: String,
    /// The version of the password.
    pub version: u64,
    /// The password.
    pub sealed: SealedText,
    /// The secret of its one-time codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<SealedTotp>,
}

/// A version of a credential's password: who stored it, when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordVersion {
    /// The version.
    pub version: u64,
    /// When it was stored.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub changed: Timestamp,
    /// Who stored it, where the vault knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// A credential type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialType {
    /// Its name.
    pub name: String,
    /// Whether the product itself knows it.
    pub built_in: bool,
}
