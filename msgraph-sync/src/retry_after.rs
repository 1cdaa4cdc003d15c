//! The `Retry-After` header, and how long a read is patient.

use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::GraphError;

/// Nothing that a service says makes us wait longer than a day before we ask again.
const LONGEST: Duration = Duration::from_hours(24);

/// What a throttled call waits when the service names no time.
pub(crate) const UNNAMED: Duration = Duration::from_secs(30);

/// The wait that an answer asks for, from seconds or from an HTTP date; capped at a day.
///
/// RFC 9110 allows whole seconds only, but Graph also sends fractions (`2.128`).
/// Source: Microsoft Graph throttling guidance, its sample answer.
///
/// A date is read against the answer's own `Date`, so that a wrong clock here does not stretch it.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) => from_seconds(seconds)?,
        Err(_) => until(httpdate::parse_http_date(text).ok()?, headers),
    };
    Some(wait.min(LONGEST))
}

fn from_seconds(seconds: f64) -> Option<Duration> {
    let is_a_wait = seconds >= 0.0;
    is_a_wait.then(|| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST))
}

fn until(then: SystemTime, headers: &HeaderMap) -> Duration {
    let stated = headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    then.duration_since(stated.unwrap_or_else(SystemTime::now))
        .unwrap_or_default()
}

/// How often and how long a read is tried again. A write never is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// The first wait; later ones grow.
    pub(crate) first: Duration,
    /// No single wait is longer. A service that asks for more gets its answer passed on instead.
    pub(crate) longest: Duration,
    /// How many tries follow the first one.
    pub(crate) retries: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_mins(1),
            retries: 3,
        }
    }
}

impl Patience {
    /// The growing, jittered waits of one call.
    pub(crate) fn waits(self) -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_max_times(self.retries)
            .with_jitter()
            .build()
    }

    /// How long to wait before the next try; `None` when there is none.
    pub(crate) fn wait(
        self,
        error: &GraphError,
        waits: &mut ExponentialBackoff,
    ) -> Option<Duration> {
        if !error.passes() {
            return None;
        }
        let ours = waits.next()?.min(self.longest);
        match error.asked_wait() {
            Some(asked) if asked > self.longest => None,
            Some(asked) => Some(asked.max(ours)),
            None => Some(ours),
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::ServiceFault;

    fn headers<const N: usize>(pairs: [(HeaderName, &'static str); N]) -> HeaderMap {
        pairs
            .into_iter()
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn seconds_and_dates_are_read_and_nonsense_is_not() {
        let seconds = headers([(RETRY_AFTER, "10")]);
        assert_eq!(retry_after(&seconds), Some(Duration::from_secs(10)));
        let fraction = headers([(RETRY_AFTER, "2.128")]);
        assert_eq!(retry_after(&fraction), Some(Duration::from_millis(2_128)));
        let date = headers([
            (DATE, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT"),
        ]);
        assert_eq!(retry_after(&date), Some(Duration::from_mins(1)));
        let past = headers([(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT")]);
        assert_eq!(retry_after(&past), Some(Duration::ZERO));
        for nonsense in ["soon", "-1", "NaN", ""] {
            assert_eq!(retry_after(&headers([(RETRY_AFTER, nonsense)])), None);
        }
        assert_eq!(retry_after(&headers([])), None);
    }

    #[test]
    fn an_endless_wait_is_capped_at_a_day() {
        for endless in ["18446744073709551615", "1e300", "inf", "86401"] {
            assert_eq!(
                retry_after(&headers([(RETRY_AFTER, endless)])),
                Some(LONGEST)
            );
        }
    }

    fn throttled(wait: Duration) -> GraphError {
        GraphError::Service(ServiceFault {
            status: 429,
            code: None,
            request_id: None,
            client_request_id: None,
            wait: Some(wait),
        })
    }

    #[test]
    fn a_read_waits_as_long_as_asked_up_to_a_minute_and_gives_up_beyond() {
        let patience = Patience::default();
        let mut waits = patience.waits();
        let asked = Duration::from_secs(40);
        assert_eq!(patience.wait(&throttled(asked), &mut waits), Some(asked));
        let too_long = Duration::from_secs(61);
        assert_eq!(patience.wait(&throttled(too_long), &mut waits), None);
    }

    #[test]
    fn a_read_is_tried_four_times_at_most() {
        let patience = Patience::default();
        let mut waits = patience.waits();
        let tries = std::iter::from_fn(|| patience.wait(&throttled(Duration::ZERO), &mut waits));
        assert_eq!(tries.count(), 3);
    }
}
