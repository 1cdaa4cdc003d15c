//! Keeps one tenant just below Microsoft Graph's limits, so that the service rarely has to say it.

use std::num::NonZeroU32;
use std::time::Duration;

use ::governor::clock::{Clock, DefaultClock};
use ::governor::middleware::NoOpMiddleware;
use ::governor::state::{InMemoryState, NotKeyed};
use ::governor::{Quota, RateLimiter};

/// Writes: 3,000 per 150 s and app and tenant. A full burst and 150 s of refill make 2,900.
///
/// Source: Microsoft Graph service-specific throttling limits, "Identity and access service limits".
const WRITES: Quota = quota(18, 200);

/// Reads: the smallest tenants have 3,500 resource units per 10 s. A full burst and 10 s of refill
/// make 3,300. Source: as above.
const READ_UNITS: Quota = quota(300, 300);

#[expect(clippy::expect_used, reason = "evaluated while compiling")]
const fn quota(per_second: u32, burst: u32) -> Quota {
    Quota::per_second(NonZeroU32::new(per_second).expect("not zero"))
        .allow_burst(NonZeroU32::new(burst).expect("not zero"))
}

type Limit<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The limits of one tenant. Each tenant has its own: none slows another.
pub(crate) struct Governor<C: Clock = DefaultClock> {
    writes: Limit<C>,
    read_units: Limit<C>,
    clock: C,
}

impl Governor {
    pub(crate) fn new() -> Self {
        Self::with_clock(DefaultClock::default())
    }

    /// Comes back when a read of this many resource units may be sent.
    pub(crate) async fn read(&self, units: NonZeroU32) {
        // The only error is a cost above the burst, which no call of ours has.
        let _ = self.read_units.until_n_ready(units).await;
    }
}

impl<C: Clock + Clone> Governor<C> {
    fn with_clock(clock: C) -> Self {
        Self {
            writes: RateLimiter::direct_with_clock(WRITES, clock.clone()),
            read_units: RateLimiter::direct_with_clock(READ_UNITS, clock.clone()),
            clock,
        }
    }

    /// Permission for one write now, or how long there is none. It does not wait: a write that
    /// waited here could outlast the lease that it was started under.
    pub(crate) fn write(&self) -> Result<(), Duration> {
        self.writes
            .check()
            .map_err(|not_yet| not_yet.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use ::governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn no_window_of_150_seconds_sees_3000_writes() {
        let clock = FakeRelativeClock::default();
        let governor = Governor::with_clock(clock.clone());
        let mut sent_in_window = 0;
        for _ in 0..1_500 {
            while governor.write().is_ok() {
                sent_in_window += 1;
            }
            clock.advance(Duration::from_millis(100));
        }
        assert!((2_800..3_000).contains(&sent_in_window), "{sent_in_window}");
    }

    #[test]
    fn a_refused_write_says_when_the_next_may_go() {
        let clock = FakeRelativeClock::default();
        let governor = Governor::with_clock(clock.clone());
        while governor.write().is_ok() {}
        let wait = governor.write().unwrap_err();
        assert!(wait > Duration::ZERO && wait < Duration::from_secs(1));
        clock.advance(wait);
        assert_eq!(governor.write(), Ok(()));
    }

    #[tokio::test]
    async fn a_read_within_the_burst_does_not_wait() {
        let governor = Governor::new();
        governor.read(NonZeroU32::new(2).unwrap()).await;
        assert!(governor.read_units.check().is_ok());
    }
}
