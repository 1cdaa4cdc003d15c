//! What flags and modes are called: the API's words in addresses, and the words that people know.

use super::{FlagKind, SyncMode};

impl FlagKind {
    /// Every kind, in order of urgency.
    pub const ALL: [Self; 5] = [
        Self::AdChange,
        Self::Held,
        Self::Blocked,
        Self::PasswordExpired,
        Self::PasswordTouched,
    ];

    /// The kinds that an agent raises and takes down. The others are the vault's own.
    pub const BY_AGENTS: [Self; 3] = [Self::AdChange, Self::Held, Self::Blocked];

    /// As addresses and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AdChange => "ad_change",
            Self::Held => "held",
            Self::Blocked => "blocked",
            Self::PasswordExpired => "password_expired",
            Self::PasswordTouched => "password_touched",
        }
    }

    /// As people know it.
    pub fn label(self) -> &'static str {
        match self {
            Self::AdChange => "AD change",
            Self::Held => "Held",
            Self::Blocked => "Blocked",
            Self::PasswordExpired => "Password expired",
            Self::PasswordTouched => "Password touched",
        }
    }
}

impl SyncMode {
    /// Every mode, the least first.
    pub const ALL: [Self; 3] = [Self::Off, Self::ReportMismatches, Self::Enabled];

    /// As addresses and JSON write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::ReportMismatches => "report_mismatches",
            Self::Enabled => "enabled",
        }
    }

    /// As people know it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::ReportMismatches => "Report mismatches",
            Self::Enabled => "Enabled",
        }
    }
}

/// The credential types of accounts in Entra ID. A credential may have another one.
pub mod credential_type {
    /// An administrator's account.
    pub const ADMIN: &str = "Azure/Office365 Admin";
    /// Anybody else's account; what a new credential is unless somebody says otherwise.
    pub const USER: &str = "Azure/Office365 User";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_addresses_and_in_json() {
        for kind in FlagKind::ALL {
            assert_eq!(serde_json::json!(kind), kind.name());
        }
        for mode in SyncMode::ALL {
            assert_eq!(serde_json::json!(mode), mode.name());
        }
    }
}
