//! The engine of one client: its views, its memory, and the cycle that keeps both sides in step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::apply::{Done, Walk};
use crate::cycle::{CycleReport, Footing, Row, row};
use crate::model::{
    CycleId, DirectoryView, Memory, PlanId, Report, ReportEntry, ReportId, Reported, StepKind,
    VaultView,
};
use crate::observe::observe;
use crate::plan::{Action, Decision, Plan, Policy, Tripped, guard, plan};
use crate::ports::{
    Clock, CredentialVault, Directory, DirectoryError, HeldPlan, Lease, StateStore, StoreError,
    VaultError, Wait,
};

/// Entries in one report at the most.
const REPORT_SIZE: usize = 500;

/// The world, as one client's engine reaches it.
#[derive(Clone)]
pub struct Ports {
    /// The client's vault.
    pub vault: Arc<dyn CredentialVault>,
    /// The client's tenant.
    pub directory: Arc<dyn Directory>,
    /// The client's memory.
    pub store: Arc<dyn StateStore>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
}

/// A request to stop: steps in flight are finished, no further one begins.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    /// Asks to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Somebody who watches a cycle, for a progress bar.
pub trait Observer: Send + Sync {
    /// So many steps follow.
    fn planned(&self, steps: usize);
    /// One of them is finished.
    fn finished(&self, decision: &Decision, kind: StepKind);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn planned(&self, _steps: usize) {}
    fn finished(&self, _decision: &Decision, _kind: StepKind) {}
}

/// Why a cycle could not be finished. What was done until then is journaled.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The vault.
    #[error("the vault could not be read or told")]
    Vault(#[from] VaultError),
    /// The directory.
    #[error("the directory could not be read")]
    Directory(#[from] DirectoryError),
    /// The memory. Nothing is written to the directory while it fails.
    #[error("the engine cannot remember, so it does nothing")]
    Store(#[from] StoreError),
}

/// The engine of one client.
pub struct Engine {
    ports: Ports,
    policy: Policy,
    halt: Halt,
    memory: Option<Memory>,
    vault: Option<VaultView>,
    directory: Option<DirectoryView>,
    directory_read: Option<Timestamp>,
    vault_is_fresh: bool,
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
            vault_is_fresh: false,
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
        self.vault_is_fresh = false;
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
        self.vault_is_fresh = true;
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
        self.gather(wait).await?;
        let result = match self.ports.vault.lease().await? {
            Lease::Elsewhere { holder, until } => {
                // The holder's cycles change what there is to remember.
                self.memory = None;
                let footing = Footing::Standby { holder, until };
                Ok(CycleReport::new(cycle, footing, Vec::new()))
            }
            lease @ Lease::Granted { .. } => self.lead(cycle, lease, observer).await,
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
        lease: Lease,
        observer: &dyn Observer,
    ) -> Result<CycleReport, EngineError> {
        self.remember().await?;
        self.flush_reports().await?;
        let mut done = Done::new();
        let plan = self.rounds(cycle, lease, observer, &mut done).await?;
        let rows = self.sight()?.rows(&plan, &done);
        self.report(&rows, &done).await?;
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
        if !std::mem::take(&mut self.vault_is_fresh) {
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
        lease: Lease,
        observer: &dyn Observer,
        done: &mut Done,
    ) -> Result<Plan, EngineError> {
        // No step is begun twice in a cycle, so this comes to an end.
        loop {
            let plan = self.plan_now().await?;
            let lease = lease.clone();
            if self.walk(&plan, cycle, lease, observer, done).await? == 0 {
                return Ok(plan);
            }
            if plan.decisions.iter().any(|it| is_push(&it.action)) {
                self.gather_directory().await?;
            }
        }
    }

    /// Takes in what the views show, makes that durable, and plans.
    async fn plan_now(&mut self) -> Result<Plan, EngineError> {
        let now = self.ports.clock.now();
        let policy = self.policy.clone();
        let sight = self.sight()?;
        let client_before = sight.memory.client.clone();
        let changed = observe(sight.memory, sight.vault, sight.directory, &policy, now);
        let memories: Vec<_> = changed
            .iter()
            .filter_map(|id| sight.memory.credentials.get(id).cloned())
            .collect();
        let client = (sight.memory.client != client_before).then(|| sight.memory.client.clone());
        let (plan, tripped) = sight.decide(&policy, now);
        if !memories.is_empty() {
            self.ports.store.save_credentials(&memories).await?;
        }
        // Last: a new epoch is known only once no credential's memory is of the old one.
        if let Some(client) = client {
            self.ports.store.save_client(&client).await?;
        }
        self.keep_held(tripped, now).await?;
        Ok(plan)
    }

    /// Saves the plan that the breaker held, once for the same writes; removes it when it is over.
    async fn keep_held(&self, tripped: Option<Tripped>, now: Timestamp) -> Result<(), EngineError> {
        let held = self.ports.store.held_plan().await?;
        match (tripped, held) {
            (None, None) => {}
            (None, Some(_)) => self.ports.store.hold_plan(None).await?,
            (Some(tripped), Some(held)) if held.writes == tripped.wanted => {}
            (Some(tripped), _) => {
                let plan = HeldPlan {
                    id: PlanId(self.ports.clock.new_id()),
                    at: now,
                    writes: tripped.wanted,
                };
                let writes = plan.writes.len();
                tracing::warn!(plan.id = %plan.id, writes, "held a plan of {writes} writes for approval");
                self.ports.store.hold_plan(Some(&plan)).await?;
            }
        }
        Ok(())
    }

    async fn walk(
        &mut self,
        plan: &Plan,
        cycle: CycleId,
        lease: Lease,
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
            lease,
            done,
        };
        walk.walk(plan).await
    }

    /// Tells the vault what changed, and remembers that it was told. The report is kept until the
    /// vault has it, so that a lost answer loses nothing.
    async fn report(&mut self, rows: &[Row], done: &Done) -> Result<(), EngineError> {
        let now = self.ports.clock.now();
        let sight = self.sight()?;
        let news: Vec<ReportEntry> = rows
            .iter()
            .filter(|row| !is_untouched(row, done) && sight.is_news(row))
            .map(|row| row.entry(now))
            .collect();
        for entries in news.chunks(REPORT_SIZE) {
            let report = Report {
                id: ReportId(self.ports.clock.new_id()),
                entries: entries.to_vec(),
            };
            self.ports.store.keep_report(&report).await?;
            self.remember_reported(&report).await?;
        }
        self.flush_reports().await
    }

    async fn remember_reported(&mut self, report: &Report) -> Result<(), EngineError> {
        let Some(memory) = &mut self.memory else {
            return Ok(());
        };
        let mut told = Vec::new();
        for entry in &report.entries {
            if let Some(known) = memory.credentials.get_mut(&entry.credential) {
                known.raised.clone_from(&entry.flags);
                known.reported = Some(Reported {
                    version: entry.version,
                    outcome: entry.outcome.clone(),
                });
                told.push(known.clone());
            }
        }
        Ok(self.ports.store.save_credentials(&told).await?)
    }

    async fn flush_reports(&self) -> Result<(), EngineError> {
        for report in self.ports.store.kept_reports().await? {
            self.ports.vault.report(&report).await?;
            self.ports.store.drop_report(report.id).await?;
        }
        Ok(())
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

/// Both views and the memory, once they have been gathered.
struct Sight<'a> {
    vault: &'a VaultView,
    directory: &'a DirectoryView,
    memory: &'a mut Memory,
}

impl Sight<'_> {
    fn decide(&self, policy: &Policy, now: Timestamp) -> (Plan, Option<Tripped>) {
        let plan = plan(self.vault, self.directory, self.memory, policy, now);
        guard(plan, self.vault, self.directory, self.memory, policy, now)
    }

    fn rows(&self, plan: &Plan, done: &Done) -> Vec<Row> {
        plan.decisions
            .iter()
            .map(|decision| {
                let known = self.memory.credentials.get(&decision.credential);
                let account = self.directory.resolve(&decision.user_name);
                row(decision, known, account, done.get(&decision.credential))
            })
            .collect()
    }

    fn is_news(&self, row: &Row) -> bool {
        let Some(known) = self.memory.credentials.get(&row.credential) else {
            return true;
        };
        let told = Reported {
            version: row.version,
            outcome: row.outcome.clone(),
        };
        known.reported.as_ref() != Some(&told) || known.raised != row.flags
    }
}

/// A step that was not begun, because the lease or a request to stop forbade it, is no news.
fn is_untouched(row: &Row, done: &Done) -> bool {
    let kind = match row.action {
        Action::Verify(_) => StepKind::Verify,
        Action::Push(_) => StepKind::Push,
        Action::Nothing | Action::Wait(_) | Action::Hold(_) | Action::Block(_) => return false,
    };
    let deed = done.get(&row.credential);
    deed.is_none_or(|deed| !deed.begun.contains(&kind))
}

fn is_push(action: &Action) -> bool {
    matches!(action, Action::Push(_))
}
