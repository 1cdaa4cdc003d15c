//! The service's clock, as its `Date` headers show it, beside this machine's.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};
use reqwest::header::{DATE, HeaderMap};
use sync_engine::model::Accepted;

/// This machine's clock; the one place where the crate reads it.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The moment after a wait, for the engine's `retry_at`.
pub(crate) fn after(wait: Duration) -> Timestamp {
    now().saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// The service's time as an answer states it, to the second.
pub(crate) fn stated(headers: &HeaderMap) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Timestamp::try_from(date).ok()
}

/// Between which moments of the service's time a request that took `elapsed` had its effect.
///
/// `Date` cuts off the fraction of a second, so the answer was made within the second that follows
/// it; the beginning is rounded down. The true moment therefore always lies within.
pub(crate) fn accepted(date: Option<Timestamp>, elapsed: Duration) -> Accepted {
    let date = date.unwrap_or_else(now);
    let sent = date.saturating_sub(elapsed).unwrap_or(Timestamp::MIN);
    let answered = date
        .saturating_add(SignedDuration::from_secs(1))
        .unwrap_or(Timestamp::MAX);
    Accepted {
        sent: whole_second(sent),
        answered: whole_second(answered),
    }
}

fn whole_second(at: Timestamp) -> Timestamp {
    let down = jiff::TimestampRound::new()
        .smallest(Unit::Second)
        .mode(jiff::RoundMode::Floor);
    at.round(down).unwrap_or(at)
}

/// What is known of the difference between the two clocks.
#[derive(Debug)]
pub(crate) struct ServiceClock {
    tolerance: Duration,
    ahead_by_seconds: AtomicI64,
    warned: AtomicBool,
}

impl ServiceClock {
    pub(crate) fn new(tolerance: Duration) -> Self {
        Self {
            tolerance,
            ahead_by_seconds: AtomicI64::new(0),
            warned: AtomicBool::new(false),
        }
    }

    /// Takes in an answer's `Date`, received just now.
    pub(crate) fn observe(&self, date: Option<Timestamp>) {
        let Some(date) = date else { return };
        let skew = date.duration_since(now());
        self.ahead_by_seconds
            .store(skew.as_secs(), Ordering::Relaxed);
        let is_off = self.off_by().is_some();
        if is_off && !self.warned.swap(is_off, Ordering::Relaxed) {
            let clock = Off(skew);
            tracing::warn!(
                clock.ahead_s = skew.as_secs(),
                "this machine's clock {clock}"
            );
        } else if !is_off {
            self.warned.store(false, Ordering::Relaxed);
        }
    }

    /// How far the service was ahead of this machine when it last answered.
    pub(crate) fn skew(&self) -> SignedDuration {
        SignedDuration::from_secs(self.ahead_by_seconds.load(Ordering::Relaxed))
    }

    /// The same, if it is more than is tolerated.
    pub(crate) fn off_by(&self) -> Option<SignedDuration> {
        let skew = self.skew();
        (skew.unsigned_abs() > self.tolerance).then_some(skew)
    }
}

/// "is slow by about 1 h": how a person says it. The service is ahead where this machine is slow.
pub(crate) struct Off(pub(crate) SignedDuration);

impl std::fmt::Display for Off {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let direction = if self.0.is_negative() { "fast" } else { "slow" };
        let minutes = self.0.unsigned_abs().as_secs().saturating_add(30) / 60;
        match minutes {
            0..=90 if minutes != 60 => write!(f, "is {direction} by about {minutes} min"),
            _ => write!(f, "is {direction} by about {} h", (minutes + 30) / 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_effect_of_a_write_lies_within_the_whole_seconds_around_it() {
        let window = accepted(
            Some(at("2026-02-03T04:05:06Z")),
            Duration::from_millis(1_300),
        );
        assert_eq!(window.sent, at("2026-02-03T04:05:04Z"));
        assert_eq!(window.answered, at("2026-02-03T04:05:07Z"));
    }

    #[test]
    fn a_clock_is_off_beyond_the_tolerance_only() {
        let clock = ServiceClock::new(Duration::from_mins(5));
        clock.observe(Some(now()));
        assert_eq!(clock.off_by(), None);
        clock.observe(Some(after(Duration::from_hours(1))));
        let off = clock.off_by().unwrap();
        assert_eq!(Off(off).to_string(), "is slow by about 1 h");
        clock.observe(None);
        assert_eq!(clock.off_by(), Some(off));
    }

    #[test]
    fn an_offset_reads_as_a_person_says_it() {
        let text = |seconds| Off(SignedDuration::from_secs(seconds)).to_string();
        assert_eq!(text(420), "is slow by about 7 min");
        assert_eq!(text(-3_598), "is fast by about 1 h");
        assert_eq!(text(-86_400), "is fast by about 24 h");
    }
}
