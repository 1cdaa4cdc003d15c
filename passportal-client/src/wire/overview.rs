//! Reports for people: a table each, made when it is asked for.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OverviewKind {
    /// Accounts whose password in Entra ID is another one than the vault's, snoozed ones included.
    Mismatches,
    /// Passwords in use that nobody changed for a number of days.
    UnchangedPasswords,
    /// What people and agents changed in a span: passwords, modes, settings.
    Changes,
    /// Who signed in and out in a span, and who failed to.
    SignIns,
    /// Everything that was done for one client in a span.
    ClientAudit,
}

impl OverviewKind {
    /// Every report.
    pub const ALL: [Self; 5] = [
        Self::Mismatches,
        Self::UnchangedPasswords,
        Self::Changes,
        Self::SignIns,
        Self::ClientAudit,
    ];

    /// Its word in addresses and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mismatches => "mismatches",
            Self::UnchangedPasswords => "unchanged-passwords",
            Self::Changes => "changes",
            Self::SignIns => "sign-ins",
            Self::ClientAudit => "client-audit",
        }
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Mismatches => "Mismatches",
            Self::UnchangedPasswords => "Unchanged passwords",
            Self::Changes => "Changes",
            Self::SignIns => "Sign-ins",
            Self::ClientAudit => "Client audit log",
        }
    }
}

impl fmt::Display for OverviewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not a report.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "`{0}` is not a report: mismatches, unchanged-passwords, changes, sign-ins or client-audit"
)]
pub struct UnknownOverview(String);

impl FromStr for OverviewKind {
    type Err = UnknownOverview;

    fn from_str(word: &str) -> Result<Self, UnknownOverview> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name() == word)
            .ok_or_else(|| UnknownOverview(word.to_owned()))
    }
}

/// `GET /api/v2/reports/{report}`: of what. What a report has no use for is ignored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OverviewQuery {
    /// Of this client only. The client audit log needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Uuid>,
    /// Unchanged for this many days: 90 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Not before: 30 days ago unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before: now unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// `GET /api/v2/reports/{report}`: a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    /// Which.
    pub report: OverviewKind,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub made: Timestamp,
    /// What it is about, in words: the client, the days, the span.
    pub about: String,
    /// The headings of its columns.
    pub columns: Vec<String>,
    /// Its rows, with as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
    /// Whether there are more rows than a report shows.
    pub cut_off: bool,
}

impl Overview {
    /// Rows at the most.
    pub const MOST: usize = 10_000;

    /// As comma-separated values, with a heading.
    pub fn csv(&self) -> String {
        let rows = std::iter::once(&self.columns).chain(&self.rows);
        rows.map(|row| crate::csv::row(row.iter().map(String::as_str)))
            .collect()
    }
}
