//! Slows down guessing: five wrong sign-ins of one account from one address, then fifteen minutes of quiet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong sign-ins within [`WINDOW`] before the account is refused.
const MOST: usize = 5;

/// How long a wrong sign-in counts.
const WINDOW: Duration = Duration::from_mins(15);

/// Accounts remembered at the most; beyond it, old ones are forgotten first.
const REMEMBERED: usize = 10_000;

type Key = (String, IpAddr);

/// The wrong sign-ins of the last while. In memory: a restart forgets them.
#[derive(Debug, Default)]
pub(crate) struct SignInLimit {
    failures: Mutex<HashMap<Key, Vec<Instant>>>,
}

/// Too many wrong sign-ins.
#[derive(Debug)]
pub(crate) struct TooMany;

/// A sign-in that is under way. It counts as wrong until it is known to be right.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    limit: &'a SignInLimit,
    key: Key,
}

impl SignInLimit {
    /// Begins a sign-in. Counting before the test means that many at once do not slip through.
    pub(crate) fn begin(&self, account: &str, address: IpAddr) -> Result<Attempt<'_>, TooMany> {
        self.begin_at(account, address, Instant::now())
    }

    fn begin_at(
        &self,
        account: &str,
        address: IpAddr,
        now: Instant,
    ) -> Result<Attempt<'_>, TooMany> {
        let key = (account.to_lowercase(), address);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED {
            forget_old(&mut failures, now);
        }
        let of_account = failures.entry(key.clone()).or_default();
        of_account.retain(|at| now.duration_since(*at) < WINDOW);
        if of_account.len() >= MOST {
            return Err(TooMany);
        }
        of_account.push(now);
        Ok(Attempt { limit: self, key })
    }
}

impl Attempt<'_> {
    /// It was right: the account begins anew.
    pub(crate) fn succeeded(self) {
        let mut failures = self.limit.failures.lock();
        if let Ok(failures) = failures.as_mut() {
            failures.remove(&self.key);
        }
    }
}

fn forget_old(failures: &mut HashMap<Key, Vec<Instant>>, now: Instant) {
    failures.retain(|_, times| times.iter().any(|at| now.duration_since(*at) < WINDOW));
    if failures.len() >= REMEMBERED {
        failures.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn the_sixth_wrong_sign_in_is_refused_until_the_window_ends() {
        let limit = SignInLimit::default();
        let now = Instant::now();
        for _ in 0..MOST {
            drop(limit.begin_at("Ada@msp.example", HERE, now).unwrap());
        }
        assert!(limit.begin_at("ada@msp.example", HERE, now).is_err());
        assert!(limit.begin_at("ada@msp.example", THERE, now).is_ok());
        assert!(
            limit
                .begin_at("ada@msp.example", HERE, now + WINDOW)
                .is_ok()
        );
    }

    #[test]
    fn a_right_sign_in_begins_anew() {
        let limit = SignInLimit::default();
        for _ in 0..20 {
            limit.begin("ada@msp.example", HERE).unwrap().succeeded();
        }
    }
}
