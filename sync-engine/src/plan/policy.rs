//! The numbers that a plan obeys. All of them can be set, none of them by the vault or the directory.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ObjectId, UserPrincipalName};

/// The numbers that a plan obeys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether passwords may be tested by signing in.
    pub verification: Verification,
    /// How long a verdict in Report mismatches is good for.
    pub recheck: Duration,
    /// Failed sign-ins at the most, for each account and day.
    pub max_failed_per_day: u32,
    /// The breaker holds more writes an hour than this share of the client's synced accounts …
    pub breaker_percent: u32,
    /// … and than this number.
    pub breaker_minimum: u32,
    /// How long a new password may take to reach every replica.
    pub replication_grace: Duration,
    /// How long a write may take; the lease must outlast it.
    pub write_timeout: Duration,
    /// Foreign overwrites within a day after which a person must approve.
    pub max_overwrites_per_day: u32,
    /// The account that the agent itself signs in with: it goes last.
    pub own_account: Option<OwnAccount>,
}

/// The account that the agent itself signs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAccount {
    /// Its user name, when the agent signed in.
    pub user_name: UserPrincipalName,
    /// Its id, which outlasts a rename; `None` where the sign-in does not tell it.
    pub object: Option<ObjectId>,
    /// What a new password does to the agent's sign-in.
    pub new_password: NewOwnPassword,
}

/// What a new password of the agent's own account does to its sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewOwnPassword {
    /// The agent signs in with it from then on.
    IsUsed,
    /// Entra ID revokes the refresh tokens of the old one, and the agent's is gone: a person must
    /// approve the write first, and sign in again after it.
    EndsSignIn,
}

impl OwnAccount {
    /// Whether an account is this one: by its id, or by its name where that is all that is known.
    pub fn is(&self, user_name: &UserPrincipalName, object: ObjectId) -> bool {
        self.object
            .map_or(self.user_name == *user_name, |own| own == object)
    }
}

impl Policy {
    /// Whether it is the agent's own account.
    pub(crate) fn is_own(&self, user_name: &UserPrincipalName, object: ObjectId) -> bool {
        let own = self.own_account.as_ref();
        own.is_some_and(|own| own.is(user_name, object))
    }

    /// Whether a new password of this account would take the agent's sign-in away.
    pub(crate) fn would_end_sign_in(
        &self,
        user_name: &UserPrincipalName,
        object: ObjectId,
    ) -> bool {
        let own = self.own_account.as_ref();
        own.is_some_and(|own| {
            own.new_password == NewOwnPassword::EndsSignIn && own.is(user_name, object)
        })
    }
}

/// Whether passwords may be tested by signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// They may.
    Allowed,
    /// They may not: every check is Unknown.
    SwitchedOff,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            verification: Verification::Allowed,
            recheck: Duration::from_hours(7 * 24),
            max_failed_per_day: 2,
            breaker_percent: 20,
            breaker_minimum: 10,
            replication_grace: Duration::from_mins(2),
            write_timeout: Duration::from_secs(30),
            max_overwrites_per_day: 3,
            own_account: None,
        }
    }
}
