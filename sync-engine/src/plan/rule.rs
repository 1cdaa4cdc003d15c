//! The rows of the decision table: their names, their order, and what they say in words.

use serde::{Deserialize, Serialize};

/// A row of the decision table. The first row that applies to a credential wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Client muted, Microsoft sync None, mode Off, or credential disabled.
    NotProcessed,
    /// Not in the directory, guest, disabled, synced from on-premises, or federated.
    NotOurs,
    /// The user name resolves to another account than at first contact.
    IdentityChanged,
    /// Two active credentials name one account.
    Duplicate,
    /// The vault's envelope does not open.
    Unreadable,
    /// A write to the account is not settled yet.
    Unsettled,
    /// Report mismatches: there is a verdict.
    ReportKnown,
    /// Enabled: a person confirmed this version.
    Confirmed,
    /// Enabled: the version changed and the account still has what we last agreed on.
    VaultChanged,
    /// Enabled: a remembered Match.
    KnownMatch,
    /// Enabled: a remembered Mismatch.
    KnownMismatch,
    /// An Unknown that passes, or a check that must wait.
    UnknownPasses,
    /// Report mismatches: no verdict for this version and stamp, or the slow re-check is due.
    ReportCheck,
    /// Enabled: no verdict for this version and stamp.
    NotVerified,
    /// Enabled: verification is impossible, and a person changed the version or the mode.
    UnverifiableChanged,
    /// Enabled: verification is impossible, and nothing shows a change.
    Unverifiable,
}

/// What one row says, in words for a technician.
struct Words {
    /// When it applies, if no row above it does.
    condition: &'static str,
    /// What the engine does then.
    action: &'static str,
    /// What a person can do about it; nothing where nothing is wrong.
    remedy: Option<&'static str>,
    /// Why, in the journal and in reports.
    why: &'static str,
}

impl Rule {
    /// Every row, in the order in which the planner tries them.
    pub const ALL: [Self; 16] = [
        Self::NotProcessed,
        Self::NotOurs,
        Self::IdentityChanged,
        Self::Duplicate,
        Self::Unreadable,
        Self::Unsettled,
        Self::ReportKnown,
        Self::Confirmed,
        Self::VaultChanged,
        Self::KnownMatch,
        Self::KnownMismatch,
        Self::UnknownPasses,
        Self::ReportCheck,
        Self::NotVerified,
        Self::UnverifiableChanged,
        Self::Unverifiable,
    ];

    /// Why, in words for a technician.
    pub fn why(self) -> &'static str {
        self.words().why
    }

    /// When the row applies, if no row before it does.
    pub fn condition(self) -> &'static str {
        self.words().condition
    }

    /// What the engine does where the row applies.
    pub fn action(self) -> &'static str {
        self.words().action
    }

    /// What a person can do about it; `None` where nothing is wrong.
    pub fn remedy(self) -> Option<&'static str> {
        self.words().remedy
    }

    const fn words(self) -> &'static Words {
        match self {
            Self::NotProcessed => &NOT_PROCESSED,
            Self::NotOurs => &NOT_OURS,
            Self::IdentityChanged => &IDENTITY_CHANGED,
            Self::Duplicate => &DUPLICATE,
            Self::Unreadable => &UNREADABLE,
            Self::Unsettled => &UNSETTLED,
            Self::ReportKnown => &REPORT_KNOWN,
            Self::Confirmed => &CONFIRMED,
            Self::VaultChanged => &VAULT_CHANGED,
            Self::KnownMatch => &KNOWN_MATCH,
            Self::KnownMismatch => &KNOWN_MISMATCH,
            Self::UnknownPasses => &UNKNOWN_PASSES,
            Self::ReportCheck => &REPORT_CHECK,
            Self::NotVerified => &NOT_VERIFIED,
            Self::UnverifiableChanged => &UNVERIFIABLE_CHANGED,
            Self::Unverifiable => &UNVERIFIABLE,
        }
    }
}

const NOT_PROCESSED: Words = Words {
    condition: "the client is muted, its Microsoft sync is None, the mode is Off, or the credential is disabled",
    action: "nothing; every flag of the engine is cleared",
    remedy: Some("set the mode, unmute the client, or enable the credential"),
    why: "the credential is not synced",
};

const NOT_OURS: Words = Words {
    condition: "the account is not in the directory, a guest (`#EXT#` members too), disabled, synced from on-premises, or of a domain that is not managed",
    action: "Blocked; no sign-in test, no write, no mismatch flag",
    remedy: Some("mend the account in Entra ID, or switch the credential Off"),
    why: "the account's password is not ours to set",
};

const IDENTITY_CHANGED: Words = Words {
    condition: "the user name resolves to another object id than at first contact",
    action: "Blocked; no sign-in test, no write, no mismatch flag",
    remedy: Some("confirm the credential, if the other account is the right one"),
    why: "the user name now belongs to another account",
};

const DUPLICATE: Words = Words {
    condition: "another active credential names the same account, and a person did not choose this one",
    action: "Blocked; no sign-in test, no write, no mismatch flag",
    remedy: Some("confirm the one that is right, or disable the other"),
    why: "two credentials name the same account",
};

const UNREADABLE: Words = Words {
    condition: "the vault's envelope does not open with the client's key",
    action: "Blocked; no sign-in test, no write, no mismatch flag",
    remedy: Some("type the password into the vault again"),
    why: "the stored password cannot be opened",
};

const UNSETTLED: Words = Words {
    condition: "a write to the account was sent, for this credential or another one, and its effect is not known yet",
    action: "wait for the account's new stamp, at the most for the replication grace",
    remedy: None,
    why: "the last write is not visible in Entra ID yet",
};

const REPORT_KNOWN: Words = Words {
    condition: "Report mismatches: a verdict for this version and stamp that is still good, or a password that can never be tested",
    action: "nothing is written; Match clears the flag, Mismatch raises it, Unknown does neither",
    remedy: Some(
        "if they differ: type the right password into the vault, or set the mode to Enabled",
    ),
    why: "checked since it and the account last changed",
};

const CONFIRMED: Words = Words {
    condition: "Enabled: a person confirmed this version, and it differs from the account's password or cannot be checked",
    action: "Push, outside the breaker's hour; the word counts once",
    remedy: None,
    why: "a person confirmed this password",
};

const VAULT_CHANGED: Words = Words {
    condition: "Enabled: the vault's version is newer than the last agreement, and the stamp is still that of the agreement; newer by several versions, only once it was checked, or while no check can be made",
    action: "Push: after one change without a sign-in test, since the passwords are known to differ",
    remedy: None,
    why: "the password changed in the vault",
};

const KNOWN_MATCH: Words = Words {
    condition: "Enabled: a remembered Match; where no check is possible, an agreement on this version and stamp",
    action: "nothing: a needless reset signs the user out everywhere",
    remedy: None,
    why: "Entra ID already has this password",
};

const KNOWN_MISMATCH: Words = Words {
    condition: "Enabled: a remembered Mismatch",
    action: "Push; Held once others overwrote it too often within a day",
    remedy: Some("if it is Held: find who changes it in Entra ID, then confirm"),
    why: "Entra ID does not accept the vault's password",
};

const UNKNOWN_PASSES: Words = Words {
    condition: "a sign-in test is wanted and must wait: the account or the tenant is paused, the budget is spent, a write is still spreading, or the last answer was an Unknown that passes",
    action: "wait, with the time of the next try",
    remedy: None,
    why: "the check could not be made yet",
};

const REPORT_CHECK: Words = Words {
    condition: "Report mismatches: no verdict for this version and stamp, or the slow re-check is due",
    action: "Verify, once for each version and stamp",
    remedy: None,
    why: NOT_CHECKED,
};

const NOT_VERIFIED: Words = Words {
    condition: "Enabled: no verdict for this version and stamp, or an Unknown whose next try is due",
    action: "Verify, once for each version and stamp",
    remedy: None,
    why: NOT_CHECKED,
};

const UNVERIFIABLE_CHANGED: Words = Words {
    condition: "Enabled: no check is possible, and the version or the mode changed since the last agreement or first contact",
    action: "Push",
    remedy: None,
    why: "changed in the vault; the password cannot be checked first",
};

const UNVERIFIABLE: Words = Words {
    condition: "Enabled: no check is possible, and nothing shows a change",
    action: "Held; no write",
    remedy: Some("confirm the credential, if the vault's password is the right one"),
    why: "the password cannot be checked and did not change in the vault",
};

const NOT_CHECKED: &str = "this password has not been checked since it or the account changed";
