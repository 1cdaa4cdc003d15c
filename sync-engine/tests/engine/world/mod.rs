//! A small world of fakes: one client, one tenant, and hands to change both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test should say where"
)]

use std::sync::Arc;
use std::time::Duration;

use sync_engine::model::{
    CredentialId, FlagKind, ObjectId, Outcome, Stamp, StepKind, SyncMode, VaultVersion,
};
use sync_engine::plan::{Decision, HeldPlan, Policy, Verification};
use sync_engine::ports::{Clock, Directory, StateStore, Wait};
use sync_engine::testing::{FakeDirectory, FakeVault, ManualClock, MemoryStore};
use sync_engine::{CycleReport, Engine, EngineError, Halt, Observer, Ports, Row, Unwatched};

pub(crate) const OLD: &str = "Winter-2025!";
pub(crate) const NEW: &str = "Spring-2026!";
pub(crate) const FOREIGN: &str = "Somebody-else-1";

pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const MINUTE: Duration = Duration::from_mins(1);

/// One client with its tenant, and the engine between them.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) vault: Arc<FakeVault>,
    pub(crate) directory: Arc<FakeDirectory>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) policy: Policy,
    pub(crate) engine: Engine,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Policy::default())
    }

    pub(crate) fn without_verification() -> Self {
        Self::with(Policy {
            verification: Verification::SwitchedOff,
            ..Policy::default()
        })
    }

    pub(crate) fn with(policy: Policy) -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-05T08:00:00Z".parse().unwrap()));
        let vault = Arc::new(FakeVault::new("Contoso"));
        let directory = Arc::new(FakeDirectory::new("contoso.com", clock.clone()));
        let store = Arc::new(MemoryStore::default());
        let ports = Ports {
            vault: vault.clone(),
            directory: directory.clone(),
            store: store.clone(),
            clock: clock.clone(),
        };
        Self {
            engine: Engine::new(ports, policy.clone()),
            clock,
            vault,
            directory,
            store,
            policy,
        }
    }

    pub(crate) fn ports(&self) -> Ports {
        Ports {
            vault: self.vault.clone(),
            directory: self.directory.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
        }
    }

    /// The agent is started again, over the same memory.
    pub(crate) fn restart(&mut self) {
        self.engine = Engine::new(self.ports(), self.policy.clone());
    }

    /// The agent is started again, and its memory is gone.
    pub(crate) fn lose_state(&mut self) {
        self.store = Arc::new(MemoryStore::default());
        self.restart();
    }

    pub(crate) fn policy(&mut self, policy: Policy) {
        self.policy = policy;
        self.restart();
    }

    /// One credential and its account.
    pub(crate) fn user(
        &self,
        name: &str,
        mode: SyncMode,
        in_vault: &str,
        in_directory: &str,
    ) -> (CredentialId, ObjectId) {
        let user_name = format!("{name}@contoso.com");
        let account = self.directory.add(&user_name, in_directory);
        let credential = self.vault.add(&user_name, in_vault, mode);
        self.clock.advance(HOUR);
        (credential, account)
    }

    pub(crate) fn anna(
        &self,
        mode: SyncMode,
        in_vault: &str,
        in_directory: &str,
    ) -> (CredentialId, ObjectId) {
        self.user("anna", mode, in_vault, in_directory)
    }

    /// Anna, whose passwords agree and are known to.
    pub(crate) async fn anna_in_step(&mut self) -> (CredentialId, ObjectId) {
        let anna = self.anna(SyncMode::Enabled, OLD, OLD);
        self.cycle().await;
        self.clock.advance(HOUR);
        anna
    }

    /// So many users, named `user0`, `user1` and so on.
    pub(crate) fn users(
        &self,
        count: usize,
        in_vault: &str,
        in_directory: &str,
    ) -> Vec<(CredentialId, ObjectId)> {
        (0..count)
            .map(|number| {
                let name = format!("user{number}");
                self.user(&name, SyncMode::Enabled, in_vault, in_directory)
            })
            .collect()
    }

    /// Somebody else changes a password in the directory.
    pub(crate) fn foreign_change(&self, account: ObjectId, password: &str) {
        self.clock.advance(10 * MINUTE);
        self.directory.change_password(account, password);
        self.clock.advance(10 * MINUTE);
    }

    pub(crate) fn confirm(&self, credential: CredentialId) {
        self.clock.advance(MINUTE);
        self.vault.confirm(credential, self.clock.now());
    }

    pub(crate) async fn try_cycle(&mut self) -> Result<CycleReport, EngineError> {
        self.clock.advance(Duration::from_secs(1));
        self.engine.cycle(Wait::No, &Unwatched).await
    }

    pub(crate) async fn cycle(&mut self) -> CycleReport {
        self.try_cycle().await.unwrap()
    }

    /// A cycle, and how one credential stands then. A cycle has no row for what did not move.
    pub(crate) async fn row(&mut self, credential: CredentialId) -> Row {
        let report = self.cycle().await;
        let looked_at = report
            .rows
            .into_iter()
            .find(|it| it.credential == credential);
        match looked_at {
            Some(row) => row,
            None => row_of(&self.engine.preview().await.unwrap(), credential),
        }
    }

    pub(crate) async fn outcome(&mut self, credential: CredentialId) -> Outcome {
        self.row(credential).await.outcome
    }

    /// An account's password stamp, as the directory tells it.
    pub(crate) async fn stamp(&self, account: ObjectId) -> Option<Stamp> {
        let account = self.directory.account(account).await.unwrap();
        account.and_then(|it| it.stamp)
    }

    /// What the directory has counted: writes that took effect, and sign-in tests.
    pub(crate) fn touched(&self) -> (u32, u32) {
        (self.directory.writes(), self.directory.sign_ins())
    }

    pub(crate) fn flags(&self, credential: CredentialId) -> Vec<FlagKind> {
        self.vault.flags(credential).into_keys().collect()
    }

    /// What the vault was last told of a credential.
    pub(crate) fn last_told(&self, credential: CredentialId) -> Option<(VaultVersion, Outcome)> {
        let reports = self.vault.reports();
        let entries = reports.iter().flat_map(|report| &report.entries);
        entries
            .filter(|entry| entry.credential == credential)
            .map(|entry| (entry.version, entry.outcome.clone()))
            .next_back()
    }

    /// How often the vault was told that a password was pushed.
    pub(crate) fn told_pushed(&self) -> usize {
        let reports = self.vault.reports();
        let entries = reports.iter().flat_map(|report| &report.entries);
        entries
            .filter(|entry| entry.outcome == Outcome::Pushed)
            .count()
    }

    /// The plan that waits for a person, as the memory keeps it.
    pub(crate) async fn waiting_plan(&self) -> Option<HeldPlan> {
        let plans = self.store.load().await.unwrap().plans;
        plans.into_values().find(HeldPlan::is_waiting)
    }

    pub(crate) async fn journal_length(&self) -> usize {
        self.store.journal(None, u32::MAX).await.unwrap().len()
    }
}

pub(crate) fn row_of(report: &CycleReport, credential: CredentialId) -> Row {
    let mut rows = report.rows.iter();
    let row = rows.find(|row| row.credential == credential);
    row.expect("every credential has a row").clone()
}

/// Asks the engine to stop as soon as a step is finished.
pub(crate) struct StopAtFirstStep(pub(crate) Halt);

impl Observer for StopAtFirstStep {
    fn planned(&self, _steps: usize) {}
    fn finished(&self, _decision: &Decision, _kind: StepKind) {
        self.0.request();
    }
}
