//! What a plan is made of: one decision for each credential.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Rule;
use crate::model::{
    BlockedReason, CredentialId, FlagFact, FlagKind, HeldReason, ObjectId, Stamp, SyncMode,
    UnknownReason, UserPrincipalName, VaultVersion,
};

/// What one cycle does, in the order in which it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// One decision for each credential that was looked at.
    pub decisions: Vec<Decision>,
    /// How many credentials are synced at all: the mass-change breaker's measure.
    pub synced: usize,
}

/// What happens to one credential, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Which credential.
    pub credential: CredentialId,
    /// The account it is for.
    pub user_name: UserPrincipalName,
    /// Its mode.
    pub mode: SyncMode,
    /// The version of its password.
    pub version: VaultVersion,
    /// The row of the decision table that applied.
    pub rule: Rule,
    /// What to do.
    pub action: Action,
    /// All of the engine's flags that should stand on it.
    pub flags: BTreeMap<FlagKind, FlagFact>,
}

/// What to do with one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Nothing for now.
    Wait(Pause),
    /// Test the password by signing in with it.
    Verify(Target),
    /// Set the password.
    Push(Target),
    /// Let a person approve first.
    Hold(HeldReason),
    /// Leave the account alone.
    Block(BlockedReason),
}

/// Why nothing is done for now, and until when; no time means: until something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why.
    pub why: PauseReason,
    /// When to look again.
    pub until: Option<Timestamp>,
}

/// Why nothing is done for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// A write is not visible in Entra ID yet.
    Unsettled,
    /// The password could not be checked.
    Unknown(UnknownReason),
    /// The service asked for patience with a write.
    Patience,
}

/// The account that a step is for, as it was when the step was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The account.
    pub object: ObjectId,
    /// Its password stamp.
    pub stamp: Option<Stamp>,
}
