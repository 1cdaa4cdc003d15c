//! A memory that lasts as long as its process, for tools that embed the engine and for tests.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::model::{
    ClientMemory, CredentialId, CredentialMemory, JournalEntry, Memory, PlanId, Report, ReportId,
};
use crate::plan::HeldPlan;
use crate::ports::{StateStore, StoreError};

/// A memory that lasts as long as its process. A process that starts with an empty one is at first
/// contact: it checks before it writes.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<Stored>,
    broken: AtomicBool,
    mute: AtomicBool,
    writes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Stored {
    memory: Memory,
    journal: Vec<JournalEntry>,
    reports: Vec<Report>,
}

impl MemoryStore {
    /// From now on every write fails, as on a full disk.
    pub fn fail_writes(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// From now on every write is made, and says that it failed, as when a database's answer is lost.
    pub fn lose_answers(&self) {
        self.mute.store(true, Ordering::SeqCst);
    }

    /// From now on writes succeed again.
    pub fn mend_writes(&self) {
        self.broken.store(false, Ordering::SeqCst);
        self.mute.store(false, Ordering::SeqCst);
    }

    /// How many writes succeeded.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&Stored) -> T) -> T {
        read(&self.lock())
    }

    fn write(&self, write: impl FnOnce(&mut Stored)) -> Result<(), StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::NotWritable("told to fail".into()));
        }
        write(&mut self.lock());
        self.writes.fetch_add(1, Ordering::SeqCst);
        if self.mute.load(Ordering::SeqCst) {
            return Err(StoreError::NotWritable("the answer was lost".into()));
        }
        Ok(())
    }
}

impl Stored {
    fn remember(&mut self, memories: &[CredentialMemory]) {
        let known = memories.iter().map(|known| (known.id, known.clone()));
        self.memory.credentials.extend(known);
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn load(&self) -> Result<Memory, StoreError> {
        Ok(self.read(|stored| stored.memory.clone()))
    }

    async fn save_client(&self, memory: &ClientMemory) -> Result<(), StoreError> {
        self.write(|stored| stored.memory.client = memory.clone())
    }

    async fn save_credentials(&self, memories: &[CredentialMemory]) -> Result<(), StoreError> {
        self.write(|stored| stored.remember(memories))
    }

    async fn record(
        &self,
        entries: &[JournalEntry],
        memories: &[CredentialMemory],
    ) -> Result<(), StoreError> {
        self.write(|stored| {
            stored.journal.extend_from_slice(entries);
            stored.remember(memories);
        })
    }

    async fn journal(
        &self,
        credential: Option<CredentialId>,
        most: u32,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let wanted = |entry: &&JournalEntry| credential.is_none_or(|id| entry.credential == id);
        Ok(self.read(|stored| {
            let newest_first = stored.journal.iter().rev().filter(wanted);
            newest_first.take(most as usize).cloned().collect()
        }))
    }

    async fn keep_report(&self, report: &Report) -> Result<(), StoreError> {
        self.write(
            |stored| match stored.reports.iter_mut().find(|kept| kept.id == report.id) {
                Some(kept) => kept.clone_from(report),
                None => stored.reports.push(report.clone()),
            },
        )
    }

    async fn kept_reports(&self) -> Result<Vec<Report>, StoreError> {
        Ok(self.read(|stored| stored.reports.clone()))
    }

    async fn drop_report(&self, id: ReportId) -> Result<(), StoreError> {
        self.write(|stored| stored.reports.retain(|kept| kept.id != id))
    }

    async fn keep_plan(&self, plan: &HeldPlan) -> Result<(), StoreError> {
        self.write(|stored| {
            stored.memory.plans.insert(plan.id, plan.clone());
        })
    }

    async fn drop_plan(&self, id: PlanId) -> Result<(), StoreError> {
        self.write(|stored| {
            stored.memory.plans.remove(&id);
        })
    }
}
