//! How long a client's schedule waits after a cycle, and for what.

use std::time::Duration;

use jiff::Timestamp;
use sync_engine::ports::DirectoryError;
use sync_engine::{CycleReport, EngineError, Footing};
use tokio::time::Instant;

use crate::scheduler::Cycled;

/// The share of the interval that is waited; the rest is for reading, planning and telling.
const SHARE_TO_WAIT: f64 = 0.9;
/// How soon a write whose effect is not visible yet is looked at again.
const UNSETTLED_PAUSE: Duration = Duration::from_secs(2);
/// The shortest pause after a failed cycle; it doubles up to the interval.
pub(crate) const FIRST_RETRY: Duration = Duration::from_secs(2);
/// The longest pause that Entra ID's wish for patience makes; whoever leads is to be seen by the vault now and then.
const LONGEST_PATIENCE: Duration = Duration::from_hours(1);
/// How soon an agent that stands by asks for the lease again.
const STANDBY_PAUSE: Duration = Duration::from_secs(15);

/// How long to wait for the next cycle, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// For a change of the vault.
    Watching(Duration),
    /// For the world to recover.
    Retrying(Duration),
}

impl Pause {
    /// After a cycle with so many failed ones before it.
    pub(crate) fn after(cycled: &Cycled, failures: u32, interval: Duration) -> Self {
        match cycled {
            // Whoever does not lead watches nothing; it asks again soon, to succeed the leader.
            Ok(CycleReport {
                footing: Footing::Standby { .. },
                ..
            }) => Self::Retrying(interval.min(STANDBY_PAUSE)),
            Ok(report) => Self::Watching(next(report, interval)),
            Err(EngineError::Directory(DirectoryError::Throttled { retry_at })) => {
                let asked = until(*retry_at).min(LONGEST_PATIENCE);
                Self::Retrying(asked.max(retry(failures, interval)))
            }
            Err(_) => Self::Retrying(retry(failures, interval)),
        }
    }

    /// When it ends, if it begins now.
    pub(crate) fn end(self) -> Instant {
        let (Self::Watching(most) | Self::Retrying(most)) = self;
        Instant::now() + most
    }
}

/// A little less than the interval, so that what changed is also told within it; or less when
/// something waits to be looked at again.
fn next(report: &CycleReport, interval: Duration) -> Duration {
    let interval = interval.mul_f64(SHARE_TO_WAIT);
    if report.unsettled() > 0 {
        return interval.min(UNSETTLED_PAUSE);
    }
    // Never shorter than this: a due time in the past must not spin.
    let due = report.next_due.map(|due| until(due).max(UNSETTLED_PAUSE));
    due.map_or(interval, |due| due.min(interval))
}

/// Nothing, where it is over.
fn until(then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(Timestamp::now())).unwrap_or_default()
}

fn retry(failures: u32, interval: Duration) -> Duration {
    FIRST_RETRY
        .saturating_mul(1 << failures.min(10))
        .min(interval)
        .max(FIRST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use sync_engine::model::{CycleId, Outcome};
    use sync_engine::ports::VaultError;
    use sync_engine::{Share, Tally};
    use uuid::Uuid;

    const INTERVAL: Duration = Duration::from_secs(100);

    fn report(footing: Footing) -> CycleReport {
        CycleReport {
            cycle: CycleId(Uuid::nil()),
            footing,
            rows: Vec::new(),
            tally: Tally::default(),
            waiting: None,
            next_due: None,
        }
    }

    fn after(report: CycleReport) -> Pause {
        Pause::after(&Ok(report), 0, INTERVAL)
    }

    #[test]
    fn a_quiet_cycle_watches_the_vault_for_most_of_the_interval() {
        let ninety = Duration::from_secs(90);
        assert_eq!(after(report(Footing::Leader)), Pause::Watching(ninety));
    }

    #[test]
    fn what_is_not_settled_or_overdue_is_looked_at_soon_and_never_at_once() {
        let unsettled = CycleReport {
            tally: Tally {
                credentials: 1,
                outcomes: vec![Share {
                    outcome: Outcome::Unsettled,
                    credentials: 1,
                }],
                ..Tally::default()
            },
            ..report(Footing::Leader)
        };
        let overdue = CycleReport {
            next_due: Some(Timestamp::UNIX_EPOCH),
            ..report(Footing::Leader)
        };
        let soon = Pause::Watching(UNSETTLED_PAUSE);
        assert_eq!([after(unsettled), after(overdue)], [soon, soon]);
    }

    #[test]
    fn whoever_stands_by_watches_nothing() {
        let standby = report(Footing::Standby {
            holder: "srv-2".into(),
            until: Timestamp::UNIX_EPOCH,
        });
        assert_eq!(after(standby), Pause::Retrying(STANDBY_PAUSE));
    }

    #[test]
    fn a_directory_that_asked_for_patience_is_given_it_up_to_an_hour() {
        let after = |minutes| {
            let retry_at = Timestamp::now() + SignedDuration::from_mins(minutes);
            let throttled = DirectoryError::Throttled { retry_at };
            Pause::after(&Err(EngineError::Directory(throttled)), 1, INTERVAL)
        };
        let hour = Pause::Retrying(Duration::from_hours(1));
        assert_eq!(after(24 * 60), hour);
        let Pause::Retrying(half) = after(30) else {
            panic!("nothing is watched meanwhile");
        };
        assert!(half > Duration::from_mins(29) && half <= Duration::from_mins(30));
        let over = Pause::Retrying(Duration::from_secs(4));
        assert_eq!(after(-1), over);
    }

    #[test]
    fn failures_double_the_pause_up_to_the_interval() {
        let failed = || Err(EngineError::Vault(VaultError::Unavailable("gone".into())));
        let pauses = [0, 1, 2, 10, 1_000].map(|before| Pause::after(&failed(), before, INTERVAL));
        let expected = [2, 4, 8, 100, 100].map(|s| Pause::Retrying(Duration::from_secs(s)));
        assert_eq!(pauses, expected);
    }
}
