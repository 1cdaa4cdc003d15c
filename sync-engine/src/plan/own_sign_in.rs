//! When the agent may sign in with the vault's password of its own account: seldom, because each failure counts there as
//! one of anybody's sign-in tests.

use jiff::Timestamp;

use super::budget::day_after;
use crate::model::VaultCredential;

/// Who wants the agent to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// The agent, by itself.
    Agent,
    /// A person, who knows that it failed before.
    Person,
}

/// Why it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnSignInRefused {
    /// This password failed, or nobody knows how its try ended.
    #[error("the vault's password did not sign in at {at}")]
    Tried {
        /// When it was tried.
        at: Timestamp,
    },
    /// The sign-ins of a day are spent.
    #[error("the account's sign-ins of this day are spent, until {until}")]
    Spent {
        /// When the next one is free.
        until: Timestamp,
    },
    /// There may be none at all.
    #[error("the configuration allows no sign-in that may fail")]
    NeverAllowed,
}

/// Whether the agent may sign in with this credential's password now.
///
/// By itself it tries each version once, and only where no sign-in of the last day counts: a test that the engine
/// sends at the same moment still fits into the budget. A person may have it tried again within the budget of the day.
///
/// # Errors
/// Why not.
pub fn may_sign_in(
    credential: &VaultCredential,
    asked_by: AskedBy,
    max_failed_per_day: u32,
    now: Timestamp,
) -> Result<(), OwnSignInRefused> {
    if max_failed_per_day == 0 {
        return Err(OwnSignInRefused::NeverAllowed);
    }
    let counted = || credential.attempts.iter().filter(|it| it.state.counts());
    let most = match asked_by {
        AskedBy::Agent => 1,
        AskedBy::Person => max_failed_per_day as usize,
    };
    if asked_by == AskedBy::Agent
        && let Some(tried) = counted().find(|it| it.version == credential.version)
    {
        return Err(OwnSignInRefused::Tried { at: tried.at });
    }
    let mut ends: Vec<_> = counted().filter_map(|it| day_after(it.at, now)).collect();
    ends.sort_unstable();
    match ends.len().checked_sub(most).and_then(|over| ends.get(over)) {
        None => Ok(()),
        Some(until) => Err(OwnSignInRefused::Spent { until: *until }),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::{
        AttemptId, AttemptState, CredentialId, ObjectId, Password, SignInAttempt, SyncMode,
        VaultVersion,
    };

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn credential(version: u64, attempts: &[(u64, i64, AttemptState)]) -> VaultCredential {
        let id = CredentialId(Uuid::from_u128(1));
        let password = Password::new("Right-Passw0rd");
        let attempt = |(version, second, state): &(u64, i64, AttemptState)| SignInAttempt {
            id: AttemptId(Uuid::from_u128(u128::from(*version))),
            object: ObjectId::NOT_KNOWN,
            version: VaultVersion(*version),
            stamp: None,
            at: at(*second),
            state: *state,
        };
        VaultCredential {
            version: VaultVersion(version),
            attempts: attempts.iter().map(attempt).collect(),
            ..VaultCredential::new(id, "admin@contoso.com", SyncMode::Enabled, &password)
        }
    }

    #[test]
    fn each_version_is_tried_once_and_a_person_may_have_it_tried_again() {
        for state in [AttemptState::Failed, AttemptState::Open] {
            let tried = credential(1, &[(1, 0, state)]);
            let answer = may_sign_in(&tried, AskedBy::Agent, 2, at(100 * DAY));
            assert_eq!(answer, Err(OwnSignInRefused::Tried { at: at(0) }));
            assert_eq!(may_sign_in(&tried, AskedBy::Person, 2, at(60)), Ok(()));
        }
        let passed = credential(1, &[(1, 0, AttemptState::Passed)]);
        assert_eq!(may_sign_in(&passed, AskedBy::Agent, 2, at(60)), Ok(()));
    }

    #[test]
    fn by_itself_the_agent_leaves_a_day_between_failures_and_a_person_has_the_budget() {
        let before = credential(2, &[(1, 100, AttemptState::Failed)]);
        let until = at(100 + DAY);
        let answer = may_sign_in(&before, AskedBy::Agent, 2, at(200));
        assert_eq!(answer, Err(OwnSignInRefused::Spent { until }));
        assert_eq!(may_sign_in(&before, AskedBy::Agent, 2, until), Ok(()));
        assert_eq!(may_sign_in(&before, AskedBy::Person, 2, at(200)), Ok(()));
        let answer = may_sign_in(&before, AskedBy::Person, 1, at(200));
        assert_eq!(answer, Err(OwnSignInRefused::Spent { until }));
    }

    #[test]
    fn a_budget_of_zero_holds_for_the_agent_too() {
        for asked_by in [AskedBy::Agent, AskedBy::Person] {
            let answer = may_sign_in(&credential(1, &[]), asked_by, 0, at(0));
            assert_eq!(answer, Err(OwnSignInRefused::NeverAllowed));
        }
    }
}
