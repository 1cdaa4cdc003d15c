//! Smart lockout: failed sign-ins lock an account for a time, whatever the password.
//!
//! Source: Microsoft Entra smart lockout. Ten failures lock for a minute, later ones for longer; the last three bad
//! passwords are remembered and do not count again.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};

const FIRST_LOCK: SignedDuration = SignedDuration::from_secs(60);
const LONGEST_LOCK: SignedDuration = SignedDuration::from_hours(24);
const REMEMBERED: usize = 3;

/// One account's failures.
#[derive(Debug, Default)]
pub(crate) struct SmartLockout {
    failures: u32,
    bad_passwords: VecDeque<u64>,
    locked_until: Option<Timestamp>,
    last_lock: Option<SignedDuration>,
}

impl SmartLockout {
    pub(crate) fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// Failures counted since the last success.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// A wrong password: counted unless it is one of the last three, and locking from the threshold on.
    pub(crate) fn failed(&mut self, password: &str, now: Timestamp, threshold: u32) {
        let fingerprint = fingerprint(password);
        if self.bad_passwords.contains(&fingerprint) {
            return;
        }
        self.bad_passwords.push_back(fingerprint);
        if self.bad_passwords.len() > REMEMBERED {
            self.bad_passwords.pop_front();
        }
        self.failures += 1;
        if self.failures >= threshold {
            self.lock(now);
        }
    }

    /// A sign-in with the right password forgets the failures.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    fn lock(&mut self, now: Timestamp) {
        let window = self
            .last_lock
            .map_or(FIRST_LOCK, |last| (last * 2).min(LONGEST_LOCK));
        self.last_lock = Some(window);
        self.locked_until = now.checked_add(window).ok();
    }
}

fn fingerprint(password: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    password.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn fail_times(lockout: &mut SmartLockout, range: std::ops::Range<u32>, now: Timestamp) {
        for attempt in range {
            lockout.failed(&format!("wrong {attempt}"), now, 10);
        }
    }

    #[test]
    fn ten_different_wrong_passwords_lock_for_a_minute() {
        let mut lockout = SmartLockout::default();
        fail_times(&mut lockout, 0..9, at(0));
        assert!(!lockout.is_locked(at(0)));
        fail_times(&mut lockout, 9..10, at(0));
        assert!(lockout.is_locked(at(59)));
        assert!(!lockout.is_locked(at(60)));
    }

    #[test]
    fn a_failure_after_a_lock_locks_for_twice_as_long() {
        let mut lockout = SmartLockout::default();
        fail_times(&mut lockout, 0..10, at(0));
        fail_times(&mut lockout, 10..11, at(100));
        assert!(lockout.is_locked(at(219)));
        assert!(!lockout.is_locked(at(220)));
    }

    #[test]
    fn one_of_the_last_three_bad_passwords_is_not_counted_again() {
        let mut lockout = SmartLockout::default();
        fail_times(&mut lockout, 0..3, at(0));
        fail_times(&mut lockout, 0..3, at(0));
        assert_eq!(lockout.failures(), 3);
    }

    #[test]
    fn the_fourth_last_bad_password_counts_again() {
        let mut lockout = SmartLockout::default();
        fail_times(&mut lockout, 0..4, at(0));
        fail_times(&mut lockout, 0..1, at(0));
        assert_eq!(lockout.failures(), 5);
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let mut lockout = SmartLockout::default();
        fail_times(&mut lockout, 0..9, at(0));
        lockout.succeeded();
        fail_times(&mut lockout, 0..9, at(0));
        assert!(!lockout.is_locked(at(0)));
    }
}
