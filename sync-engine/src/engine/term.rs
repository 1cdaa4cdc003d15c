//! The lease over time: how long it lasts, and what its beginning means.

use jiff::Timestamp;

use super::{Engine, EngineError, Ports};
use crate::plan::Policy;
use crate::ports::{Lease, StoreError};

/// The vault's answer about the lease, and when it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) lease: Lease,
    /// The latest time that the clock showed since it was asked.
    seen: Timestamp,
}

impl Term {
    /// Takes or renews the lease.
    pub(crate) async fn ask(ports: &Ports) -> Result<Self, EngineError> {
        let seen = ports.clock.now();
        let lease = ports.vault.lease().await?;
        Ok(Self { lease, seen })
    }

    /// Notes what the clock shows, so that one that is set back later is noticed.
    pub(crate) fn see(&mut self, now: Timestamp) {
        self.seen = self.seen.max(now);
    }

    /// Whether the lease is over: another agent may have led since. A clock that was set back says
    /// nothing of a lease's end, so it ends the lease.
    pub(crate) fn has_ended(&self, now: Timestamp) -> bool {
        self.until().is_none_or(|until| until <= now) || now < self.seen
    }

    /// Whether another agent held the lease just before.
    fn follows_another(&self) -> bool {
        matches!(
            self.lease,
            Lease::Granted {
                writes_from: Some(_),
                ..
            }
        )
    }

    /// The lease's end; `None` where it was not granted.
    fn until(&self) -> Option<Timestamp> {
        match self.lease {
            Lease::Granted { until, .. } => Some(until),
            Lease::Elsewhere { .. } => None,
        }
    }

    /// Whether a write that begins now ends within the lease.
    pub(crate) fn outlasts_a_write(&self, policy: &Policy, now: Timestamp) -> bool {
        let Lease::Granted { until, writes_from } = self.lease else {
            return false;
        };
        let ends = now.checked_add(policy.write_timeout);
        !self.has_ended(now)
            && ends.is_ok_and(|ends| ends < until)
            && writes_from.is_none_or(|from| from <= now)
    }
}

impl Engine {
    /// Begins or renews a term. Whoever led before knows of sign-in tests and flags that this
    /// engine does not: everything is read again, the memory too.
    pub(super) fn begin_term(&mut self, term: &Term) {
        let now = self.ports.clock.now();
        let led = self.led.replace(term.clone());
        if led.is_some_and(|led| !led.has_ended(now)) {
            return;
        }
        self.vault = None;
        self.memory = None;
        self.shown = None;
        self.has_believed = false;
        self.was_succeeded |= term.follows_another();
    }

    /// Once in a term, as soon as everything was read. Where another agent led before, its word may be the vault's last
    /// about each credential, and everything is told once more.
    pub(super) fn believe_the_vault(&mut self) -> Result<(), StoreError> {
        if !self.has_believed {
            let was_succeeded = std::mem::take(&mut self.was_succeeded);
            let sight = self.sight()?;
            let ids = sight.vault.credentials.keys().copied();
            let untold = ids.filter(|_| was_succeeded).collect();
            sight.believe_the_vault();
            self.untold = untold;
            self.has_believed = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn term() -> Term {
        Term {
            seen: Timestamp::UNIX_EPOCH,
            lease: Lease::Granted {
                until: Timestamp::UNIX_EPOCH + Duration::from_mins(2),
                writes_from: None,
            },
        }
    }

    fn outlasts_a_write_at(second: i64) -> bool {
        let now = Timestamp::from_second(second).unwrap();
        term().outlasts_a_write(&Policy::default(), now)
    }

    #[test]
    fn a_write_begins_only_if_it_ends_within_the_lease() {
        assert!(outlasts_a_write_at(0));
        assert!(outlasts_a_write_at(89));
        assert!(!outlasts_a_write_at(90));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lengthen_the_lease() {
        assert!(!outlasts_a_write_at(-1));
        let mut term = term();
        for second in [80, 70] {
            term.see(Timestamp::from_second(second).unwrap());
        }
        let policy = Policy::default();
        assert!(term.outlasts_a_write(&policy, Timestamp::from_second(80).unwrap()));
        assert!(!term.outlasts_a_write(&policy, Timestamp::from_second(79).unwrap()));
    }
}
