//! The result of checking a password, and the flags and reasons that the engine speaks in.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AttemptState, PolicyRefusal, ResetRole};

/// The result of checking a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Entra ID accepts what the vault holds.
    Match,
    /// Entra ID does not accept it.
    Mismatch,
    /// Nothing is known. It never raises a mismatch flag.
    Unknown(UnknownReason),
}

/// Why nothing is known of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReason {
    /// Smart lockout, or an address that Entra ID refuses: answered whatever the password is.
    Locked,
    /// The service asked us to slow down.
    Throttled,
    /// The service was not available or did not answer.
    Unavailable,
    /// A password that was just set may not have reached every replica.
    Replicating,
    /// The lockout budget of this account is spent.
    BudgetSpent,
    /// An earlier test of this password was sent and its outcome never became known.
    Interrupted,
    /// The sign-in test is switched off.
    SwitchedOff,
    /// White space at an edge of the password.
    EdgeWhitespace,
    /// The tenant or the application does not allow the sign-in test.
    NotPermitted,
    /// Federated: another system checks the password.
    NotManaged,
    /// Entra ID answered something that says nothing of the password.
    Inconclusive,
}

impl UnknownReason {
    /// Whether waiting helps. Where it does not, verification is impossible.
    pub fn passes(self) -> bool {
        matches!(
            self,
            Self::Locked
                | Self::Throttled
                | Self::Unavailable
                | Self::Replicating
                | Self::BudgetSpent
        )
    }
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "the account is locked for now",
            Self::Throttled => "Entra ID asked to slow down",
            Self::Unavailable => "Entra ID did not answer",
            Self::Replicating => "a new password is still spreading through Entra ID",
            Self::BudgetSpent => "no more sign-in tests today, so that nobody is locked out",
            Self::Interrupted => {
                "an earlier sign-in test of this password failed, or ended without a known outcome"
            }
            Self::SwitchedOff => "the sign-in test is switched off",
            Self::EdgeWhitespace => "a password with white space at an edge cannot be tested",
            Self::NotPermitted => "the tenant does not allow the sign-in test",
            Self::NotManaged => "another identity provider checks this password",
            Self::Inconclusive => "Entra ID's answer says nothing about the password",
        })
    }
}

/// What a sign-in test answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// What it says of the password.
    pub verdict: Verdict,
    /// Whether Entra ID may have counted it towards a lockout.
    pub counted: bool,
    /// The service's own code (`AADSTS` number), for a technician.
    pub code: Option<u32>,
    /// When to try again, where the service said so.
    pub retry_at: Option<Timestamp>,
}

impl SignIn {
    /// What became of the attempt. A "locked" answer counts as failed, so that an agent without this memory keeps away too.
    pub fn attempt_state(&self) -> AttemptState {
        let locked = self.verdict == Verdict::Unknown(UnknownReason::Locked);
        if self.counted || locked {
            AttemptState::Failed
        } else {
            AttemptState::Passed
        }
    }

    /// The password is right, which costs nothing.
    pub fn matched() -> Self {
        Self {
            verdict: Verdict::Match,
            counted: false,
            code: None,
            retry_at: None,
        }
    }

    /// The password is wrong, and this may have been counted towards a lockout.
    pub fn mismatched() -> Self {
        Self {
            verdict: Verdict::Mismatch,
            counted: true,
            ..Self::matched()
        }
    }

    /// The answer says nothing of the password, and was not counted.
    pub fn unknown(reason: UnknownReason) -> Self {
        Self {
            verdict: Verdict::Unknown(reason),
            ..Self::matched()
        }
    }
}

/// A flag that the engine raises on a credential. The vault raises others by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagKind {
    /// `AD change`: Entra ID no longer accepts what the vault holds.
    AdChange,
    /// A person must approve first.
    Held,
    /// The account cannot or must not be written.
    Blocked,
}

/// Why a write waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldReason {
    /// Three foreign overwrites within a day: somebody, or a risk policy, is fighting the vault.
    ForeignOverwrites,
    /// The password cannot be checked, and nothing shows that it changed in the vault.
    Unverifiable(UnknownReason),
    /// It is the account that the agent is signed in as, and a new password ends that.
    OwnSignIn,
    /// Too many writes within an hour for this client.
    MassChange,
    /// A person rejected the plan that this write was part of.
    Rejected,
    /// The version to write is older than one that was written.
    OlderVersion,
    /// A write that the rules should never have asked for.
    Unsafe,
}

impl fmt::Display for HeldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignOverwrites => f.write_str(
                "the password was changed in Entra ID three times within a day; somebody is fighting the vault",
            ),
            Self::Unverifiable(why) => write!(
                f,
                "the password cannot be checked ({why}) and did not change in the vault"
            ),
            Self::OwnSignIn => f.write_str(
                "the agent is signed in as this account, and a new password would sign it out",
            ),
            Self::MassChange => f.write_str("too many password changes within an hour"),
            Self::Rejected => f.write_str("a person rejected this password change"),
            Self::Unsafe => f.write_str("a safety check stopped this write"),
            Self::OlderVersion => f.write_str("a newer version of this password was already written"),
        }
    }
}

/// Why an account is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedReason {
    /// No account has this user name.
    NotInDirectory,
    /// An invited guest.
    Guest,
    /// Disabled in Entra ID.
    AccountDisabled,
    /// Synced from an on-premises Active Directory.
    OnPremises,
    /// Its domain is federated.
    Federated,
    /// The user name resolves to another account than at first contact.
    IdentityChanged,
    /// Two active credentials name the same account.
    Duplicate,
    /// The vault's envelope of this password does not open.
    Unreadable,
    /// Entra ID cannot accept this password.
    Policy(PolicyRefusal),
    /// Entra ID refused this version of the password.
    Rejected,
    /// The agent may not reset this account.
    NotAllowed,
    /// The agent lacks this role, which it needs to reset the account.
    RoleMissing(ResetRole),
}

impl fmt::Display for BlockedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInDirectory => f.write_str("no account in Entra ID has this user name"),
            Self::Guest => f.write_str("the account is a guest of this tenant"),
            Self::AccountDisabled => f.write_str("the account is disabled in Entra ID"),
            Self::OnPremises => {
                f.write_str("the account is synced from an on-premises Active Directory")
            }
            Self::Federated => f.write_str("the account's domain is federated"),
            Self::IdentityChanged => {
                f.write_str("the user name now belongs to another account than before")
            }
            Self::Duplicate => f.write_str("another credential names the same account"),
            Self::Unreadable => {
                f.write_str("the stored password does not open with this client's key")
            }
            Self::Policy(refusal) => write!(f, "Entra ID cannot accept this password: {refusal}"),
            Self::Rejected => f.write_str("Entra ID refused this password"),
            Self::NotAllowed => f.write_str("the agent is not allowed to reset this account"),
            Self::RoleMissing(role) => write!(
                f,
                "the agent is not allowed to reset this account: it needs the role {role}"
            ),
        }
    }
}
