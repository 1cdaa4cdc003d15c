//! Warns that the app's certificate is about to expire: at the first sign-in, and then daily.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::CertificateLife;
use crate::service_clock;

/// How long one warning is good for.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// When it was warned last. A token lasts about an hour, so that this is looked at often enough.
#[derive(Debug, Default)]
pub(crate) struct CertificateWatch {
    warned: Mutex<Option<Timestamp>>,
}

impl CertificateWatch {
    /// Warns where it is time to.
    pub(crate) fn look(&self, life: CertificateLife, client_id: &str) {
        let now = service_clock::now();
        if self.is_time(life, now) {
            let (days, until) = (life.days_left(now), life.not_after);
            tracing::warn!(
                app.client_id = client_id,
                certificate.days_left = days,
                certificate.not_after = %until,
                "the certificate of app {client_id} expires in {days} days, at {until}"
            );
        }
    }

    fn is_time(&self, life: CertificateLife, now: Timestamp) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = warned.is_some_and(|last| now.duration_since(last) < AGAIN_AFTER);
        // What has expired is an error of its own.
        let is_time = life.ends_soon(now) && !life.has_ended(now) && !is_recent;
        if is_time {
            *warned = Some(now);
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_warned_about_daily_in_its_last_thirty_days() {
        let end: Timestamp = "2026-03-31T00:00:00Z".parse().unwrap();
        let life = CertificateLife {
            not_before: "2025-03-31T00:00:00Z".parse().unwrap(),
            not_after: end,
        };
        let watch = CertificateWatch::default();
        let warned_before_the_end = [
            (31 * 24, false),
            (30 * 24, true),
            (30 * 24 - 1, false),
            (29 * 24, true),
            (5, true),
            (-1, false),
        ];
        for (hours, expected) in warned_before_the_end {
            let now = end - SignedDuration::from_hours(hours);
            assert_eq!(watch.is_time(life, now), expected, "{hours} h before");
        }
    }
}
