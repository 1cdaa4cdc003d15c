//! How an agent is, by its last word and by how long ago that was.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{AgentCondition, AgentState};

use super::lease;

/// Of an agent that does not tell. It is the interval that agents have by default.
const USUAL_INTERVAL: SignedDuration = SignedDuration::from_secs(45);

/// What an agent said last.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastWord {
    pub(super) state: AgentState,
    pub(super) at: Timestamp,
    /// After which it is heard again, at the latest.
    pub(super) interval: Option<SignedDuration>,
}

/// Decides how an agent is. As long as it may have its lease it counts as working: a long cycle is heard of only when
/// the lease is about to end.
pub(super) fn condition(last: Option<LastWord>, now: Timestamp) -> AgentCondition {
    let Some(last) = last else {
        return AgentCondition::NotSeenYet;
    };
    let interval = last.interval.unwrap_or(USUAL_INTERVAL);
    let patience = interval.saturating_mul(2).max(lease::LASTS);
    match last.state {
        AgentState::Stopping => AgentCondition::Stopped,
        _ if now.duration_since(last.at) > patience => AgentCondition::Silent,
        AgentState::Running => AgentCondition::Running,
        AgentState::Failing => AgentCondition::Failing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(state: AgentState, interval: Option<i64>, silence: i64) -> AgentCondition {
        let at = Timestamp::from_second(1_000_000).unwrap();
        let interval = interval.map(SignedDuration::from_secs);
        let last = LastWord {
            state,
            at,
            interval,
        };
        condition(Some(last), at + SignedDuration::from_secs(silence))
    }

    #[test]
    fn an_agent_is_silent_after_two_of_its_own_intervals() {
        let running = |silence| after(AgentState::Running, Some(600), silence);
        assert_eq!(running(1_200), AgentCondition::Running);
        assert_eq!(running(1_201), AgentCondition::Silent);
        let failing = |silence| after(AgentState::Failing, Some(600), silence);
        assert_eq!(failing(1_200), AgentCondition::Failing);
        assert_eq!(failing(1_201), AgentCondition::Silent);
    }

    #[test]
    fn while_it_may_have_its_lease_it_is_not_silent() {
        for interval in [None, Some(1), Some(45)] {
            let running = |silence| after(AgentState::Running, interval, silence);
            assert_eq!(running(120), AgentCondition::Running);
            assert_eq!(running(121), AgentCondition::Silent);
        }
    }

    #[test]
    fn one_that_said_farewell_is_stopped_and_one_that_never_spoke_not_seen() {
        let stopped = after(AgentState::Stopping, Some(1), 1_000_000);
        assert_eq!(stopped, AgentCondition::Stopped);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(condition(None, now), AgentCondition::NotSeenYet);
    }
}
