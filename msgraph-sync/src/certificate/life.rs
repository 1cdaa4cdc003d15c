//! From when until when a certificate is valid.

use jiff::{SignedDuration, Timestamp};

/// How long before its end a certificate is warned about.
pub const WARNED_AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// From when until when a certificate is valid, both included (RFC 5280, 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateLife {
    /// Its first moment.
    pub not_before: Timestamp,
    /// Its last moment.
    pub not_after: Timestamp,
}

impl CertificateLife {
    /// Whole days until it expires; negative once it has.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.not_after.duration_since(now).as_hours().div_euclid(24)
    }

    /// Whether it ends within [`WARNED_AHEAD`], or has ended.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        self.not_after.duration_since(now) <= WARNED_AHEAD
    }

    pub(crate) fn has_begun(&self, now: Timestamp) -> bool {
        self.not_before <= now
    }

    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        self.not_after < now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_whole_and_negative_after_the_end() {
        let life = CertificateLife {
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2026-03-02T12:00:00Z"),
        };
        for (now, left) in [
            ("2026-01-31T12:00:00Z", 30),
            ("2026-03-01T12:00:01Z", 0),
            ("2026-03-02T12:00:00Z", 0),
            ("2026-03-02T13:00:00Z", -1),
            ("2026-03-03T13:00:00Z", -2),
        ] {
            assert_eq!(life.days_left(at(now)), left, "{now}");
        }
        assert!(!life.has_begun(at("2025-12-31T23:59:59Z")));
        assert!(!life.has_ended(life.not_after));
        assert!(life.has_ended(at("2026-03-02T12:00:01Z")));
    }

    #[test]
    fn the_warning_begins_thirty_days_ahead() {
        let life = CertificateLife {
            not_before: at("2026-01-01T00:00:00Z"),
            not_after: at("2026-03-02T12:00:00Z"),
        };
        assert!(!life.ends_soon(at("2026-01-31T11:59:59Z")));
        assert!(life.ends_soon(at("2026-01-31T12:00:00Z")));
    }
}
