//! Slows down guessing: five wrong sign-ins of one account from one address, then fifteen minutes of quiet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

/// Wrong sign-ins within [`WINDOW`] before the account is refused.
const MOST: usize = 5;

/// How long a wrong sign-in counts.
const WINDOW: Duration = Duration::from_mins(15);

/// Accounts remembered at the most; beyond it, the one that was tried longest ago is forgotten.
const REMEMBERED: usize = 10_000;

/// The account by its hash, so that a long name takes no more memory than a short one.
type Key = ([u8; 32], IpAddr);

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
        let key = (Sha256::digest(account.to_lowercase()).into(), address);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED && !failures.contains_key(&key) {
            forget_one(&mut failures);
        }
        let of_account = failures.entry(key).or_default();
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

/// Somebody who tries thousands of names makes this forget one name each time, not all of them.
fn forget_one(failures: &mut HashMap<Key, Vec<Instant>>) {
    let longest_ago = failures.iter().min_by_key(|(_, times)| times.last());
    if let Some(key) = longest_ago.map(|(key, _)| *key) {
        failures.remove(&key);
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
            let _attempt = limit.begin_at("Ada@msp.example", HERE, now).unwrap();
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
    fn a_flood_of_names_does_not_free_an_account_that_was_tried_just_now() {
        let limit = SignInLimit::default();
        let start = Instant::now();
        for n in 0..REMEMBERED {
            let _ = limit.begin_at(&format!("flood-{n}"), HERE, start);
        }
        let now = start + Duration::from_secs(1);
        for _ in 0..MOST {
            let _attempt = limit.begin_at("ada@msp.example", HERE, now).unwrap();
        }
        for n in 0..1000 {
            let _ = limit.begin_at(&format!("more-{n}"), HERE, now);
        }
        assert!(limit.begin_at("ada@msp.example", HERE, now).is_err());
        assert!(limit.failures.lock().unwrap().len() <= REMEMBERED);
    }

    #[test]
    fn a_right_sign_in_begins_anew() {
        let limit = SignInLimit::default();
        for _ in 0..20 {
            limit.begin("ada@msp.example", HERE).unwrap().succeeded();
        }
    }
}
