//! A person on whose behalf the agent acts: signed in once, remembered by a refresh token.

mod password;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use sync_engine::ports::Cause;

pub use self::password::{PasswordFault, PasswordNotSent, PasswordTry, PersonPassword};

/// A person who signed in once. The app is a public client, with nothing to prove who it is; the refresh token is the
/// credential.
#[derive(Clone)]
pub struct SignedInPerson {
    /// The refresh token that is kept now.
    pub refresh_token: SecretString,
    /// Where the next one is kept.
    pub keeper: Arc<dyn RefreshTokenKeeper>,
    /// The password, for when no refresh token is of use any more; without it only the person can sign in anew.
    pub password: Option<Arc<dyn PersonPassword>>,
}

/// Where a person's refresh token survives a restart.
#[async_trait]
pub trait RefreshTokenKeeper: Send + Sync {
    /// The token that is kept now: the person may have signed in again, in another process.
    async fn kept(&self) -> Result<SecretString, Cause>;

    /// Keeps a new token instead of `replaced`, which was kept before it. Where yet another one is kept by now, because the
    /// person signed in anew, that one stays. Durable when it returns; when it fails, the old one is still kept.
    async fn keep(&self, replaced: &SecretString, token: &SecretString) -> Result<(), Cause>;
}

impl fmt::Debug for SignedInPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedInPerson(redacted)")
    }
}

/// Why a person's sign-in is over, and only a person can begin another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInEnd {
    /// Its sign-ins were revoked, by a new password mostly.
    Revoked,
    /// It was not used for too long.
    Idle,
    /// A policy limits how long a sign-in lasts.
    Frequency,
    /// The account may not sign in any more.
    Disabled,
    /// The account is gone.
    Deleted,
    /// Entra ID asks for something that only a person can give.
    Interaction,
    /// A policy does not let it through.
    Policy,
    /// The refresh token is not one of this app and tenant.
    Unknown,
}

impl SignInEnd {
    /// Whether the password, sent once more, may begin another sign-in.
    pub fn is_mended_by_password(self) -> bool {
        match self {
            Self::Revoked | Self::Idle | Self::Frequency | Self::Unknown => true,
            Self::Disabled | Self::Deleted | Self::Interaction | Self::Policy => false,
        }
    }

    /// What a person can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Disabled | Self::Deleted => {
                "sign in again with an administrator's account that may sign in: `passportal sign-in CLIENT`"
            }
            Self::Policy => {
                "let the tenant's Conditional Access allow the app from this machine, then sign in again: \
                 `passportal sign-in CLIENT`"
            }
            Self::Revoked | Self::Idle | Self::Frequency | Self::Interaction | Self::Unknown => {
                "sign in again: `passportal sign-in CLIENT`"
            }
        }
    }
}

impl fmt::Display for SignInEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Revoked => "its password was changed or reset, or its sign-ins were revoked",
            Self::Idle => "it was not used for too long",
            Self::Frequency => "a policy of the tenant limits how long a sign-in lasts",
            Self::Disabled => "the account is disabled",
            Self::Deleted => "the account does not exist any more",
            Self::Interaction => "Entra ID asks for another proof, which only a person can give",
            Self::Policy => "a policy of the tenant does not allow it",
            Self::Unknown => "its refresh token is not one of this app and tenant",
        })
    }
}
