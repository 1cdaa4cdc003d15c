//! The figures of one cycle, counted from its report.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sync_engine::model::{FlagKind, Outcome, StepKind, UnknownReason, Verdict};
use sync_engine::{CycleReport, Row};

use crate::metrics::CycleNumbers;

/// Counts a cycle that ended at `finished`.
pub fn numbers(report: &CycleReport, finished: Timestamp) -> CycleNumbers {
    let rows = &report.rows;
    let tested = |is: fn(&Verdict) -> bool| count(rows, |row| row.tested.as_ref().is_some_and(is));
    // What stands is counted over all credentials, what happened over those that the cycle looked at.
    let standing = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let mut raised: BTreeMap<FlagKind, u64> = BTreeMap::new();
    for kind in rows.iter().flat_map(|row| &row.raised) {
        *raised.entry(*kind).or_default() += 1;
    }
    CycleNumbers {
        finished,
        pushed: count(rows, |row| {
            row.done == Some(StepKind::Push) && row.outcome == Outcome::Pushed
        }),
        matched: tested(|verdict| *verdict == Verdict::Match),
        mismatched: tested(|verdict| *verdict == Verdict::Mismatch),
        unknown: tested(|verdict| matches!(verdict, Verdict::Unknown(_))),
        raised,
        held: standing(report.flagged(FlagKind::Held)),
        blocked: standing(report.flagged(FlagKind::Blocked)),
        unsettled: standing(report.unsettled()),
        budget_spent: standing(
            report
                .tally
                .with(|outcome| *outcome == Outcome::Unknown(UnknownReason::BudgetSpent)),
        ),
    }
}

fn count(rows: &[Row], is: impl Fn(&Row) -> bool) -> u64 {
    rows.iter().filter(|row| is(row)).count() as u64
}
