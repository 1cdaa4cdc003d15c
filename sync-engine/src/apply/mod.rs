//! Walks a plan through the ports: intent written down first, then the request, then its outcome.
//!
//! Steps run in small batches, so that one journal transaction serves several of them and a
//! request to stop waits for one batch at the most.

mod push;
mod verify;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::engine::{EngineError, Halt, Observer, Ports};
use crate::model::{
    CredentialId, CredentialMemory, CycleId, JournalEntry, Memory, Phase, StepKind, VaultView,
    Verdict,
};
use crate::plan::{Action, Decision, Plan, Policy, Target};
use crate::ports::Lease;

/// Steps in flight at once.
const BATCH: usize = 8;

/// What was done in a cycle.
pub(crate) type Done = BTreeMap<CredentialId, Deed>;

/// What was done to one credential in a cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deed {
    /// The last step.
    pub(crate) step: Option<StepKind>,
    /// What a sign-in test said.
    pub(crate) tested: Option<Verdict>,
}

/// One walk through one plan.
pub(crate) struct Walk<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) policy: &'a Policy,
    pub(crate) halt: &'a Halt,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) vault: &'a VaultView,
    pub(crate) memory: &'a mut Memory,
    pub(crate) cycle: CycleId,
    pub(crate) lease: Lease,
    pub(crate) done: &'a mut Done,
}

/// A decision that touches the directory.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) decision: &'a Decision,
    pub(super) target: Target,
}

impl Walk<'_> {
    /// Does what the plan says, as far as the lease and a request to stop allow it.
    pub(crate) async fn walk(&mut self, plan: &Plan) -> Result<(), EngineError> {
        let verifies = steps(plan, StepKind::Verify);
        let pushes = steps(plan, StepKind::Push);
        self.observer.planned(verifies.len() + pushes.len());
        for batch in verifies.chunks(BATCH) {
            if !self.may_go_on().await? {
                return Ok(());
            }
            self.verify(batch).await?;
        }
        let (own, others): (Vec<_>, Vec<_>) = pushes
            .into_iter()
            .partition(|step| self.policy.own_account.as_ref() == Some(&step.decision.user_name));
        for batch in others.chunks(BATCH).chain(own.chunks(1)) {
            if !self.may_go_on().await? {
                return Ok(());
            }
            self.push(batch).await?;
        }
        Ok(())
    }

    /// Whether the lease outlasts another request, and nobody asked to stop.
    async fn may_go_on(&mut self) -> Result<bool, EngineError> {
        if self.halt.is_requested() {
            return Ok(false);
        }
        if !self.lease_outlasts_a_request() {
            self.lease = self.ports.vault.lease().await?;
        }
        Ok(self.lease_outlasts_a_request())
    }

    fn lease_outlasts_a_request(&self) -> bool {
        let now = self.ports.clock.now();
        let Lease::Granted { until, writes_from } = self.lease else {
            return false;
        };
        let ends = now.checked_add(self.policy.write_timeout);
        ends.is_ok_and(|ends| ends < until) && writes_from.is_none_or(|from| from <= now)
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    fn known(&self, id: CredentialId) -> CredentialMemory {
        let known = self.memory.credentials.get(&id);
        known.cloned().unwrap_or_else(|| CredentialMemory::new(id))
    }

    /// Makes entries and memories durable, then takes the memories over.
    async fn record(
        &mut self,
        entries: &[JournalEntry],
        memories: Vec<CredentialMemory>,
    ) -> Result<(), EngineError> {
        self.ports.store.record(entries, &memories).await?;
        for known in memories {
            self.memory.credentials.insert(known.id, known);
        }
        Ok(())
    }

    fn entry(&self, step: Step<'_>, kind: StepKind, phase: Phase, why: String) -> JournalEntry {
        JournalEntry {
            at: self.now(),
            cycle: self.cycle,
            credential: step.decision.credential,
            object: step.target.object,
            version: step.decision.version,
            stamp: step.target.stamp,
            step: kind,
            phase,
            why,
        }
    }

    fn finished(&mut self, step: Step<'_>, kind: StepKind) {
        let deed = self.done.entry(step.decision.credential).or_default();
        deed.step = Some(kind);
        self.observer.finished(step.decision, kind);
    }
}

fn steps(plan: &Plan, kind: StepKind) -> Vec<Step<'_>> {
    let step = |decision| {
        let target = step_target(decision, kind)?;
        Some(Step { decision, target })
    };
    plan.decisions.iter().filter_map(step).collect()
}

fn step_target(decision: &Decision, kind: StepKind) -> Option<Target> {
    match (&decision.action, kind) {
        (Action::Verify(target), StepKind::Verify) | (Action::Push(target), StepKind::Push) => {
            Some(*target)
        }
        _ => None,
    }
}
