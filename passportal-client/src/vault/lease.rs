//! Turns a lease's durations into times of this machine's clock.

use std::time::Duration;

use jiff::Timestamp;
use sync_engine::ports::Lease;

use crate::wire::LeaseState;

/// The vault counted its durations from some moment between `before` the request and `after` the
/// answer. Each is taken so that this agent stops too early and begins too late rather than the
/// other way round.
pub(super) fn by_this_clock(state: LeaseState, before: Timestamp, after: Timestamp) -> Lease {
    match state {
        LeaseState::Granted {
            remaining_ms,
            writes_after_ms,
        } => Lease::Granted {
            until: later(before, remaining_ms),
            writes_from: (writes_after_ms > 0).then(|| later(after, writes_after_ms)),
        },
        LeaseState::Elsewhere {
            holder,
            remaining_ms,
        } => Lease::Elsewhere {
            holder,
            until: later(after, remaining_ms),
        },
    }
}

/// A day is longer than any lease; more than that could only be a mistake.
fn later(from: Timestamp, milliseconds: u64) -> Timestamp {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let duration = Duration::from_millis(milliseconds.min(DAY_MS));
    from.checked_add(duration).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_slow_answer_shortens_the_lease_and_delays_the_first_write() {
        let granted = LeaseState::Granted {
            remaining_ms: 60_000,
            writes_after_ms: 30_000,
        };
        let expected = Lease::Granted {
            until: at(160),
            writes_from: Some(at(150)),
        };
        assert_eq!(by_this_clock(granted, at(100), at(120)), expected);
    }

    #[test]
    fn an_absurd_duration_is_no_lease_for_ever() {
        let granted = LeaseState::Granted {
            remaining_ms: u64::MAX,
            writes_after_ms: 0,
        };
        let expected = Lease::Granted {
            until: at(24 * 60 * 60),
            writes_from: None,
        };
        assert_eq!(by_this_clock(granted, at(0), at(1)), expected);
    }
}
