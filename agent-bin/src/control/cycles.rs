//! How the cycles of a client go, in the service that runs them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::health::LastCycles;

/// After so many intervals without a good cycle a client is overdue.
const PATIENCE: u32 = 2;

/// How they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycles {
    /// When one last ended well.
    pub last_good: Option<Timestamp>,
    /// Whether that, or the beginning where none did, is more than two intervals ago.
    pub overdue: bool,
    /// Why the last one failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// By when a client's cycles are expected.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub(crate) begun: Timestamp,
    pub(crate) interval: Duration,
}

impl Expected {
    /// Judges what is known of the cycles.
    pub(super) fn judge(self, last: LastCycles, now: Timestamp) -> Cycles {
        let since = last.succeeded.unwrap_or(self.begun);
        let patience = self.interval.saturating_mul(PATIENCE);
        let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
        Cycles {
            last_good: last.succeeded,
            overdue: now.duration_since(since) > patience,
            failed: last.failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn judged(succeeded: Option<i64>, now: i64) -> Cycles {
        let expected = Expected {
            begun: at(1_000),
            interval: Duration::from_secs(45),
        };
        let last = LastCycles {
            succeeded: succeeded.map(at),
            failed: None,
        };
        expected.judge(last, at(now))
    }

    #[test]
    fn a_client_is_overdue_after_two_intervals_without_a_good_cycle() {
        assert!(!judged(Some(2_000), 2_090).overdue);
        assert!(judged(Some(2_000), 2_091).overdue);
    }

    #[test]
    fn one_that_never_had_a_good_cycle_is_overdue_two_intervals_after_its_beginning() {
        assert!(!judged(None, 1_090).overdue);
        assert!(judged(None, 1_091).overdue);
    }
}
