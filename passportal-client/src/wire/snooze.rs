//! Flags that a person took down for a time, with a reason.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::FlagKind;

/// `PUT /api/v2/vault/credentials/{id}/flags/{kind}/snooze`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewSnooze {
    /// Why, in a person's words: 1 to 500 characters.
    pub reason: String,
    /// When the flag stands again, within a year, unless its fact changes before.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub until: Timestamp,
}

/// `GET /api/v2/vault/snoozes`: a snoozed flag and where it would stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnoozedFlag {
    /// The credential.
    pub credential: Uuid,
    /// Its client.
    pub client: Uuid,
    /// The client's name.
    pub client_name: String,
    /// The account that it is for.
    pub user_name: String,
    /// The kind.
    pub kind: FlagKind,
    /// Why it was snoozed.
    pub reason: String,
    /// Until when.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub until: Timestamp,
    /// Who snoozed it.
    pub by: String,
}

/// `DELETE /api/v2/vault/credentials/{id}/flags/{kind}/snooze`: the flag stands again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnoozeEnded {
    /// Whether it was snoozed.
    pub was_snoozed: bool,
}
