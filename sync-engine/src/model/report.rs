//! What the engine tells the vault, and what it writes into its own journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    BlockedReason, CredentialId, CycleId, FlagFact, FlagKind, HeldReason, ObjectId, ReportId,
    SignInAttempt, Stamp, UnknownReason, VaultVersion,
};

/// What happened to some credentials. Idempotent: the vault takes each id once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// One entry for each credential that has news.
    pub entries: Vec<ReportEntry>,
}

/// The news of one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportEntry {
    /// Which credential.
    pub credential: CredentialId,
    /// When.
    pub at: Timestamp,
    /// The version of the password that this is about.
    pub version: VaultVersion,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in words for a technician.
    pub why: String,
    /// All of the engine's flags that should stand on the credential now.
    pub flags: BTreeMap<FlagKind, FlagFact>,
}

/// What came of a credential in a cycle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not processed: off, muted or disabled.
    Ignored,
    /// Entra ID accepts what the vault holds.
    Matched,
    /// Entra ID does not accept it, and nothing was written.
    Mismatched,
    /// The password was set in Entra ID, and its new stamp was seen.
    Pushed,
    /// The password was sent, and its effect is not visible yet.
    Unsettled,
    /// Nothing is known.
    Unknown(UnknownReason),
    /// A person must approve first.
    Held(HeldReason),
    /// Left alone.
    Blocked(BlockedReason),
    /// A write failed and is tried again later.
    Failed,
}

/// One line of the journal. Written before a step as its intent, and after it as its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// When.
    pub at: Timestamp,
    /// The cycle that it belongs to.
    pub cycle: CycleId,
    /// Which credential.
    pub credential: CredentialId,
    /// Which account.
    pub object: ObjectId,
    /// Which version of the password.
    pub version: VaultVersion,
    /// The account's stamp before the step.
    pub stamp: Option<Stamp>,
    /// The step.
    pub step: StepKind,
    /// Before it, or after.
    pub phase: Phase,
    /// The rule that asked for it, or what came of it, in words for a technician.
    pub why: String,
    /// The person behind it, who typed the version, confirmed it or approved the plan; `None`
    /// where the engine's rules alone asked for it.
    #[serde(default)]
    pub by: Option<String>,
}

/// The kind of a step that touches the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A sign-in test.
    Verify,
    /// A password write.
    Push,
}

/// Where in a step a journal entry was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the request is sent.
    Intent,
    /// After its answer, or the lack of one.
    Outcome,
}

/// Sign-in tests that are about to be sent, or whose outcome became known. The vault keeps them,
/// so that a fresh state store or another agent does not exceed the lockout budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptNotice {
    /// Which credential.
    pub credential: CredentialId,
    /// The attempt; the vault keeps the newest state of each id.
    pub attempt: SignInAttempt,
}
