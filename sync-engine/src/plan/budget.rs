//! The lockout budget: how often an account may be signed in to at all.
//!
//! Every attempt that may have counted at Entra ID is written down before it is sent, so this
//! holds over restarts, a lost state and a second agent. It belongs to the account: a second
//! credential for the same one has no budget of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::Policy;
use crate::model::{
    AttemptState, CredentialMemory, ObjectId, SignInAttempt, Stamp, UnknownReason, VaultVersion,
    Verdict,
};

/// The window of [`Policy::max_failed_per_day`].
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// Whether a sign-in test may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    /// It may.
    Now,
    /// Not before this time.
    Later(Timestamp),
    /// This password was tested at this stamp and failed, or its test never ended: not again.
    Never,
}

/// What happened to each account, whichever credential it happened through.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// When each sign-in test that may have counted was written down.
    counted: BTreeMap<ObjectId, Vec<Timestamp>>,
    /// Accounts that answered "locked", and until when they are left alone.
    paused: BTreeMap<ObjectId, Timestamp>,
    /// When each write was sent that may not be settled.
    pending: BTreeMap<ObjectId, Timestamp>,
    /// When each account was written last.
    written: BTreeMap<ObjectId, Timestamp>,
}

impl Ledger {
    /// Of all memories that may tell of the accounts in question.
    pub(super) fn of<'a>(memories: impl Iterator<Item = &'a CredentialMemory>) -> Self {
        let mut ledger = Self::default();
        for known in memories {
            for attempt in known.attempts.iter().filter(|it| it.state.counts()) {
                let counted = ledger.counted.entry(attempt.object).or_default();
                counted.push(attempt.at);
            }
            note_latest(&mut ledger.paused, known.object, known.paused_until);
            let written = known.written.map(|written| written.at);
            note_latest(&mut ledger.written, known.object, written);
            if let Some(pending) = &known.pending {
                note_latest(
                    &mut ledger.pending,
                    Some(pending.object),
                    Some(pending.since),
                );
            }
        }
        ledger
    }

    /// Whether a write to the account may take effect any moment, or is not visible yet.
    pub(super) fn is_unsettled(&self, object: ObjectId, policy: &Policy, now: Timestamp) -> bool {
        let since = self.pending.get(&object);
        let end = since.and_then(|since| since.checked_add(policy.replication_grace).ok());
        end.is_some_and(|end| end > now)
    }

    /// When the account was written last.
    pub(super) fn written(&self, object: ObjectId) -> Option<Timestamp> {
        self.written.get(&object).copied()
    }

    /// Until when an account that answered "locked" is left alone.
    pub(super) fn paused_until(&self, object: ObjectId) -> Option<Timestamp> {
        self.paused.get(&object).copied()
    }

    /// When the attempts of the last day leave the window, earliest first.
    fn ends(&self, object: ObjectId, now: Timestamp) -> Vec<Timestamp> {
        let counted = self.counted.get(&object).into_iter().flatten();
        let mut ends: Vec<_> = counted.filter_map(|at| day_after(*at, now)).collect();
        ends.sort_unstable();
        ends
    }
}

/// How many failed sign-in tests an account may still have today: the fewest over all of these.
pub(crate) fn fewest_left<'a>(
    memories: impl Iterator<Item = &'a CredentialMemory>,
    policy: &Policy,
    now: Timestamp,
) -> u32 {
    let ledger = Ledger::of(memories);
    let used = ledger.counted.keys().map(|it| ledger.ends(*it, now).len());
    let used = u32::try_from(used.max().unwrap_or_default()).unwrap_or(u32::MAX);
    policy.max_failed_per_day.saturating_sub(used)
}

fn note_latest(
    latest: &mut BTreeMap<ObjectId, Timestamp>,
    object: Option<ObjectId>,
    at: Option<Timestamp>,
) {
    if let (Some(object), Some(at)) = (object, at) {
        let known = latest.entry(object).or_insert(at);
        *known = at.max(*known);
    }
}

/// Whether `version` may be tested on `object` at `stamp` now.
pub(super) fn allowance(
    ledger: &Ledger,
    memory: &CredentialMemory,
    object: ObjectId,
    version: VaultVersion,
    stamp: Option<Stamp>,
    policy: &Policy,
    now: Timestamp,
) -> Allowance {
    if is_spent(memory, object, version, stamp) {
        return Allowance::Never;
    }
    let ends = ledger.ends(object, now);
    let most = policy.max_failed_per_day as usize;
    // With `most` or more in the window, the next is free when all but `most - 1` have left it.
    match ends.len().checked_sub(most) {
        None => Allowance::Now,
        Some(over) => ends
            .get(over)
            .map_or(Allowance::Never, |free| Allowance::Later(*free)),
    }
}

/// Whether the one failed test of this password at this stamp has been made, or may have been.
fn is_spent(
    memory: &CredentialMemory,
    object: ObjectId,
    version: VaultVersion,
    stamp: Option<Stamp>,
) -> bool {
    // A locked account answers "locked" whatever the password is: that says nothing of this one.
    let locked = memory
        .verdict_for(object, version, stamp)
        .is_some_and(|known| known.verdict == Verdict::Unknown(UnknownReason::Locked));
    memory.attempts.iter().any(|attempt| {
        let counts = match attempt.state {
            AttemptState::Open => true,
            AttemptState::Failed => !locked,
            AttemptState::Passed => false,
        };
        counts && attempt.object == object && attempt.version == version && attempt.stamp == stamp
    })
}

/// When an attempt leaves the window; `None` when it has.
pub(super) fn day_after(at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let end = at.checked_add(DAY).ok()?;
    (end > now).then_some(end)
}

/// Whether an attempt must still be remembered: it is in the window, or it counted and is of the
/// password and stamp that are current and must not be tested twice.
pub(crate) fn still_matters(
    attempt: &SignInAttempt,
    version: VaultVersion,
    stamp: Option<Stamp>,
    now: Timestamp,
) -> bool {
    let current = attempt.version == version && attempt.stamp == stamp;
    (current && attempt.state.counts()) || day_after(attempt.at, now).is_some()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{AttemptId, CredentialId};

    const OBJECT: ObjectId = ObjectId(Uuid::from_u128(7));

    fn memory(attempts: &[(u64, i64, AttemptState)]) -> CredentialMemory {
        let attempt = |(version, second, state): &(u64, i64, AttemptState)| SignInAttempt {
            id: AttemptId(Uuid::from_u128(u128::from(*version))),
            object: OBJECT,
            version: VaultVersion(*version),
            stamp: None,
            at: Timestamp::from_second(*second).unwrap(),
            state: *state,
        };
        CredentialMemory {
            attempts: attempts.iter().map(attempt).collect(),
            ..CredentialMemory::new(CredentialId(Uuid::from_u128(1)))
        }
    }

    fn ledger(known: &CredentialMemory) -> Ledger {
        Ledger::of([known].into_iter())
    }

    fn allowed(memory: &CredentialMemory, version: u64, second: i64) -> Allowance {
        let now = Timestamp::from_second(second).unwrap();
        allowance(
            &ledger(memory),
            memory,
            OBJECT,
            VaultVersion(version),
            None,
            &Policy::default(),
            now,
        )
    }

    #[test]
    fn a_password_that_failed_at_a_stamp_is_never_tested_there_again() {
        let memory = memory(&[(1, 0, AttemptState::Failed)]);
        assert_eq!(allowed(&memory, 1, 10_000_000), Allowance::Never);
    }

    #[test]
    fn an_attempt_without_a_known_outcome_counts_as_failed() {
        let memory = memory(&[(1, 0, AttemptState::Open)]);
        assert_eq!(allowed(&memory, 1, 60), Allowance::Never);
    }

    #[test]
    fn two_failures_spend_the_day_until_the_first_leaves_it() {
        let memory = memory(&[
            (1, 100, AttemptState::Failed),
            (2, 200, AttemptState::Failed),
        ]);
        let free = Timestamp::from_second(100 + 86_400).unwrap();
        assert_eq!(allowed(&memory, 3, 300), Allowance::Later(free));
        assert_eq!(allowed(&memory, 3, 100 + 86_400), Allowance::Now);
    }

    #[test]
    fn the_account_with_the_fewest_tests_left_is_told() {
        let once = memory(&[(1, 100, AttemptState::Failed)]);
        let fine = memory(&[(1, 100, AttemptState::Passed)]);
        let left = |all: &[&CredentialMemory], second| {
            let now = Timestamp::from_second(second).unwrap();
            fewest_left(all.iter().copied(), &Policy::default(), now)
        };
        assert_eq!(left(&[], 200), 2);
        assert_eq!(left(&[&fine], 200), 2);
        assert_eq!(left(&[&once, &fine], 200), 1);
        // Another credential for the same account shares its budget.
        assert_eq!(left(&[&once, &once.clone()], 200), 0);
        assert_eq!(left(&[&once, &once.clone()], 100 + 86_400), 2);
    }

    #[test]
    fn a_test_that_passed_costs_nothing() {
        let memory = memory(&[(1, 1, AttemptState::Passed), (2, 2, AttemptState::Passed)]);
        assert_eq!(allowed(&memory, 1, 3), Allowance::Now);
    }

    #[test]
    fn a_budget_of_zero_never_signs_in() {
        let policy = Policy {
            max_failed_per_day: 0,
            ..Policy::default()
        };
        let fresh = memory(&[]);
        let answer = allowance(
            &ledger(&fresh),
            &fresh,
            OBJECT,
            VaultVersion(1),
            None,
            &policy,
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(answer, Allowance::Never);
    }
}
