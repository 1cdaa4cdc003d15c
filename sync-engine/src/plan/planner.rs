//! A plan that is kept and brought up to date: what did not move is not planned again.
//!
//! [`plan`](super::plan) is what it must equal at any time; its tests hold it to that.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::budget::Ledger;
use super::horizon::horizon;
use super::index::{Index, View};
use super::rules::{Decider, contested_among};
use super::{Decision, Moved, Plan, Policy};
use crate::model::{CredentialId, DirectoryView, Memory, SyncMode, VaultView};

/// All that a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The vault.
    pub vault: &'a VaultView,
    /// The directory.
    pub directory: &'a DirectoryView,
    /// What is remembered.
    pub memory: &'a Memory,
    /// The numbers.
    pub policy: &'a Policy,
    /// The time.
    pub now: Timestamp,
}

/// A plan that is kept and brought up to date. It is one client's, under one policy.
#[derive(Debug)]
pub struct Planner {
    moved: Moved,
    entries: BTreeMap<CredentialId, Entry>,
    index: Index,
    due: BTreeSet<(Timestamp, CredentialId)>,
    steps: BTreeSet<CredentialId>,
    synced: usize,
    last: Option<Last>,
}

/// What is kept of a credential.
#[derive(Debug)]
struct Entry {
    /// The decision; `None` where only the memory knows the credential. It still tells of its
    /// account, which another may share.
    decision: Option<Decision>,
    /// When time alone may change something.
    due: Option<Timestamp>,
}

impl Entry {
    fn is(&self, of_kind: fn(&Decision) -> bool) -> bool {
        self.decision.as_ref().is_some_and(of_kind)
    }
}

/// What every decision depends on, as it was for the last plan.
#[derive(Debug, PartialEq, Eq)]
struct Last {
    now: Timestamp,
    verification_paused_until: Option<Timestamp>,
}

impl Default for Planner {
    fn default() -> Self {
        Self {
            moved: Moved::everything(),
            entries: BTreeMap::new(),
            index: Index::default(),
            due: BTreeSet::new(),
            steps: BTreeSet::new(),
            synced: 0,
            last: None,
        }
    }
}

impl Planner {
    /// Marks what moved since the last plan.
    pub fn mark(&mut self, moved: Moved) {
        self.moved.and(moved);
    }

    /// Plans anew what moved and what is due. Returns the decisions about these, and every step.
    pub fn replan(&mut self, inputs: Inputs<'_>) -> Plan {
        let looked_at = self.take_moved(inputs);
        self.decide(inputs, &looked_at);
        self.plan(inputs.policy, &looked_at)
    }

    /// The credentials that moved, that time alone may have changed, or that share an account with
    /// one of these.
    pub(crate) fn take_moved(&mut self, inputs: Inputs<'_>) -> BTreeSet<CredentialId> {
        let moved = std::mem::take(&mut self.moved);
        let last = Last {
            now: inputs.now,
            verification_paused_until: inputs.memory.client.verification_paused_until,
        };
        let before = self.last.replace(last);
        let continues = before.is_some_and(|it| {
            it.now <= inputs.now
                && it.verification_paused_until == inputs.memory.client.verification_paused_until
        });
        if moved.everything || !continues {
            self.forget();
            let known = inputs.memory.credentials.keys();
            return inputs
                .vault
                .credentials
                .keys()
                .chain(known)
                .copied()
                .collect();
        }
        let mut ids = moved.credentials;
        let objects = moved.objects.iter();
        ids.extend(objects.flat_map(|object| self.index.watchers(*object)));
        ids.extend(moved.names.iter().flat_map(|name| self.index.named(name)));
        ids.extend(self.take_due(inputs.now));
        self.with_neighbours(inputs, ids)
    }

    /// Decides about these credentials, and keeps the decisions.
    pub(crate) fn decide(&mut self, inputs: Inputs<'_>, ids: &BTreeSet<CredentialId>) {
        self.index(inputs, ids);
        let neighbours = self.neighbours(ids);
        let sharers = || neighbours.iter();
        let claims = sharers().filter_map(|id| inputs.vault.credentials.get(id));
        let memories = sharers().filter_map(|id| inputs.memory.credentials.get(id));
        let decider = Decider {
            inputs,
            contested: contested_among(claims, inputs.vault, inputs.directory),
            ledger: Ledger::of(memories),
        };
        let entries = ids.iter().map(|id| {
            let credential = inputs.vault.credentials.get(id);
            let mode = credential.map_or(SyncMode::Off, |it| it.mode);
            let entry = Entry {
                decision: credential.map(|it| decider.decide(it)),
                due: horizon(*id, mode, inputs),
            };
            (*id, entry)
        });
        if self.entries.is_empty() {
            // All at once, which packs them densely.
            self.entries = entries.collect();
            self.count_anew();
        } else {
            entries.for_each(|(id, entry)| self.keep(id, entry));
        }
    }

    fn index(&mut self, inputs: Inputs<'_>, ids: &BTreeSet<CredentialId>) {
        let views = ids.iter().map(|id| View::of(*id, inputs));
        if self.index.is_empty() {
            self.index = Index::of(views);
            return;
        }
        for view in views {
            let before = self
                .entries
                .get(&view.id)
                .and_then(|it| it.decision.as_ref());
            self.index.update(&view, before.map(|it| &it.user_name));
        }
    }

    fn count_anew(&mut self) {
        let entries = self.entries.iter();
        let due = entries.clone().filter_map(|(id, it)| Some((it.due?, *id)));
        self.due = due.collect();
        let steps = entries.clone().filter(|(_, it)| it.is(Decision::is_step));
        self.steps = steps.map(|(id, _)| *id).collect();
        self.synced = entries.filter(|(_, it)| it.is(Decision::is_synced)).count();
    }

    /// The decisions about these credentials, and every step, in the order in which it is done.
    pub(crate) fn plan(&self, policy: &Policy, ids: &BTreeSet<CredentialId>) -> Plan {
        let wanted = ids.union(&self.steps);
        let entries = wanted.filter_map(|id| self.entries.get(id));
        let mut decisions = Vec::with_capacity(ids.len().max(self.steps.len()));
        decisions.extend(entries.filter_map(|it| it.decision.clone()));
        Plan::of(decisions, self.synced, policy)
    }

    /// The decision about a credential.
    pub(crate) fn decision(&self, id: CredentialId) -> Option<&Decision> {
        self.entries.get(&id)?.decision.as_ref()
    }

    /// Every decision.
    pub fn whole(&self, policy: &Policy) -> Plan {
        let decisions = self.entries.values().filter_map(|it| it.decision.clone());
        Plan::of(decisions.collect(), self.synced, policy)
    }

    /// These credentials and all that share an account with one of them.
    pub(crate) fn with_neighbours(
        &self,
        inputs: Inputs<'_>,
        ids: BTreeSet<CredentialId>,
    ) -> BTreeSet<CredentialId> {
        let mut all = self.neighbours(&ids);
        for id in &ids {
            let accounts = View::of(*id, inputs).accounts;
            all.extend(accounts.iter().flat_map(|it| self.index.watchers(*it)));
        }
        all.extend(ids);
        all
    }

    /// When time alone may change the plan.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    fn neighbours(&self, ids: &BTreeSet<CredentialId>) -> BTreeSet<CredentialId> {
        let objects = ids.iter().flat_map(|id| self.index.accounts_of(*id));
        let watchers = objects.flat_map(|object| self.index.watchers(object));
        watchers.chain(ids.iter().copied()).collect()
    }

    fn forget(&mut self) {
        let last = self.last.take();
        *self = Self {
            moved: Moved::default(),
            last,
            ..Self::default()
        };
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<CredentialId> {
        let mut ids = Vec::new();
        while let Some((due, id)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, id));
            ids.push(id);
        }
        ids
    }

    fn keep(&mut self, id: CredentialId, entry: Entry) {
        if entry.is(Decision::is_step) {
            self.steps.insert(id);
        } else {
            self.steps.remove(&id);
        }
        self.due.extend(entry.due.map(|due| (due, id)));
        self.synced += usize::from(entry.is(Decision::is_synced));
        let now = entry.due;
        if let Some(before) = self.entries.insert(id, entry) {
            self.synced -= usize::from(before.is(Decision::is_synced));
            if let Some(due) = before.due.filter(|_| before.due != now) {
                self.due.remove(&(due, id));
            }
        }
    }
}
