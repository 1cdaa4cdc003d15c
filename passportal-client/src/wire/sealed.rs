//! Secret fields as they travel and rest: sealed, never in clear.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A sealed field, as unpadded base64url text. See [`envelope`](crate::envelope) for what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealedText(pub String);

/// How the key-encryption key is derived from the organization key: Argon2id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyParameters {
    /// The organization that the key belongs to.
    pub organization: Uuid,
    /// Salt, unpadded base64url.
    pub salt: String,
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// A client's data key, sealed under the key-encryption key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WrappedKey {
    /// The data key's id, which every envelope sealed with it names.
    pub key_id: Uuid,
    /// The client that it belongs to.
    pub client: Uuid,
    /// How the key that opens it is derived.
    pub parameters: KeyParameters,
    /// The data key, sealed.
    pub sealed: SealedText,
}
