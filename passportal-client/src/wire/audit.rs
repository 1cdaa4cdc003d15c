//! The audit trail: who did what to which thing, when, from where, and the chain's hash.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `GET /api/v2/audit`: which lines. The latest first, or from a line on where `after` is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Who: any part of it, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What: any part of it, or the subject as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Of this client only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Uuid>,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Only lines with a lower number: the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Only lines with a higher number, the lowest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Lines at the most: 100 unless given, 1000 at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl AuditQuery {
    /// Lines of one answer at the most.
    pub const MOST: u32 = 1000;
}

/// A line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLine {
    /// Its number: one more than that of the line before.
    pub line: u64,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// An e-mail address, an agent, or whoever works on the vault's own machine.
    pub who: String,
    /// What they did.
    pub what: String,
    /// The id of what they did it to; empty where there is none.
    pub subject: String,
    /// The client that it concerns.
    pub client: Option<Uuid>,
    /// That client's name today. Not part of the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The caller's address, where there is a caller.
    pub address: Option<String>,
    /// SHA-256 over the hash before and this line, in hex; empty where it was never chained.
    pub hash: String,
}

/// `GET /api/v2/audit/verification`: what a look at every line found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditVerification {
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// The last line that is right.
    pub line: u64,
    /// Its hash. Kept elsewhere, it proves later that nothing up to it was changed or cut off.
    pub hash: String,
    /// The first line that is wrong, in words; `None` where all are right.
    pub broken: Option<String>,
}
