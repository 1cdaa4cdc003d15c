//! Keeps one tenant just below Microsoft Graph's limits, so that the service rarely has to say it.

mod heard;
mod pace;

use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use self::heard::Heard;
use self::pace::Pace;
use crate::{LimitUse, Limits};

/// Writes: of 3,000 per 150 s, 98.5 in a hundred, evenly. With a burst of 40 no window sees more than 2,995.
const WRITES: f64 = 3_000.0;
const WRITES_PER_SECOND: f64 = 0.985 * WRITES / 150.0;
const WRITES_AT_ONCE: f64 = 40.0;

/// Reads: of 3,500 resource units per 10 s, a full burst and 10 s of refill make 3,300.
const UNITS: f64 = 3_500.0;
const UNITS_PER_SECOND: f64 = 300.0;
const UNITS_AT_ONCE: f64 = 300.0;

/// A write whose turn is further away is put off instead. A third of the time within which it must be sent
/// (`passwords::SENT_WITHIN`): the lease covers the wait.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);
/// A read is told how long to wait instead of waiting longer.
const READ_PATIENCE: Duration = Duration::from_mins(1);

/// What a call is to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It takes resource units.
    Read,
    /// It takes a write, and resource units.
    Write,
}

/// The limits of one tenant. Each tenant has its own: none slows another.
#[derive(Debug)]
pub(crate) struct Governor {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    writes: Pace,
    units: Pace,
    used: LimitUse,
}

impl Governor {
    pub(crate) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let scale = limits.scale();
        Self {
            state: Mutex::new(State {
                writes: Pace::new(WRITES, WRITES_PER_SECOND * scale, WRITES_AT_ONCE, now),
                units: Pace::new(UNITS, UNITS_PER_SECOND * scale, UNITS_AT_ONCE, now),
                used: LimitUse::default(),
            }),
        }
    }

    /// Comes back when a read of this many resource units may be sent.
    ///
    /// # Errors
    /// How long there is no room, when that is longer than a read waits.
    pub(crate) async fn read(&self, units: NonZeroU32) -> Result<(), Duration> {
        let turn = self
            .state()
            .units
            .take(units.get(), READ_PATIENCE, Instant::now())?;
        self.wait(turn, READ_PATIENCE, |state| &state.units).await
    }

    /// Comes back when so many writes may be sent.
    ///
    /// # Errors
    /// How long there is no room, when that is longer than a write waits. None of them may be sent then.
    pub(crate) async fn write(&self, count: u32) -> Result<(), Duration> {
        let taken = self
            .state()
            .writes
            .take(count, WRITE_PATIENCE, Instant::now());
        let allowed = match taken {
            Ok(turn) => {
                let _waiting = Waiting::begin(self, count);
                self.wait(turn, WRITE_PATIENCE, |state| &state.writes).await
            }
            Err(wait) => Err(wait),
        };
        let used = &mut self.state().used;
        match allowed {
            Ok(()) => used.writes += u64::from(count),
            Err(_) => used.writes_put_off += u64::from(count),
        }
        allowed
    }

    /// Waits for a turn, and longer if the service wants nothing meanwhile.
    async fn wait(
        &self,
        turn: Duration,
        patience: Duration,
        of: impl Fn(&State) -> &Pace + Send,
    ) -> Result<(), Duration> {
        let mut wait = turn;
        while !wait.is_zero() {
            if wait > patience {
                return Err(wait);
            }
            tokio::time::sleep(wait).await;
            wait = of(&self.state()).closed_for(Instant::now());
        }
        Ok(())
    }

    /// Takes in what an answer says of the limits; `taken` is what was thought to be its cost in resource units.
    pub(crate) fn hear(
        &self,
        kind: Kind,
        taken: NonZeroU32,
        status: StatusCode,
        headers: &HeaderMap,
    ) {
        let heard = Heard::of(kind, status, headers);
        let now = Instant::now();
        let mut state = self.state();
        let cost = heard.cost.unwrap_or(taken.get());
        state.used.resource_units += u64::from(cost);
        // Only a read took its units beforehand.
        let taken = if kind == Kind::Read { taken.get() } else { 0 };
        state.units.correct(taken, cost, now);
        if let Some(share) = heard.share {
            state.limit(kind).hear(share, now);
        }
        if heard.throttled {
            *state.throttled(kind) += 1;
        }
        if let Some(wait) = heard.no_writes {
            state.writes.close(wait, now);
        }
        if let Some(wait) = heard.no_reads {
            state.units.close(wait, now);
        }
    }

    /// What is used of the limits.
    pub(crate) fn in_use(&self) -> LimitUse {
        let state = self.state();
        LimitUse {
            write_limit_used: state.writes.share(),
            read_limit_used: state.units.share(),
            writes_paused: state.writes.closed_for(Instant::now()),
            ..state.used
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is whole, even if a thread died holding it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The limit that an answer to this kind of call speaks of.
    fn limit(&mut self, kind: Kind) -> &mut Pace {
        match kind {
            Kind::Read => &mut self.units,
            Kind::Write => &mut self.writes,
        }
    }

    fn throttled(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Read => &mut self.used.throttled_reads,
            Kind::Write => &mut self.used.throttled_writes,
        }
    }
}

/// Counts writes as waiting for as long as it lives.
struct Waiting<'g> {
    governor: &'g Governor,
    count: u64,
}

impl<'g> Waiting<'g> {
    fn begin(governor: &'g Governor, count: u32) -> Self {
        let count = u64::from(count);
        governor.state().used.writes_waiting += count;
        Self { governor, count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.governor.state().used.writes_waiting -= self.count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    fn throttled(seconds: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", seconds.parse().unwrap());
        headers
    }

    /// When each of so many writes may go, all of them asked for at once.
    fn turns(writes: u32) -> Vec<Duration> {
        let now = Instant::now();
        let mut pace = Pace::new(WRITES, WRITES_PER_SECOND, WRITES_AT_ONCE, now);
        let long = Duration::from_hours(1);
        (0..writes)
            .map(|_| pace.take(1, long, now).unwrap())
            .collect()
    }

    #[test]
    fn no_window_of_150_seconds_sees_3000_writes_and_97_of_100_are_used() {
        let turns = turns(9_000);
        let window = Duration::from_secs(150);
        let fullest = turns.iter().enumerate().map(|(first, begin)| {
            let later = &turns[first..];
            later.partition_point(|turn| *turn < *begin + window)
        });
        assert!(fullest.max().unwrap() < 3_000);
        let used = 9_000.0 / turns.last().unwrap().as_secs_f64();
        assert!(used >= 0.97 * 20.0, "{used} writes a second");
    }

    #[tokio::test]
    async fn a_burst_does_not_wait_and_is_counted() {
        let governor = Governor::new(Limits::documented());
        assert_eq!(governor.write(20).await, Ok(()));
        assert_eq!(governor.write(20).await, Ok(()));
        assert_eq!(governor.in_use().writes, 40);
        assert_eq!(governor.in_use().writes_waiting, 0);
    }

    #[tokio::test]
    async fn while_the_service_wants_no_write_none_waits_for_it() {
        let governor = Governor::new(Limits::documented());
        governor.hear(
            Kind::Write,
            ONE,
            StatusCode::TOO_MANY_REQUESTS,
            &throttled("120"),
        );
        let wait = governor.write(1).await.unwrap_err();
        assert!(wait > Duration::from_secs(110), "{wait:?}");
        let used = governor.in_use();
        assert_eq!((used.throttled_writes, used.writes_put_off), (1, 1));
        assert!(used.writes_paused > Duration::from_secs(110));
        // Reads have a limit of their own.
        assert_eq!(governor.read(ONE).await, Ok(()));
    }

    #[tokio::test]
    async fn a_read_is_told_a_long_wait_instead_of_waiting_for_it() {
        let governor = Governor::new(Limits::documented());
        governor.hear(
            Kind::Read,
            ONE,
            StatusCode::TOO_MANY_REQUESTS,
            &throttled("3600"),
        );
        let wait = governor.read(ONE).await.unwrap_err();
        assert!(wait > Duration::from_mins(59), "{wait:?}");
        assert_eq!(governor.in_use().throttled_reads, 1);
    }

    #[tokio::test]
    async fn one_tenant_s_throttling_is_not_another_s() {
        let throttled_one = Governor::new(Limits::documented());
        let other = Governor::new(Limits::documented());
        throttled_one.hear(
            Kind::Write,
            ONE,
            StatusCode::TOO_MANY_REQUESTS,
            &throttled("60"),
        );
        assert!(throttled_one.write(1).await.is_err());
        assert_eq!(other.write(1).await, Ok(()));
    }

    #[test]
    fn the_service_s_own_count_of_resource_units_is_kept() {
        let governor = Governor::new(Limits::documented());
        let mut dear = HeaderMap::new();
        dear.insert("x-ms-resource-unit", "5".parse().unwrap());
        governor.hear(Kind::Read, ONE, StatusCode::OK, &dear);
        governor.hear(Kind::Write, ONE, StatusCode::NO_CONTENT, &HeaderMap::new());
        assert_eq!(governor.in_use().resource_units, 6);
    }
}
