//! The rows of the decision table, by name.

use serde::{Deserialize, Serialize};

/// A row of the decision table. The first row that applies to a credential wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Client muted, Microsoft sync None, mode Off, or credential disabled.
    NotProcessed,
    /// The vault's envelope does not open.
    Unreadable,
    /// Not in the directory, guest, disabled, synced from on-premises, or federated.
    NotOurs,
    /// The user name resolves to another account than at first contact.
    IdentityChanged,
    /// Two active credentials name one account.
    Duplicate,
    /// A write to the account is not settled yet.
    Unsettled,
    /// Report mismatches: no verdict for this version and stamp, or the slow re-check is due.
    ReportCheck,
    /// Report mismatches: there is a verdict.
    ReportKnown,
    /// Enabled: the version changed and the account still has what we last agreed on.
    VaultChanged,
    /// Enabled: no verdict for this version and stamp.
    NotVerified,
    /// Enabled: a remembered Match.
    KnownMatch,
    /// Enabled: a remembered Mismatch.
    KnownMismatch,
    /// Enabled: an Unknown that passes.
    UnknownPasses,
    /// Enabled: verification is impossible, and a person changed the version or the mode.
    UnverifiableChanged,
    /// Enabled: verification is impossible, and nothing shows a change.
    Unverifiable,
    /// Enabled: a person confirmed this version.
    Confirmed,
}

impl Rule {
    /// Why, in words for a technician.
    pub fn why(self) -> &'static str {
        match self {
            Self::NotProcessed => "the credential is not synced",
            Self::Unreadable => "the stored password cannot be opened",
            Self::NotOurs => "the account's password is not ours to set",
            Self::IdentityChanged => "the user name now belongs to another account",
            Self::Duplicate => "two credentials name the same account",
            Self::Unsettled => "the last write is not visible in Entra ID yet",
            Self::ReportKnown => "checked since it and the account last changed",
            Self::VaultChanged => "the password changed in the vault",
            Self::ReportCheck | Self::NotVerified => {
                "this password has not been checked since it or the account changed"
            }
            Self::KnownMatch => "Entra ID already has this password",
            Self::KnownMismatch => "Entra ID does not accept the vault's password",
            Self::UnknownPasses => "the check could not be made yet",
            Self::UnverifiableChanged => {
                "changed in the vault; the password cannot be checked first"
            }
            Self::Unverifiable => "the password cannot be checked and did not change in the vault",
            Self::Confirmed => "a person confirmed this password",
        }
    }
}
