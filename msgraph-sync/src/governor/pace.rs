//! The pace of one limit: so much at once, then evenly, slower when the service says so, and not at all while it wants
//! none.

use std::time::{Duration, Instant};

/// Where the service says what is used, bursts go up to here, and what is left is spread evenly. It leaves room for
/// what is on its way while it says so.
const CROWDED: f64 = 0.95;
/// A burst into what the service says is free is this part of the limit at the most.
const LARGEST_BURST: f64 = 1.0 / 15.0;
/// Above its limit the service counts more than we do: somebody else uses the same application, or this agent was
/// started anew. From here on we yield, the more the higher it is …
const FULL: f64 = 1.0;
/// … down to a tenth of the rate at this share.
const OVERFULL: f64 = 1.2;
const LEAST: f64 = 0.1;

/// The pace of one limit.
#[derive(Debug)]
pub(super) struct Pace {
    /// What the service allows in its window.
    limit: f64,
    /// How much a second.
    rate: f64,
    /// How much at once, where the service does not say what is free.
    burst: f64,
    /// What was taken and has not drained yet.
    level: f64,
    drained: Instant,
    closed_until: Option<Instant>,
    /// What the service last said of this limit; 0 where it said nothing, which means below 0.8.
    share: f64,
}

impl Pace {
    pub(super) fn new(limit: f64, rate: f64, burst: f64, now: Instant) -> Self {
        Self {
            limit,
            rate,
            burst,
            level: 0.0,
            drained: now,
            closed_until: None,
            share: 0.0,
        }
    }

    /// Takes a part of the limit, to be used after the wait that is returned.
    ///
    /// # Errors
    /// The wait, when it is longer than `patience`. Nothing was taken then.
    pub(super) fn take(
        &mut self,
        cost: u32,
        patience: Duration,
        now: Instant,
    ) -> Result<Duration, Duration> {
        self.drain(now);
        let level = self.level + f64::from(cost);
        let ahead = Duration::from_secs_f64((level - self.burst()).max(0.0) / self.speed());
        let wait = ahead.max(self.closed_for(now));
        if wait > patience {
            return Err(wait);
        }
        self.level = level;
        Ok(wait)
    }

    /// Corrects what an answer took, once the service has said what it cost.
    pub(super) fn correct(&mut self, taken: u32, cost: u32, now: Instant) {
        self.drain(now);
        self.level = (self.level - f64::from(taken) + f64::from(cost)).max(0.0);
    }

    /// Lets nothing through for so long.
    pub(super) fn close(&mut self, wait: Duration, now: Instant) {
        let until = now + wait;
        self.closed_until = Some(self.closed_until.map_or(until, |it| it.max(until)));
    }

    /// For how much longer nothing is let through.
    pub(super) fn closed_for(&self, now: Instant) -> Duration {
        self.closed_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Notes which share of the limit is used, as an answer said; 0 where it said nothing.
    pub(super) fn hear(&mut self, share: f64, now: Instant) {
        self.drain(now);
        self.share = share;
    }

    pub(super) fn share(&self) -> f64 {
        self.share
    }

    fn drain(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.drained).as_secs_f64();
        self.level = (self.level - passed * self.speed()).max(0.0);
        self.drained = now;
    }

    /// Whoever fell behind may catch up into what the service says is free.
    fn burst(&self) -> f64 {
        if self.share > 0.0 {
            let free = (CROWDED - self.share).min(LARGEST_BURST);
            (free * self.limit).max(1.0)
        } else {
            self.burst
        }
    }

    fn speed(&self) -> f64 {
        let over = ((self.share - FULL) / (OVERFULL - FULL)).clamp(0.0, 1.0);
        self.rate * (1.0 - over * (1.0 - LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(10);

    /// Of six hundred, ten a second, twenty at once.
    fn pace(now: Instant) -> Pace {
        Pace::new(600.0, 10.0, 20.0, now)
    }

    fn wait(pace: &mut Pace, now: Instant) -> Duration {
        pace.take(1, LONG, now).unwrap()
    }

    fn close_to(wait: Duration, seconds: f64) -> bool {
        (wait.as_secs_f64() - seconds).abs() < 0.01
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_evenly_in_its_turn() {
        let now = Instant::now();
        let mut pace = pace(now);
        assert_eq!(pace.take(20, LONG, now), Ok(Duration::ZERO));
        assert!(close_to(wait(&mut pace, now), 0.1));
        assert!(close_to(wait(&mut pace, now), 0.2));
        let later = now + Duration::from_secs(1);
        assert_eq!(wait(&mut pace, later), Duration::ZERO);
    }

    #[test]
    fn a_turn_that_is_too_far_away_is_not_taken() {
        let now = Instant::now();
        let mut pace = pace(now);
        pace.take(30, LONG, now).unwrap();
        let refused = pace.take(1, Duration::from_secs(1), now).unwrap_err();
        assert!(close_to(refused, 1.1));
        assert!(close_to(pace.take(1, LONG, now).unwrap(), 1.1));
    }

    #[test]
    fn nothing_is_let_through_while_it_is_closed_and_the_longest_wish_counts() {
        let now = Instant::now();
        let mut pace = pace(now);
        pace.close(Duration::from_secs(30), now);
        pace.close(Duration::from_secs(10), now);
        assert_eq!(wait(&mut pace, now), Duration::from_secs(30));
        let after = now + Duration::from_secs(31);
        assert_eq!(wait(&mut pace, after), Duration::ZERO);
    }

    #[test]
    fn a_crowded_limit_has_no_bursts_and_a_full_one_is_yielded() {
        let now = Instant::now();
        for (share, second) in [
            (0.79, 0.0),
            (0.97, 0.1),
            (1.0, 0.1),
            (1.1, 0.182),
            (1.2, 1.0),
            (1.8, 1.0),
        ] {
            let mut pace = pace(now);
            pace.hear(share, now);
            wait(&mut pace, now);
            let second_one = wait(&mut pace, now);
            assert!(close_to(second_one, second), "{share}: {second_one:?}");
        }
    }

    #[test]
    fn whoever_fell_behind_catches_up_into_what_the_service_says_is_free() {
        let now = Instant::now();
        for (share, burst) in [(0.81, 40), (0.90, 30), (0.94, 6), (0.95, 1)] {
            let mut pace = pace(now);
            pace.hear(share, now);
            assert_eq!(pace.take(burst, LONG, now), Ok(Duration::ZERO), "{share}");
            assert!(wait(&mut pace, now) > Duration::ZERO, "{share}");
        }
    }

    #[test]
    fn the_pace_recovers_once_the_service_says_nothing_any_more() {
        let now = Instant::now();
        let mut pace = pace(now);
        pace.hear(1.5, now);
        pace.hear(0.0, now);
        assert_eq!(pace.take(20, LONG, now), Ok(Duration::ZERO));
    }

    #[test]
    fn a_call_that_cost_more_than_it_took_is_paid_for_by_the_next() {
        let now = Instant::now();
        let mut pace = pace(now);
        pace.take(1, LONG, now).unwrap();
        pace.correct(1, 40, now);
        assert!(close_to(wait(&mut pace, now), 2.1));
        pace.correct(1, 0, now);
        assert!(close_to(wait(&mut pace, now), 2.1));
    }
}
