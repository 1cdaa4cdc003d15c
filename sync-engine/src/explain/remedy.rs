//! What a person can do where the engine waits for one.

use crate::model::{BlockedReason, HeldReason, ResetRole, UnknownReason};

/// What a person can do about a write that is held.
pub fn of_hold(reason: HeldReason) -> &'static str {
    match reason {
        HeldReason::ForeignOverwrites => {
            "find who changes the password in Entra ID (a person, a script, a risk policy), then confirm the credential"
        }
        HeldReason::Unverifiable(_) => {
            "confirm the credential if the vault's password is the right one, or type the right one into the vault"
        }
        HeldReason::OwnSignIn => {
            "confirm the credential, and sign the agent in again with `passportal setup` right after it; or let the agent sign in as an app"
        }
        HeldReason::MassChange => {
            "look at the plan, then approve or reject it; or confirm this credential alone"
        }
        HeldReason::Rejected => {
            "type another password into the vault, or confirm the credential if it is right after all"
        }
        HeldReason::OlderVersion => {
            "type the password into the vault once more, so that it is the newest version"
        }
        HeldReason::Unsafe => "nothing; if it stays for more than a few cycles, report it as a bug",
    }
}

/// What a person can do about an account that is left alone.
pub fn of_block(reason: BlockedReason) -> &'static str {
    match reason {
        BlockedReason::NotInDirectory => {
            "correct the credential's user name, create the account, or switch the credential Off"
        }
        BlockedReason::Guest => {
            "switch the credential Off: a guest's password belongs to another tenant"
        }
        BlockedReason::AccountDisabled => {
            "enable the account in Entra ID, or disable the credential"
        }
        BlockedReason::OnPremises => {
            "change the password in the on-premises Active Directory, and switch the credential Off"
        }
        BlockedReason::Federated => {
            "change the password at the domain's own identity provider, and switch the credential Off"
        }
        BlockedReason::IdentityChanged => {
            "confirm the credential if the new account is the right one"
        }
        BlockedReason::Duplicate => {
            "confirm the credential that is right, or disable the other one"
        }
        BlockedReason::Unreadable => "type the password into the vault again",
        BlockedReason::Policy(_) => "type a password into the vault that Entra ID can accept",
        BlockedReason::Rejected => {
            "type another password into the vault, or confirm the credential to send this one again"
        }
        BlockedReason::NotAllowed => {
            "give the agent the role that it lacks, then confirm the credential"
        }
        BlockedReason::RoleMissing(role) => of_missing_role(role),
    }
}

fn of_missing_role(role: ResetRole) -> &'static str {
    match role {
        ResetRole::UserAdministrator => {
            "assign the role User Administrator to the agent in Entra ID, or set the mode to Report mismatches; the agent looks at its roles every hour"
        }
        ResetRole::PrivilegedAuthenticationAdministrator => {
            "assign the role Privileged Authentication Administrator to the agent in Entra ID, or set the mode to Report mismatches; the agent looks at its roles every hour"
        }
    }
}

/// What a person can do about a password that cannot be checked; `None` where waiting helps.
pub fn of_unknown(reason: UnknownReason) -> Option<&'static str> {
    match reason {
        UnknownReason::Locked
        | UnknownReason::Throttled
        | UnknownReason::Unavailable
        | UnknownReason::Replicating
        | UnknownReason::BudgetSpent => None,
        UnknownReason::Interrupted => Some(
            "compare the password by hand; it is not tested again until it or the account changes",
        ),
        UnknownReason::SwitchedOff => {
            Some("switch the sign-in test on in the agent's configuration")
        }
        UnknownReason::EdgeWhitespace => {
            Some("type a password without white space at its edges into the vault")
        }
        UnknownReason::NotPermitted => Some(
            "allow the sign-in test in the tenant (multi-factor authentication and Conditional Access forbid it), or compare by hand",
        ),
        UnknownReason::NotManaged => {
            Some("change the password at the account's own identity provider")
        }
        UnknownReason::Inconclusive => {
            Some("look the code up at Microsoft, and compare the password by hand")
        }
    }
}
