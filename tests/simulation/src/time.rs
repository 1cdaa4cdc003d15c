//! Virtual time in milliseconds, and the queue of what happens next.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use sync_engine::model::Stamp;

/// When every world begins: 2025-01-01T00:00:00Z.
const BEGINNING: i64 = 1_735_689_600;

/// Seconds in milliseconds.
pub(crate) const SECOND: u64 = 1000;
/// Minutes in milliseconds.
pub(crate) const MINUTE: u64 = 60 * SECOND;
/// Hours in milliseconds.
pub(crate) const HOUR: u64 = 60 * MINUTE;
/// Days in milliseconds.
pub(crate) const DAY: u64 = 24 * HOUR;

/// A moment of true time, in milliseconds since the world began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    pub(crate) fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    pub(crate) fn minus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_sub(milliseconds))
    }

    /// Milliseconds since an earlier moment.
    pub(crate) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment as a clock shows it that is ahead by so many milliseconds.
    pub(crate) fn shown(self, ahead: i64) -> Timestamp {
        let milliseconds = i64::try_from(self.0).unwrap_or(i64::MAX / 4);
        Timestamp::from_millisecond(BEGINNING * 1000 + milliseconds + ahead)
            .unwrap_or(Timestamp::MAX)
    }

    /// The moment at which a clock showed this that was ahead by so many milliseconds.
    pub(crate) fn when_shown(shown: Timestamp, ahead: i64) -> Self {
        let since = shown.as_millisecond() - BEGINNING * 1000 - ahead;
        Self(u64::try_from(since).unwrap_or(0))
    }

    /// This moment as the services' clocks show it.
    pub(crate) fn true_time(self) -> Timestamp {
        self.shown(0)
    }

    /// This moment as a password stamp, which has whole seconds.
    pub(crate) fn stamp(self) -> Stamp {
        Stamp(Self(self.0 / SECOND * SECOND).true_time())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(all) = self;
        let (days, rest) = (all / DAY, all % DAY);
        let (hours, rest) = (rest / HOUR, rest % HOUR);
        let (minutes, rest) = (rest / MINUTE, rest % MINUTE);
        let (seconds, rest) = (rest / SECOND, rest % SECOND);
        write!(
            f,
            "{days:02}d {hours:02}:{minutes:02}:{seconds:02}.{rest:03}"
        )
    }
}

/// A duration in whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What happens next: in order of time, and of booking where the time is the same.
#[derive(Debug)]
pub(crate) struct Timeline<T> {
    booked: BTreeMap<(Moment, u64), T>,
    count: u64,
}

impl<T> Timeline<T> {
    pub(crate) fn new() -> Self {
        Self {
            booked: BTreeMap::new(),
            count: 0,
        }
    }

    pub(crate) fn book(&mut self, at: Moment, what: T) {
        self.count += 1;
        self.booked.insert((at, self.count), what);
    }

    pub(crate) fn next(&mut self) -> Option<(Moment, T)> {
        let ((at, _), what) = self.booked.pop_first()?;
        Some((at, what))
    }
}
