//! The simulator's clock: the machine's, plus an offset that a test may move.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// A clock that is wrong on purpose, and that moves only forward once started.
#[derive(Debug)]
pub(crate) struct Clock {
    offset_millis: AtomicI64,
}

impl Clock {
    pub(crate) fn new(offset: SignedDuration) -> Self {
        Self {
            offset_millis: AtomicI64::new(millis(offset)),
        }
    }

    /// The simulated service's time.
    pub(crate) fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset_millis.load(Ordering::Relaxed));
        Timestamp::now()
            .checked_add(offset)
            .unwrap_or(Timestamp::MAX)
    }

    /// Lets simulated time pass without waiting for it.
    pub(crate) fn advance(&self, by: SignedDuration) {
        self.offset_millis.fetch_add(millis(by), Ordering::Relaxed);
    }
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `Sat, 01 Aug 2026 10:00:00 GMT`, for the `Date` header.
pub(crate) fn http_date(at: Timestamp) -> String {
    let seconds = Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + seconds)
}

/// `2026-08-01T10:00:00Z`: Graph states its timestamps in whole seconds.
pub(crate) fn graph_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-08-01T10:00:00`, the form inside a Graph error.
pub(crate) fn graph_error_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `2026-08-01 10:00:00Z`, the form inside a token error.
pub(crate) fn token_error_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `2026-08-01T10:00:00.0000000Z`, the form inside a refusal of the sign-in service.
pub(crate) fn iso_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}
