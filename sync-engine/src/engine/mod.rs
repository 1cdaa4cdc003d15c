//! The engine of one client: its views, its memory, and the cycle that keeps both sides in step.

mod plans;
mod reporting;
mod sight;
mod term;
mod world;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use self::plans::RulingError;
pub(crate) use self::term::Term;
pub use self::world::{EngineError, Halt, Observer, Ports, Unwatched};

use self::sight::Sight;
use self::term::Succession;
use crate::apply::{Done, Walk};
use crate::cycle::{CycleReport, Footing};
use crate::model::{CycleId, DirectoryView, Memory, PlanId, VaultView};
use crate::observe::observe;
use crate::plan::{Action, HeldPlan, Plan, Policy};
use crate::ports::{Lease, StoreError, Wait};

/// What [`Engine::await_change`] read this short a time ago need not be read again.
const FRESH: Duration = Duration::from_secs(1);
/// Before a step, the tenant's domains must have been read within this time.
const DOMAINS_ARE_GOOD_FOR: Duration = Duration::from_mins(10);

/// The engine of one client.
pub struct Engine {
    ports: Ports,
    policy: Policy,
    halt: Halt,
    memory: Option<Memory>,
    vault: Option<VaultView>,
    directory: Option<DirectoryView>,
    directory_read: Option<Timestamp>,
    domains_read: Option<Timestamp>,
    awaited: Option<Timestamp>,
    leads_until: Option<Timestamp>,
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
            directory_read: None,
            domains_read: None,
            awaited: None,
            leads_until: None,
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

    /// What the next cycle would do. Touches nothing: neither vault, directory nor memory change.
    ///
    /// # Errors
    /// When vault, directory or memory cannot be read.
    pub async fn preview(&mut self) -> Result<CycleReport, EngineError> {
        let cycle = CycleId(self.ports.clock.new_id());
        self.gather(Wait::No).await?;
        // A copy that is not kept: before the next cycle another agent may have been at work.
        let known = self.memory.clone();
        self.remember().await?;
        let now = self.ports.clock.now();
        let policy = self.policy.clone();
        let sight = self.sight()?;
        observe(sight.memory, sight.vault, sight.directory, &policy, now);
        let (plan, _) = sight.decide(&policy, now);
        let rows = sight.rows(&plan, &Done::new());
        self.memory = known;
        Ok(CycleReport::new(cycle, Footing::Preview, rows))
    }

    /// Waits until the vault changes, at the most this long, and tells whether it did. The next
    /// cycle then need not read the vault again. Dropping the future before it is ready is safe.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn await_change(&mut self, most: Duration) -> Result<bool, EngineError> {
        let Some(before) = self.vault.as_ref().map(|view| view.cursor.clone()) else {
            return Ok(true);
        };
        self.gather_vault(Wait::UpTo(most)).await?;
        self.awaited = Some(self.ports.clock.now());
        Ok(self.vault.as_ref().map(|view| &view.cursor) != Some(&before))
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
                self.leads_until = None;
                let footing = Footing::Standby { holder, until };
                Ok(CycleReport::new(cycle, footing, Vec::new()))
            }
            Lease::Granted { until, .. } => {
                let succession = self.begin_term(until);
                // First, so that the vault's word below is not older than our own.
                self.flush_reports().await?;
                self.gather(wait).await?;
                self.lead(cycle, term, succession, observer).await
            }
        };
        if matches!(result, Err(EngineError::Store(_))) {
            // What could not be made durable is not believed either.
            self.memory = None;
        }
        result
    }

    async fn lead(
        &mut self,
        cycle: CycleId,
        term: Term,
        succession: Succession,
        observer: &dyn Observer,
    ) -> Result<CycleReport, EngineError> {
        self.remember().await?;
        if succession == Succession::Anew {
            self.sight()?.believe_the_vault();
        }
        let mut done = Done::new();
        let plan = self.rounds(cycle, term, observer, &mut done).await?;
        let rows = self.sight()?.rows(&plan, &done);
        self.report(&rows, &done).await?;
        self.show_plans().await?;
        Ok(CycleReport::new(cycle, Footing::Leader, rows))
    }

    async fn remember(&mut self) -> Result<(), StoreError> {
        if self.memory.is_none() {
            self.memory = Some(self.ports.store.load().await?);
        }
        Ok(())
    }

    /// Reads what changed on both sides, everything the first time.
    async fn gather(&mut self, wait: Wait) -> Result<(), EngineError> {
        let awaited = self.awaited.take();
        let is_fresh = self.vault.is_some() && self.is_recent(awaited, FRESH);
        if wait != Wait::No || !is_fresh {
            self.gather_vault(wait).await?;
        }
        self.gather_directory().await
    }

    async fn gather_vault(&mut self, wait: Wait) -> Result<(), EngineError> {
        let cursor = self.vault.as_ref().map(|view| view.cursor.clone());
        let changes = self.ports.vault.changes(cursor.as_ref(), wait).await?;
        match &mut self.vault {
            Some(view) => view.absorb(changes),
            None => self.vault = Some(VaultView::new(changes)),
        }
        Ok(())
    }

    async fn gather_directory(&mut self) -> Result<(), EngineError> {
        let Some(view) = &mut self.directory else {
            let changes = self.ports.directory.changes(None).await?;
            let domains = self.ports.directory.domains().await?;
            self.directory = Some(DirectoryView::new(changes, domains));
            self.directory_read = Some(self.ports.clock.now());
            self.domains_read = self.directory_read;
            return Ok(());
        };
        let link = view.link().clone();
        view.absorb(self.ports.directory.changes(Some(&link)).await?);
        Ok(())
    }

    /// Plans and applies until nothing is left to do now. Returns the last plan.
    async fn rounds(
        &mut self,
        cycle: CycleId,
        term: Term,
        observer: &dyn Observer,
        done: &mut Done,
    ) -> Result<Plan, EngineError> {
        // No step is begun twice in a cycle, so this comes to an end.
        loop {
            let mut plan = self.plan_now().await?;
            if has_steps(&plan) && self.refresh_domains().await? {
                plan = self.plan_now().await?;
            }
            let term = term.clone();
            if self.walk(&plan, cycle, term, observer, done).await? == 0 {
                return Ok(plan);
            }
            // A walk takes time: somebody may have muted the client or typed another password.
            self.gather_vault(Wait::No).await?;
            if plan.decisions.iter().any(|it| is_push(&it.action)) {
                self.gather_directory().await?;
            }
        }
    }

    /// Domains are converted rarely, and then no password of theirs may be tested or set. Returns
    /// whether they were read anew.
    async fn refresh_domains(&mut self) -> Result<bool, EngineError> {
        if self.is_recent(self.domains_read, DOMAINS_ARE_GOOD_FOR) {
            return Ok(false);
        }
        let domains = self.ports.directory.domains().await?;
        if let Some(view) = &mut self.directory {
            view.set_domains(domains);
        }
        self.domains_read = Some(self.ports.clock.now());
        Ok(true)
    }

    fn is_recent(&self, at: Option<Timestamp>, good_for: Duration) -> bool {
        let now = self.ports.clock.now();
        at.is_some_and(|at| now.duration_since(at).unsigned_abs() < good_for)
    }

    /// Takes in what the views show, makes that durable, and plans.
    async fn plan_now(&mut self) -> Result<Plan, EngineError> {
        let now = self.ports.clock.now();
        let policy = self.policy.clone();
        let clock = Arc::clone(&self.ports.clock);
        let sight = self.sight()?;
        let client_before = sight.memory.client.clone();
        let plans_before = sight.memory.plans.clone();
        let changed = observe(sight.memory, sight.vault, sight.directory, &policy, now);
        let memories: Vec<_> = changed
            .iter()
            .filter_map(|id| sight.memory.credentials.get(id).cloned())
            .collect();
        let client = (sight.memory.client != client_before).then(|| sight.memory.client.clone());
        plans::take_rulings(sight.memory, sight.vault);
        let (plan, tripped) = sight.decide(&policy, now);
        let new_id = || PlanId(clock.new_id());
        plans::hold(
            sight.memory,
            sight.vault,
            sight.directory,
            tripped,
            now,
            new_id,
        );
        let plans = sight.memory.plans.clone();
        if !memories.is_empty() {
            self.ports.store.save_credentials(&memories).await?;
        }
        // Last: a new epoch is known only once no credential's memory is of the old one.
        if let Some(client) = client {
            self.ports.store.save_client(&client).await?;
        }
        plans::save(self.ports.store.as_ref(), &plans_before, &plans).await?;
        Ok(plan)
    }

    async fn walk(
        &mut self,
        plan: &Plan,
        cycle: CycleId,
        term: Term,
        observer: &dyn Observer,
        done: &mut Done,
    ) -> Result<usize, EngineError> {
        let (Some(vault), Some(memory)) = (&self.vault, &mut self.memory) else {
            return Ok(0);
        };
        let mut walk = Walk {
            ports: &self.ports,
            policy: &self.policy,
            halt: &self.halt,
            observer,
            vault,
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
            }),
            _ => Err(StoreError::NotReadable("nothing was gathered yet".into())),
        }
    }
}

fn has_steps(plan: &Plan) -> bool {
    let mut actions = plan.decisions.iter().map(|it| &it.action);
    actions.any(|action| is_push(action) || matches!(action, Action::Verify(_)))
}

fn is_push(action: &Action) -> bool {
    matches!(action, Action::Push(_))
}
