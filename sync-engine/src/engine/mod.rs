//! The engine of one client: its views, its memory, and the cycle that keeps both sides in step.

mod foresight;
mod gather;
mod plans;
mod reporting;
mod sight;
mod tally;
mod term;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

pub use self::plans::RulingError;
pub use self::tally::{Share, Tally};
pub(crate) use self::term::Term;
pub use self::world::{EngineError, Halt, Observer, Ports, Unwatched};

use self::gather::GOOD_BEFORE_A_STEP;
use self::sight::Sight;
use self::tally::Standings;
use crate::apply::{Done, GOOD_FOR, Walk};
use crate::cycle::{CycleReport, Footing, Row};
use crate::model::{CredentialId, CycleId, DirectoryView, Memory, PlanId, VaultView};
use crate::plan::{Action, Decision, HeldPlan, Moved, Plan, Planner, Policy};
use crate::ports::{Lease, StoreError, Wait};

/// The engine of one client.
pub struct Engine {
    ports: Ports,
    policy: Policy,
    halt: Halt,
    memory: Option<Memory>,
    vault: Option<VaultView>,
    directory: Option<DirectoryView>,
    planner: Planner,
    /// Credentials that were planned anew and of which the vault was not told yet.
    looked_at: BTreeSet<CredentialId>,
    standings: Standings,
    vault_read: Option<Timestamp>,
    directory_read: Option<Timestamp>,
    tenant_read: Option<Timestamp>,
    awaited: Option<Timestamp>,
    /// The last term, while it may go on without a gap.
    led: Option<Term>,
    has_believed: bool,
    /// Another agent led since this one did, as far as it could see.
    was_succeeded: bool,
    /// Credentials of which that agent may have told the vault something else.
    untold: BTreeSet<CredentialId>,
    shown: Option<Vec<HeldPlan>>,
}

impl Engine {
    /// An engine that has seen nothing yet: its first cycle reads everything.
    pub fn new(ports: Ports, policy: Policy) -> Self {
        Self {
            ports,
            policy,
            halt: Halt::default(),
            memory: None,
            vault: None,
            directory: None,
            planner: Planner::default(),
            looked_at: BTreeSet::new(),
            standings: Standings::default(),
            vault_read: None,
            directory_read: None,
            tenant_read: None,
            awaited: None,
            led: None,
            has_believed: false,
            was_succeeded: false,
            untold: BTreeSet::new(),
            shown: None,
        }
    }

    /// The switch that stops this engine between two steps.
    pub fn halt(&self) -> Halt {
        self.halt.clone()
    }

    /// Forgets the views, so that the next cycle reads vault and directory in full.
    pub fn read_all_next(&mut self) {
        self.vault = None;
        self.directory = None;
    }

    /// When the directory was last read in full.
    pub fn last_full_read(&self) -> Option<Timestamp> {
        self.directory_read
    }

    /// One cycle: gather, plan, guard, apply, report. With [`Wait::UpTo`] it waits for a change in
    /// the vault first.
    ///
    /// # Errors
    /// When a port fails as a whole. Failures of single accounts are rows of the report.
    pub async fn cycle(
        &mut self,
        wait: Wait,
        observer: &dyn Observer,
    ) -> Result<CycleReport, EngineError> {
        let cycle = CycleId(self.ports.clock.new_id());
        let term = Term::ask(&self.ports).await?;
        let result = match term.lease {
            Lease::Elsewhere { holder, until } => {
                self.led = None;
                self.was_succeeded = true;
                let footing = Footing::Standby { holder, until };
                Ok(CycleReport::idle(cycle, footing))
            }
            Lease::Granted { .. } => self.lead(cycle, term, wait, observer).await,
        };
        if matches!(result, Err(EngineError::Store(_))) {
            self.doubt_the_memory();
        }
        result
    }

    /// What could not be made durable is not believed either. A term anew, because the memory that
    /// is read again may have to be put right by the vault's word.
    fn doubt_the_memory(&mut self) {
        self.memory = None;
        self.led = None;
    }

    async fn lead(
        &mut self,
        cycle: CycleId,
        mut term: Term,
        wait: Wait,
        observer: &dyn Observer,
    ) -> Result<CycleReport, EngineError> {
        self.begin_term(&term);
        // First, so that the vault's word below is not older than our own.
        self.flush_reports().await?;
        self.gather(wait).await?;
        self.remember().await?;
        self.believe_the_vault()?;
        // A word that was said here is shown before it is acted on: afterwards the plan is gone.
        let first = self.show_plans().await;
        let mut done = Done::new();
        let plan = self.rounds(cycle, &mut term, observer, &mut done).await?;
        self.led = Some(term);
        let rows = self.sight()?.rows(&plan, &done);
        let tally = self.tally(&rows);
        self.report(&rows, &done).await?;
        self.looked_at.clear();
        first.and(self.show_plans().await)?;
        Ok(CycleReport {
            rows,
            tally,
            waiting: self.memory.as_ref().and_then(waiting),
            next_due: self.planner.next_due(),
            ..CycleReport::idle(cycle, Footing::Leader)
        })
    }

    fn tally(&mut self, rows: &[Row]) -> Tally {
        self.standings.take_in(rows);
        let tests_left = self.memory.as_ref().map(|memory| {
            self.standings.note_tests(rows, memory);
            let now = self.ports.clock.now();
            self.standings.tests_left(memory, &self.policy, now)
        });
        Tally {
            tests_left,
            ..self.standings.tally()
        }
    }

    async fn remember(&mut self) -> Result<(), StoreError> {
        if self.memory.is_none() {
            self.memory = Some(self.ports.store.load().await?);
            self.planner.mark(Moved::everything());
        }
        Ok(())
    }

    /// Plans and applies until nothing is left to do now. Returns the last plan.
    async fn rounds(
        &mut self,
        cycle: CycleId,
        term: &mut Term,
        observer: &dyn Observer,
        done: &mut Done,
    ) -> Result<Plan, EngineError> {
        // No step is begun twice in a cycle, so this comes to an end.
        loop {
            let mut plan = self.plan_now().await?;
            if has_steps(&plan) && self.refresh_tenant(GOOD_BEFORE_A_STEP).await? {
                plan = self.plan_now().await?;
            }
            if self.walk(&plan, cycle, term, observer, done).await? == 0 {
                return Ok(plan);
            }
            // A walk takes time: somebody may have muted the client or typed another password.
            let began = self.vault_read;
            self.gather_vault(Wait::No).await?;
            if plan.decisions.iter().any(|it| is_push(&it.action))
                || !self.is_recent(began, GOOD_FOR)
            {
                self.gather_directory().await?;
            }
        }
    }

    /// Takes in what the views show, makes that durable, and plans.
    async fn plan_now(&mut self) -> Result<Plan, EngineError> {
        let now = self.ports.clock.now();
        let policy = self.policy.clone();
        let clock = Arc::clone(&self.ports.clock);
        let mut sight = self.sight()?;
        let client_before = sight.memory.client.clone();
        let plans_before = sight.memory.plans.clone();
        let (looked_at, changed) = sight.look(&policy, now);
        plans::take_rulings(sight.memory, sight.vault);
        self.looked_at.extend(looked_at);
        let looked_at = std::mem::take(&mut self.looked_at);
        let mut sight = self.sight()?;
        let (plan, tripped) = sight.decide(&policy, now, &looked_at);
        let new_id = || PlanId(clock.new_id());
        sight.hold(tripped, &policy, now, new_id);
        let memories: Vec<_> = changed
            .iter()
            .filter_map(|id| sight.memory.credentials.get(id).cloned())
            .collect();
        let client = (sight.memory.client != client_before).then(|| sight.memory.client.clone());
        let plans = sight.memory.plans.clone();
        self.looked_at = looked_at;
        if !memories.is_empty() {
            self.ports.store.save_credentials(&memories).await?;
        }
        plans::save(self.ports.store.as_ref(), &plans_before, &plans).await?;
        // Last: a new epoch is known only once no credential's memory and no plan is of the old one.
        if let Some(client) = client {
            self.ports.store.save_client(&client).await?;
        }
        Ok(plan)
    }

    async fn walk(
        &mut self,
        plan: &Plan,
        cycle: CycleId,
        term: &mut Term,
        observer: &dyn Observer,
        done: &mut Done,
    ) -> Result<usize, EngineError> {
        let (Some(vault), Some(vault_read), Some(memory)) =
            (&self.vault, self.vault_read, &mut self.memory)
        else {
            return Ok(0);
        };
        // Before, because a walk that fails may have changed their memory all the same.
        let steps = plan.decisions.iter().filter(|it| it.is_step());
        self.planner
            .mark(Moved::credentials(steps.map(|it| it.credential)));
        let mut walk = Walk {
            ports: &self.ports,
            policy: &self.policy,
            halt: &self.halt,
            observer,
            vault,
            vault_read,
            memory,
            cycle,
            term,
            done,
        };
        walk.walk(plan).await
    }

    fn sight(&mut self) -> Result<Sight<'_>, StoreError> {
        match (&self.vault, &self.directory, &mut self.memory) {
            (Some(vault), Some(directory), Some(memory)) => Ok(Sight {
                vault,
                directory,
                memory,
                planner: &mut self.planner,
            }),
            _ => Err(nothing_gathered()),
        }
    }
}

fn nothing_gathered() -> StoreError {
    StoreError::NotReadable("nothing was gathered yet".into())
}

/// The plan that waits for a person.
fn waiting(memory: &Memory) -> Option<PlanId> {
    let mut plans = memory.plans.values();
    plans.find(|plan| plan.is_waiting()).map(|plan| plan.id)
}

fn has_steps(plan: &Plan) -> bool {
    plan.decisions.iter().any(Decision::is_step)
}

fn is_push(action: &Action) -> bool {
    matches!(action, Action::Push(_))
}
