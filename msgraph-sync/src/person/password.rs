//! The password of the person on whose behalf the agent acts: who has it, and why it is not sent or not accepted.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sync_engine::model::{AttemptId, Password, SignIn, UnknownReason, UserPrincipalName, Verdict};

use super::SignInEnd;

/// Who has a person's password, and counts how often it is sent.
#[async_trait]
pub trait PersonPassword: Send + Sync {
    /// The next sign-in, after the last one ended like this. It is written down before this returns, because it may count
    /// towards a lockout whatever becomes of it.
    ///
    /// # Errors
    /// Why there is none now.
    async fn next(&self, end: Option<SignInEnd>) -> Result<PasswordTry, PasswordNotSent>;

    /// What became of it.
    async fn ended(&self, attempt: AttemptId, outcome: &SignIn);
}

/// One sign-in with a person's password.
pub struct PasswordTry {
    /// As it was written down.
    pub attempt: AttemptId,
    /// Who signs in.
    pub user_name: UserPrincipalName,
    /// The password.
    pub password: Password,
}

impl fmt::Debug for PasswordTry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordTry({})", self.attempt)
    }
}

/// Why a person's password is not sent, in the words of whoever has it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("its password is not sent")]
pub struct PasswordNotSent {
    /// Why.
    #[source]
    pub why: Arc<dyn Error + Send + Sync>,
    /// What a person can do about it.
    pub remedy: &'static str,
    /// Whether it is over without anybody's doing.
    pub passes: bool,
}

/// Why a person's password did not begin a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordFault {
    /// It is not the account's.
    Wrong,
    /// The account is locked after too many failures.
    Locked,
    /// It begins or ends with white space, which a sign-in may trim: it was not sent.
    EdgeWhitespace,
    /// The account, or a policy, stands in the way.
    Ended(SignInEnd),
}

impl PasswordFault {
    /// What the answer says: its codes of a sign-in on a person's behalf, and what the verdict table makes of them.
    pub(crate) fn of(verdict: &Verdict, end: Option<SignInEnd>) -> Option<Self> {
        match verdict {
            Verdict::Mismatch => Some(Self::Wrong),
            Verdict::Unknown(UnknownReason::Locked) => Some(Self::Locked),
            _ => end.map(Self::Ended),
        }
    }

    /// What a person can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Wrong => {
                "store the account's right password in the vault, then `passportal sign-in CLIENT`"
            }
            Self::Locked => {
                "find out who signs in to the account with wrong passwords, and wait until the lockout is over"
            }
            Self::EdgeWhitespace => "give the account a password without white space at its ends",
            Self::Ended(SignInEnd::Disabled | SignInEnd::Deleted) => {
                "give the agent an administrator's account that may sign in"
            }
            Self::Ended(SignInEnd::Policy) => {
                "exclude the account from the policy for this machine, or use a certificate instead of a password"
            }
            Self::Ended(_) => {
                "a password alone is not enough: use sign_in = \"certificate\" or \"device-code\""
            }
        }
    }
}

impl fmt::Display for PasswordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong => f.write_str("it is not the account's password"),
            Self::Locked => f.write_str("the account is locked"),
            Self::EdgeWhitespace => f.write_str("it begins or ends with white space"),
            Self::Ended(end) => end.fmt(f),
        }
    }
}
