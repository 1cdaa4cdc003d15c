//! When a channel is told nothing.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use passportal_client::wire::QuietHours;

/// Whether it is quiet at `now`, by the clock of the quiet hours' own place. A place that this machine does not know has
/// no quiet hours: a notice too many is better than none.
pub(super) fn are_on(hours: &QuietHours, now: Timestamp) -> bool {
    let Ok(zone) = TimeZone::get(&hours.time_zone) else {
        return false;
    };
    let clock = zone.to_datetime(now).time();
    if hours.from <= hours.until {
        hours.from <= clock && clock < hours.until
    } else {
        hours.from <= clock || clock < hours.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, until: &str, zone: &str, now: &str) -> bool {
        let hours = QuietHours {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            time_zone: zone.to_owned(),
        };
        are_on(&hours, now.parse().unwrap())
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        for (clock, is) in [
            ("21:59", false),
            ("22:00", true),
            ("00:00", true),
            ("06:59", true),
            ("07:00", false),
        ] {
            let now = format!("2025-01-02T{clock}:00Z");
            assert_eq!(quiet("22:00", "07:00", "UTC", &now), is, "{clock}");
        }
        assert!(quiet("12:00", "13:00", "UTC", "2025-01-02T12:30:00Z"));
        assert!(!quiet("12:00", "13:00", "UTC", "2025-01-02T13:00:00Z"));
    }

    #[test]
    fn they_follow_the_clock_of_their_place_also_when_it_changes() {
        let berlin = |now| quiet("22:00", "07:00", "Europe/Berlin", now);
        assert!(berlin("2025-01-15T05:30:00Z"), "06:30 in winter");
        assert!(!berlin("2025-07-15T05:30:00Z"), "07:30 in summer");
    }

    #[test]
    fn an_unknown_place_is_never_quiet() {
        assert!(!quiet(
            "00:00",
            "23:59",
            "Nowhere/Atlantis",
            "2025-01-02T12:00:00Z"
        ));
    }
}
