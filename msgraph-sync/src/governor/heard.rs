//! What an answer says of the limits.
//!
//! Source: Microsoft Graph throttling limits, "Identity and access service limits", additional headers.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::Kind;
use crate::retry_after::{UNNAMED, retry_after};

const SHARE: &str = "x-ms-throttle-limit-percentage";
const COST: &str = "x-ms-resource-unit";
const SCOPE: &str = "x-ms-throttle-scope";

/// No call of ours costs more; a larger number is no cost.
const DEAREST: u32 = 1_000;

/// What an answer says of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Heard {
    /// The share of its limit that is used; 0 where it is not named, which means below 0.8. Only a success says so.
    pub(super) share: Option<f64>,
    /// The resource units that it took.
    pub(super) cost: Option<u32>,
    /// It was throttled.
    pub(super) throttled: bool,
    /// No writes for so long.
    pub(super) no_writes: Option<Duration>,
    /// No reads for so long.
    pub(super) no_reads: Option<Duration>,
}

impl Heard {
    pub(super) fn of(kind: Kind, status: StatusCode, headers: &HeaderMap) -> Self {
        let mut heard = Self {
            share: status
                .is_success()
                .then(|| share(headers).unwrap_or_default()),
            cost: cost(headers),
            throttled: status == StatusCode::TOO_MANY_REQUESTS,
            ..Self::default()
        };
        if heard.throttled {
            // A read tries again by its own patience where no time is named; a write is put off.
            let unnamed = (kind == Kind::Write).then_some(UNNAMED);
            let wait = retry_after(headers).or(unnamed);
            let (writes, reads) = concerned(kind, headers);
            heard.no_writes = wait.filter(|_| writes);
            heard.no_reads = wait.filter(|_| reads);
        }
        heard
    }
}

/// Whether writes and reads are throttled: `Tenant_Application/Write/…`; the answered kind where it does not say.
fn concerned(kind: Kind, headers: &HeaderMap) -> (bool, bool) {
    let scope = text(headers, SCOPE).and_then(|scope| scope.split('/').nth(1));
    match scope {
        Some("ReadWrite") => (true, true),
        Some("Write") => (true, false),
        Some("Read") => (false, true),
        _ => (kind == Kind::Write, kind == Kind::Read),
    }
}

/// Documented as 0.8 to 1.8. Whatever is not a number counts as nothing.
fn share(headers: &HeaderMap) -> Option<f64> {
    let share: f64 = text(headers, SHARE)?.parse().ok()?;
    share.is_finite().then(|| share.clamp(0.0, 1.8))
}

fn cost(headers: &HeaderMap) -> Option<u32> {
    let cost: u32 = text(headers, COST)?.parse().ok()?;
    (1..=DEAREST).contains(&cost).then_some(cost)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(kind: Kind, status: u16, pairs: &[(&'static str, &'static str)]) -> Heard {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        Heard::of(kind, StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn share_and_cost_are_read_and_nonsense_is_not() {
        let said = heard(Kind::Read, 200, &[(SHARE, "0.93"), (COST, "5")]);
        assert_eq!((said.share, said.cost), (Some(0.93), Some(5)));
        for (share, cost) in [
            ("", "0"),
            ("NaN", "-1"),
            ("inf", "many"),
            ("full", "99999999"),
        ] {
            let said = heard(Kind::Read, 200, &[(SHARE, share), (COST, cost)]);
            assert_eq!((said.share, said.cost), (Some(0.0), None), "{share} {cost}");
        }
        let beyond = heard(Kind::Read, 200, &[(SHARE, "90")]);
        assert_eq!(beyond.share, Some(1.8));
    }

    #[test]
    fn a_429_stops_what_its_scope_names_for_as_long_as_it_says() {
        let wait = Some(Duration::from_secs(10));
        for (kind, scope, writes, reads) in [
            (
                Kind::Write,
                "Tenant_Application/Write/app/tenant",
                wait,
                None,
            ),
            (Kind::Read, "Tenant_Application/Read/app/tenant", None, wait),
            (Kind::Write, "Tenant/ReadWrite/app/tenant", wait, wait),
            (Kind::Write, "nonsense", wait, None),
            (Kind::Read, "", None, wait),
        ] {
            let said = heard(kind, 429, &[("retry-after", "10"), (SCOPE, scope)]);
            assert!(said.throttled);
            assert_eq!((said.no_writes, said.no_reads), (writes, reads), "{scope}");
        }
    }

    #[test]
    fn a_429_without_a_time_puts_writes_off_and_leaves_reads_to_their_patience() {
        assert_eq!(heard(Kind::Write, 429, &[]).no_writes, Some(UNNAMED));
        assert_eq!(heard(Kind::Read, 429, &[]).no_reads, None);
    }

    #[test]
    fn a_failing_server_s_wait_is_no_throttling() {
        let said = heard(Kind::Write, 503, &[("retry-after", "10")]);
        assert_eq!(said, Heard::default());
    }
}
