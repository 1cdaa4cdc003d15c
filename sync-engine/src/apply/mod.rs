//! Walks a plan through the ports: intent written down first, then the request, then its outcome.
//!
//! Steps run in small batches, so that one journal transaction serves several of them and a
//! request to stop waits for one batch at the most.

mod push;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::{EngineError, Halt, Observer, Ports, Term};
use crate::model::{
    CredentialId, CredentialMemory, CycleId, JournalEntry, Memory, Password, Phase, StepKind,
    VaultView, Verdict, Wrote,
};
use crate::plan::{Action, Decision, Plan, Policy, Target};
use crate::ports::PasswordAnswer;

/// Sign-in tests in flight at once.
const TESTS: usize = 8;

/// Writes in flight at once: as many as fit into one request of Microsoft Graph.
const WRITES: usize = 20;

/// The journal's words for a step that came too late.
const LEASE_ENDS: &str = "not sent: this agent's lease is about to end";

/// What was read of the vault is acted on for this long; whatever is left then is planned anew. In
/// the meantime somebody may mute the client, switch to Report mismatches, or change a password.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(30);

/// What was done in a cycle.
pub(crate) type Done = BTreeMap<CredentialId, Deed>;

/// What was done to one credential in a cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deed {
    /// The last step that was made: a test that was answered, a write that was taken.
    pub(crate) step: Option<StepKind>,
    /// The steps that were begun, made or not: none is begun twice in a cycle.
    pub(crate) begun: BTreeSet<StepKind>,
    /// What a sign-in test said.
    pub(crate) tested: Option<Verdict>,
    /// What came of the last write that was begun.
    pub(crate) wrote: Option<Wrote>,
}

/// One walk through one plan.
pub(crate) struct Walk<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) policy: &'a Policy,
    pub(crate) halt: &'a Halt,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) vault: &'a VaultView,
    /// When the vault was read last.
    pub(crate) vault_read: Timestamp,
    pub(crate) memory: &'a mut Memory,
    pub(crate) cycle: CycleId,
    pub(crate) term: &'a mut Term,
    pub(crate) done: &'a mut Done,
}

/// A decision that touches the directory.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) decision: &'a Decision,
    pub(super) target: Target,
}

impl Walk<'_> {
    /// Does what the plan says, as far as the lease and a request to stop allow it, and as long as
    /// what the plan was made from is fresh; at least one batch. Returns how many steps it began.
    pub(crate) async fn walk(&mut self, plan: &Plan) -> Result<usize, EngineError> {
        let verifies = self.steps(plan, StepKind::Verify);
        let pushes = self.steps(plan, StepKind::Push);
        if verifies.is_empty() && pushes.is_empty() {
            return Ok(0);
        }
        self.observer.planned(verifies.len() + pushes.len());
        let tested = self.verify_all(&verifies).await?;
        let written = self.push_all(pushes, tested).await?;
        Ok(tested + written)
    }

    async fn verify_all(&mut self, steps: &[Step<'_>]) -> Result<usize, EngineError> {
        let mut begun = 0;
        for batch in steps.chunks(TESTS) {
            if self.verification_is_paused() || !self.may_go_on(begun).await? {
                break;
            }
            self.verify(batch).await?;
            begun += batch.len();
        }
        Ok(begun)
    }

    async fn push_all(
        &mut self,
        pushes: Vec<Step<'_>>,
        tested: usize,
    ) -> Result<usize, EngineError> {
        let mut begun = 0;
        let is_own = |step: &Step<'_>| {
            let user_name = &step.decision.user_name;
            self.policy.is_own(user_name, step.target.object)
        };
        let (own, others): (Vec<_>, Vec<_>) = pushes.into_iter().partition(is_own);
        for batch in others.chunks(WRITES).chain(own.chunks(1)) {
            if !self.may_go_on(tested + begun).await? {
                break;
            }
            self.push(batch).await?;
            begun += batch.len();
        }
        Ok(begun)
    }

    /// Whether "locked" answers, perhaps of this very walk, pause the tenant.
    fn verification_is_paused(&self) -> bool {
        let until = self.memory.client.verification_paused_until;
        until.is_some_and(|until| until > self.now())
    }

    /// Whether the lease outlasts another request, nobody asked to stop, and the plan is fresh; after
    /// so many steps of this walk. A lease that is over is not taken again in the middle of a cycle:
    /// what another agent did meanwhile must be read first.
    async fn may_go_on(&mut self, begun: usize) -> Result<bool, EngineError> {
        let now = self.now();
        if self.halt.is_requested() || self.term.has_ended(now) {
            return Ok(false);
        }
        self.term.see(now);
        let is_fresh = now.duration_since(self.vault_read).unsigned_abs() < GOOD_FOR;
        if begun > 0 && !is_fresh {
            return Ok(false);
        }
        if !self.term_outlasts_a_write() {
            *self.term = Term::ask(self.ports).await?;
        }
        Ok(self.term_outlasts_a_write())
    }

    /// The password for a step that is about to be made, or why the step is not made.
    async fn password(&self, step: Step<'_>) -> Result<Password, String> {
        let decision = step.decision;
        let vault = &self.ports.vault;
        let answer = vault.password(decision.credential, decision.version).await;
        let password = match answer {
            Ok(PasswordAnswer::Current(password)) => password,
            Ok(PasswordAnswer::Superseded) => {
                return Err("not sent: the password changed meanwhile".to_owned());
            }
            Err(error) => return Err(format!("not sent: {error}")),
        };
        // The vault may have taken its time, and another agent may be about to take over.
        if self.term_outlasts_a_write() {
            Ok(password)
        } else {
            Err(LEASE_ENDS.to_owned())
        }
    }

    fn term_outlasts_a_write(&self) -> bool {
        self.term.outlasts_a_write(self.policy, self.now())
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
            by: None,
        }
    }

    /// The steps of this kind that the plan asks for, without those that this cycle began already.
    fn steps<'p>(&self, plan: &'p Plan, kind: StepKind) -> Vec<Step<'p>> {
        let is_new = |id| self.done.get(id).is_none_or(|it| !it.begun.contains(&kind));
        plan.decisions
            .iter()
            .filter(|decision| is_new(&decision.credential))
            .filter_map(|decision| {
                let target = step_target(decision, kind)?;
                Some(Step { decision, target })
            })
            .collect()
    }

    fn made(&mut self, step: Step<'_>, kind: StepKind) {
        let deed = self.done.entry(step.decision.credential).or_default();
        deed.step = Some(kind);
    }

    fn finished(&mut self, step: Step<'_>, kind: StepKind) {
        let deed = self.done.entry(step.decision.credential).or_default();
        deed.begun.insert(kind);
        self.observer.finished(step.decision, kind);
    }
}

fn step_target(decision: &Decision, kind: StepKind) -> Option<Target> {
    match (&decision.action, kind) {
        (Action::Verify(target), StepKind::Verify) | (Action::Push(target), StepKind::Push) => {
            Some(*target)
        }
        _ => None,
    }
}
