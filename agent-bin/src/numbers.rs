//! The figures of one cycle, counted from its report.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use sync_engine::model::{FlagKind, Outcome, UnknownReason, WriteAnswer};
use sync_engine::{CycleReport, Tally};

use crate::metrics::{standing_word, verdict_word};

/// What one successful cycle of a client came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleNumbers {
    /// When it ended.
    pub finished: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Writes that it began, by what came of them.
    pub writes: BTreeMap<WriteAnswer, u64>,
    /// Of each write that Entra ID took, how long after the vault's change that was.
    pub applied_after: Vec<Duration>,
    /// Sign-in tests by verdict.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Flags that were raised anew.
    pub raised: BTreeMap<FlagKind, u64>,
    /// All credentials, by how they stand now.
    pub standing: BTreeMap<&'static str, u32>,
    /// Credentials that are held now.
    pub held: u32,
    /// Credentials that are blocked now.
    pub blocked: u32,
    /// Writes whose effect is not visible now.
    pub unsettled: u32,
    /// Accounts whose budget of failed sign-ins is spent now.
    pub budget_spent: u32,
    /// Failed sign-in tests that the account with the fewest left may still have today.
    pub tests_left: Option<u32>,
}

impl CycleNumbers {
    /// A cycle that did nothing.
    pub fn quiet(finished: Timestamp) -> Self {
        Self {
            finished,
            took: Duration::ZERO,
            writes: BTreeMap::new(),
            applied_after: Vec::new(),
            verdicts: BTreeMap::new(),
            raised: BTreeMap::new(),
            standing: BTreeMap::new(),
            held: 0,
            blocked: 0,
            unsettled: 0,
            budget_spent: 0,
            tests_left: None,
        }
    }

    /// Passwords that Entra ID took.
    pub fn pushed(&self) -> u64 {
        let taken = self.writes.get(&WriteAnswer::Accepted);
        taken.copied().unwrap_or_default()
    }

    /// Sign-in tests.
    pub fn verified(&self) -> u64 {
        self.verdicts.values().sum()
    }
}

/// Counts a cycle that ended at `finished`. What stands is counted over all credentials, what happened over those
/// that the cycle looked at.
pub fn numbers(report: &CycleReport, finished: Timestamp, took: Duration) -> CycleNumbers {
    let rows = &report.rows;
    let writes = rows.iter().filter_map(|row| row.wrote);
    let tested = rows.iter().filter_map(|row| row.tested.as_ref());
    let tally = &report.tally;
    let spent = |outcome: &Outcome| *outcome == Outcome::Unknown(UnknownReason::BudgetSpent);
    CycleNumbers {
        finished,
        took,
        writes: counted(writes.clone().map(|wrote| wrote.answer)),
        applied_after: writes.filter_map(|wrote| wrote.after_change).collect(),
        verdicts: counted(tested.map(verdict_word)),
        raised: counted(rows.iter().flat_map(|row| row.raised.iter().copied())),
        standing: standing(tally),
        held: number(report.flagged(FlagKind::Held)),
        blocked: number(report.flagged(FlagKind::Blocked)),
        unsettled: number(report.unsettled()),
        budget_spent: number(tally.with(spent)),
        tests_left: tally.tests_left,
    }
}

fn counted<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

fn standing(tally: &Tally) -> BTreeMap<&'static str, u32> {
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    for share in &tally.outcomes {
        let count = counts.entry(standing_word(&share.outcome)).or_default();
        *count = count.saturating_add(number(share.credentials));
    }
    counts
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
