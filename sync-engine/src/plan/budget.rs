//! The lockout budget: how often an account may be signed in to at all.
//!
//! Every attempt that may have counted at Entra ID is written down before it is sent, so this
//! holds over restarts, a lost state and a second agent.

use std::time::Duration;

use jiff::Timestamp;

use super::Policy;
use crate::model::{AttemptState, CredentialMemory, ObjectId, SignInAttempt, Stamp, VaultVersion};

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

/// Whether `version` may be tested on `object` at `stamp` now.
pub(super) fn allowance(
    memory: &CredentialMemory,
    object: ObjectId,
    version: VaultVersion,
    stamp: Option<Stamp>,
    policy: &Policy,
    now: Timestamp,
) -> Allowance {
    let counted = || {
        memory
            .attempts
            .iter()
            .filter(move |attempt| attempt.object == object && attempt.state.counts())
    };
    if counted().any(|attempt| attempt.version == version && attempt.stamp == stamp) {
        return Allowance::Never;
    }
    let mut ends: Vec<Timestamp> = counted()
        .filter_map(|attempt| day_after(attempt, now))
        .collect();
    ends.sort_unstable();
    let most = policy.max_failed_per_day as usize;
    // With `most` or more in the window, the next is free when all but `most - 1` have left it.
    match ends.len().checked_sub(most) {
        None => Allowance::Now,
        Some(over) => ends
            .get(over)
            .map_or(Allowance::Never, |free| Allowance::Later(*free)),
    }
}

/// When an attempt leaves the window; `None` when it has.
fn day_after(attempt: &SignInAttempt, now: Timestamp) -> Option<Timestamp> {
    let end = attempt.at.checked_add(DAY).ok()?;
    (end > now).then_some(end)
}

/// Whether an attempt must still be remembered: it is in the window, or it is of the password and
/// stamp that are current and must not be tested twice.
pub(crate) fn still_matters(
    attempt: &SignInAttempt,
    version: VaultVersion,
    stamp: Option<Stamp>,
    now: Timestamp,
) -> bool {
    let current = attempt.version == version && attempt.stamp == stamp;
    attempt.state == AttemptState::Open || current || day_after(attempt, now).is_some()
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

    fn allowed(memory: &CredentialMemory, version: u64, second: i64) -> Allowance {
        let now = Timestamp::from_second(second).unwrap();
        allowance(
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
