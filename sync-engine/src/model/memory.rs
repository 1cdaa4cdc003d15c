//! What the engine remembers of one client between cycles. It holds no password.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    BlockedReason, CredentialId, FlagFact, FlagKind, ObjectId, Outcome, PlanId, SignInAttempt,
    Stamp, SyncMode, VaultEpoch, VaultVersion, Verdict,
};
use crate::plan::HeldPlan;

/// Everything remembered of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Facts of the client as a whole.
    pub client: ClientMemory,
    /// Facts of single credentials.
    pub credentials: BTreeMap<CredentialId, CredentialMemory>,
    /// Plans that the mass-change breaker held.
    #[serde(default)]
    pub plans: BTreeMap<PlanId, HeldPlan>,
}

/// What is remembered of the client and its tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMemory {
    /// The vault history that the memory belongs to; `None` before first contact.
    pub epoch: Option<VaultEpoch>,
    /// "Locked" answers of the last hour: two of them pause verification for the tenant.
    pub locked_answers: Vec<Timestamp>,
    /// No sign-in test before this time.
    pub verification_paused_until: Option<Timestamp>,
    /// Writes within the last day that the rules alone asked for, for the mass-change breaker.
    pub writes: Vec<Timestamp>,
}

/// What is remembered of one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialMemory {
    /// Which credential.
    pub id: CredentialId,
    /// The account behind the user name at first contact, or since a person confirmed another.
    pub object: Option<ObjectId>,
    /// The version and mode that were in force when the vault and the account were last known to
    /// agree, or at first contact. A difference shows that a person changed something.
    pub baseline: Option<Baseline>,
    /// The last result of a sign-in test or of a settled write.
    pub verdict: Option<RememberedVerdict>,
    /// The last Match or own push: this version, at this stamp, was right.
    pub agreed: Option<Agreed>,
    /// The newest version that was ever written, and when.
    pub written: Option<Written>,
    /// A write whose effect is not visible yet.
    pub pending: Option<PendingWrite>,
    /// Sign-in tests of the last day, and those of the current version and stamp.
    pub attempts: Vec<SignInAttempt>,
    /// The account answered "locked": no sign-in test before this time.
    pub paused_until: Option<Timestamp>,
    /// Times of pushes over a foreign change, within the last day.
    pub overwrites: Vec<Timestamp>,
    /// A version that Entra ID refused, and how.
    pub refused: Option<Refused>,
    /// No write before this time: the service asked for patience.
    pub retry_at: Option<Timestamp>,
    /// The confirmation that was acted on: each one counts once.
    pub confirmation_used: Option<Timestamp>,
    /// Of several credentials for one account, a person chose this one.
    pub chosen_for: Option<ObjectId>,
    /// What was last reported of it.
    pub reported: Option<Reported>,
    /// Flags that the engine last reported for it.
    pub raised: BTreeMap<FlagKind, FlagFact>,
}

/// The last outcome that the vault was told, so that quiet cycles repeat nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// The version that it was about.
    pub version: VaultVersion,
    /// The outcome.
    pub outcome: Outcome,
}

/// The newest write to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The version.
    pub version: VaultVersion,
    /// When it was sent.
    pub at: Timestamp,
}

impl Written {
    /// The newer of two versions, and the later of two times.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            version: self.version.max(other.version),
            at: self.at.max(other.at),
        }
    }

    /// Versions of another account or epoch do not compare with later ones: only the time stays.
    fn of_another_history(at: Timestamp) -> Self {
        let version = VaultVersion(0);
        Self { version, at }
    }
}

/// Where a verdict comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictSource {
    /// A sign-in test.
    SignIn,
    /// Our own write, seen by its stamp.
    Push,
}

/// See [`CredentialMemory::baseline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The version then.
    pub version: VaultVersion,
    /// The mode then.
    pub mode: SyncMode,
}

/// The last verdict, valid for exactly this account, version and stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedVerdict {
    /// The account.
    pub object: ObjectId,
    /// The version.
    pub version: VaultVersion,
    /// The stamp.
    pub stamp: Option<Stamp>,
    /// The verdict.
    pub verdict: Verdict,
    /// Where it comes from.
    pub source: VerdictSource,
    /// When.
    pub at: Timestamp,
    /// For a passing Unknown: not again before this time.
    pub next_try: Option<Timestamp>,
    /// How often in a row the answer was a passing Unknown, for the backoff.
    pub tries: u32,
    /// The service's code, for a technician.
    pub code: Option<u32>,
}

/// A version known to be right at a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// The version.
    pub version: VaultVersion,
    /// The stamp.
    pub stamp: Option<Stamp>,
}

/// A write that was sent, or is about to be, and is not settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingWrite {
    /// The account.
    pub object: ObjectId,
    /// The version that was written.
    pub version: VaultVersion,
    /// The stamp before.
    pub before: Option<Stamp>,
    /// When the intent was written down.
    pub since: Timestamp,
    /// When the service took it; `None` while the write is ambiguous: its answer never came.
    pub accepted: Option<Accepted>,
    /// Who asked for it.
    #[serde(default)]
    pub asked: Asked,
}

/// Who asked for a write. What a person asked for does not use up the breaker's hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The rules alone.
    #[default]
    ByRule,
    /// A person confirmed it, or approved the plan that it is part of.
    ByPerson,
}

/// When a write took effect, by the service's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The request was sent.
    pub sent: Timestamp,
    /// The answer was received.
    pub answered: Timestamp,
}

impl Accepted {
    /// A write that took effect at this time exactly.
    pub fn at(time: Timestamp) -> Self {
        Self {
            sent: time,
            answered: time,
        }
    }
}

/// A version of a password that Entra ID or the role matrix refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The version.
    pub version: VaultVersion,
    /// Why.
    pub reason: BlockedReason,
    /// When.
    pub at: Timestamp,
}

impl CredentialMemory {
    /// Before first contact.
    pub fn new(id: CredentialId) -> Self {
        Self {
            id,
            object: None,
            baseline: None,
            verdict: None,
            agreed: None,
            written: None,
            pending: None,
            attempts: Vec::new(),
            paused_until: None,
            overwrites: Vec::new(),
            refused: None,
            retry_at: None,
            confirmation_used: None,
            chosen_for: None,
            reported: None,
            raised: BTreeMap::new(),
        }
    }

    /// The verdict remembered for exactly this account, version and stamp.
    pub fn verdict_for(
        &self,
        object: ObjectId,
        version: VaultVersion,
        stamp: Option<Stamp>,
    ) -> Option<&RememberedVerdict> {
        self.verdict.as_ref().filter(|remembered| {
            remembered.object == object
                && remembered.version == version
                && remembered.stamp == stamp
        })
    }

    /// Vault and account are known to agree on this version, at this stamp.
    pub fn remember_agreement(&mut self, version: VaultVersion, stamp: Option<Stamp>) {
        self.agreed = Some(Agreed { version, stamp });
        self.baseline = Some(Baseline {
            version,
            mode: SyncMode::Enabled,
        });
    }

    /// The newest version that was, or may have been, written.
    pub fn newest_sent(&self) -> Option<VaultVersion> {
        let written = self.written.map(|written| written.version);
        let pending = self.pending.as_ref().map(|pending| pending.version);
        written.max(pending)
    }

    fn last_sent(&self) -> Option<Timestamp> {
        let written = self.written.map(|written| written.at);
        let pending = self.pending.as_ref().map(|pending| pending.since);
        written.max(pending)
    }

    /// Forgets what was known of the account, as before first contact. Sign-in tests stay, and when
    /// the last write was sent: they happened.
    pub fn forget_contact(&mut self) {
        let kept = Self {
            written: self.last_sent().map(Written::of_another_history),
            attempts: std::mem::take(&mut self.attempts),
            paused_until: self.paused_until,
            overwrites: std::mem::take(&mut self.overwrites),
            confirmation_used: self.confirmation_used,
            reported: self.reported.take(),
            raised: std::mem::take(&mut self.raised),
            ..Self::new(self.id)
        };
        *self = kept;
    }
}
