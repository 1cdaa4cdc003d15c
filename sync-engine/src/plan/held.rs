//! Plans that the mass-change breaker held, and what a person said about them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Action, Decision, Target};
use crate::model::{CredentialId, DirectoryView, PlanId, VaultView};

/// A plan that the mass-change breaker held. Plain data without a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPlan {
    /// Its id.
    pub id: PlanId,
    /// When it was held.
    pub at: Timestamp,
    /// How many more writes the breaker would have let pass then.
    #[serde(default)]
    pub allowed: usize,
    /// The writes that it would have made, in order.
    pub writes: Vec<Decision>,
    /// What a person said about it.
    #[serde(default)]
    pub standing: PlanStanding,
}

/// What a person said about a held plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStanding {
    /// Nothing yet: its writes are held.
    #[default]
    Waiting,
    /// Exactly its writes may be made.
    Approved(Word),
    /// Exactly its writes must not be made.
    Rejected(Word),
}

/// Who said something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// An e-mail address at the vault, or a local user.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What a person says about a held plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// Make exactly these writes.
    Approve,
    /// Make none of them.
    Reject,
}

/// A person's word about one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRuling {
    /// Which plan.
    pub plan: PlanId,
    /// What.
    pub ruling: Ruling,
    /// Who, and when.
    pub word: Word,
}

impl HeldPlan {
    /// Whether it waits for a person.
    pub fn is_waiting(&self) -> bool {
        self.standing == PlanStanding::Waiting
    }

    /// Whether its writes are exactly these.
    pub(crate) fn is_of(&self, writes: &[Decision]) -> bool {
        self.writes.len() == writes.len()
            && self
                .writes
                .iter()
                .zip(writes)
                .all(|(held, write)| is_same_write(held, write))
    }

    /// Whether one of its writes could still be made as it was planned.
    pub(crate) fn is_alive(&self, vault: &VaultView, directory: &DirectoryView) -> bool {
        self.writes
            .iter()
            .any(|write| write.is_unmoved(vault, directory))
    }

    /// Takes a person's word.
    pub(crate) fn take(&mut self, ruling: &PlanRuling) {
        let word = ruling.word.clone();
        self.standing = match ruling.ruling {
            Ruling::Approve => PlanStanding::Approved(word),
            Ruling::Reject => PlanStanding::Rejected(word),
        };
    }
}

impl Decision {
    /// Whether it is a write whose version and stamp are still those that it was planned for.
    pub(crate) fn is_unmoved(&self, vault: &VaultView, directory: &DirectoryView) -> bool {
        let Action::Push(Target { object, stamp }) = self.action else {
            return false;
        };
        let credential = vault.credentials.get(&self.credential);
        let account = directory.account(object);
        credential.is_some_and(|it| it.version == self.version)
            && account.is_some_and(|it| it.stamp == stamp)
    }
}

/// The held plans by the credentials that they are about.
pub(crate) struct Words<'a>(BTreeMap<CredentialId, Vec<(&'a Decision, &'a HeldPlan)>>);

impl<'a> Words<'a> {
    pub(crate) fn of(plans: &'a BTreeMap<PlanId, HeldPlan>) -> Self {
        let mut words: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for plan in plans.values() {
            for write in &plan.writes {
                words
                    .entry(write.credential)
                    .or_default()
                    .push((write, plan));
            }
        }
        Self(words)
    }

    /// The plan that this very write is part of: the same version, for the same account, which
    /// still has the same stamp.
    pub(crate) fn about(&self, write: &Decision) -> Option<&'a HeldPlan> {
        let plans = self.0.get(&write.credential)?;
        let same = plans.iter().find(|(held, _)| is_same_write(held, write));
        same.map(|(_, plan)| *plan)
    }

    pub(crate) fn is_rejected(&self, write: &Decision) -> bool {
        let standing = self.about(write).map(|plan| &plan.standing);
        matches!(standing, Some(PlanStanding::Rejected(_)))
    }

    /// Who approved this write.
    pub(crate) fn approved_by(&self, write: &Decision) -> Option<&'a str> {
        match &self.about(write)?.standing {
            PlanStanding::Approved(word) => Some(&word.by),
            PlanStanding::Waiting | PlanStanding::Rejected(_) => None,
        }
    }
}

/// Whether two decisions are one and the same write.
fn is_same_write(one: &Decision, other: &Decision) -> bool {
    matches!(one.action, Action::Push(_))
        && one.credential == other.credential
        && one.version == other.version
        && one.action == other.action
}
