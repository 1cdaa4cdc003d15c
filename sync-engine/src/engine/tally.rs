//! How many credentials stand how, kept up to date from what a cycle looked at.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cycle::Row;
use crate::model::{CredentialId, FlagKind, Memory, Outcome};
use crate::plan::{Policy, budget};

/// How many of a client's credentials stand how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// All of them.
    pub credentials: usize,
    /// By outcome, without those that nobody has.
    pub outcomes: Vec<Share>,
    /// By flag, without those that nobody has.
    pub flags: BTreeMap<FlagKind, usize>,
    /// How many failed sign-in tests the account with the fewest left may still have today; `None` where no memory of
    /// tests was read.
    #[serde(default)]
    pub tests_left: Option<u32>,
}

/// How many credentials have one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The outcome.
    pub outcome: Outcome,
    /// How many.
    pub credentials: usize,
}

impl Tally {
    /// How many have an outcome of this kind.
    pub fn with(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        let shares = self.outcomes.iter().filter(|share| is(&share.outcome));
        shares.map(|share| share.credentials).sum()
    }
}

/// How each credential stood when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Standings {
    each: BTreeMap<CredentialId, (Outcome, Vec<FlagKind>)>,
    outcomes: BTreeMap<Outcome, usize>,
    flags: BTreeMap<FlagKind, usize>,
    /// Those with remembered sign-in tests, so that counting them costs no look at all the others.
    tried: BTreeSet<CredentialId>,
}

impl Standings {
    /// What the sign-in tests of these credentials leave of the lockout budget. Tests are made, and forgotten, in
    /// credentials that a cycle looks at.
    pub(super) fn note_tests(&mut self, rows: &[Row], memory: &Memory) {
        for row in rows {
            let known = memory.credentials.get(&row.credential);
            if known.is_some_and(|known| !known.attempts.is_empty()) {
                self.tried.insert(row.credential);
            } else {
                self.tried.remove(&row.credential);
            }
        }
    }

    pub(super) fn tests_left(&self, memory: &Memory, policy: &Policy, now: Timestamp) -> u32 {
        let known = self
            .tried
            .iter()
            .filter_map(|id| memory.credentials.get(id));
        budget::fewest_left(known, policy, now)
    }

    pub(super) fn take_in(&mut self, rows: &[Row]) {
        for row in rows {
            let flags: Vec<_> = row.flags.keys().copied().collect();
            let now = (row.outcome.clone(), flags.clone());
            if let Some((outcome, flags)) = self.each.insert(row.credential, now) {
                take(&mut self.outcomes, &outcome);
                for kind in &flags {
                    take(&mut self.flags, kind);
                }
            }
            *self.outcomes.entry(row.outcome.clone()).or_default() += 1;
            for kind in flags {
                *self.flags.entry(kind).or_default() += 1;
            }
        }
    }

    pub(super) fn tally(&self) -> Tally {
        let share = |(outcome, credentials): (&Outcome, &usize)| Share {
            outcome: outcome.clone(),
            credentials: *credentials,
        };
        Tally {
            credentials: self.each.len(),
            outcomes: self.outcomes.iter().map(share).collect(),
            flags: self.flags.clone(),
            tests_left: None,
        }
    }
}

fn take<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
