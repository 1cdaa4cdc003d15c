//! Until when the certificate is valid that the app signs in with.

use jiff::Timestamp;
use msgraph_sync::{CertificateLife, EntraDirectory};

use super::Check;

pub(super) const NAME: &str = "certificate";

/// `None` where the app signs in without one, or with one out of its time: then the sign-in says so.
pub(super) fn examine(directory: &EntraDirectory, now: Timestamp) -> Option<Check> {
    let life = directory.certificate()?;
    let is_valid = life.not_before <= now && now <= life.not_after;
    is_valid.then(|| of_life(life, now))
}

fn of_life(life: CertificateLife, now: Timestamp) -> Check {
    let (days, end) = (life.days_left(now), life.not_after);
    if !life.ends_soon(now) {
        return Check::fine(NAME, format!("valid until {end}"));
    }
    let left = match days {
        0 => "in less than a day".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    };
    Check::note(
        NAME,
        format!("the app's certificate expires {left}, at {end}"),
        "make a new one, upload it to the app registration beside the old one, replace the file, and restart the agent",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Checked;

    fn told(now: &str) -> String {
        let life = CertificateLife {
            not_before: "2025-03-31T00:00:00Z".parse().unwrap(),
            not_after: "2026-03-31T00:00:00Z".parse().unwrap(),
        };
        match of_life(life, now.parse().unwrap()).result {
            Checked::Fine { detail } => detail,
            Checked::Note { note, .. } => format!("note: {note}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_certificate_is_noted_in_its_last_thirty_days_with_its_end() {
        let end = "2026-03-31T00:00:00Z";
        let early = told("2026-02-28T23:59:59Z");
        assert_eq!(early, format!("valid until {end}"));
        for (now, left) in [
            ("2026-03-01T00:00:00Z", "in 30 days"),
            ("2026-03-29T12:00:00Z", "in 1 day"),
            ("2026-03-30T12:00:00Z", "in less than a day"),
        ] {
            let expected = format!("note: the app's certificate expires {left}, at {end}");
            assert_eq!(told(now), expected, "{now}");
        }
    }
}
