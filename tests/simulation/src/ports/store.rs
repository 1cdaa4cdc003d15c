//! The store port: a disk that may refuse, and may have written although it says that it did not.

use async_trait::async_trait;
use sync_engine::model::{
    ClientMemory, CredentialId, CredentialMemory, JournalEntry, Memory, PlanId, Report, ReportId,
};
use sync_engine::plan::HeldPlan;
use sync_engine::ports::{StateStore, StoreError};

use super::{Line, Side, Weight, cause};
use crate::fault::Fault;
use crate::world::{Stored, World};

pub(super) struct SimStore(pub(super) Line);

impl SimStore {
    async fn read<T: Send>(&self, read: impl Fn(&Stored) -> T + Send) -> Result<T, StoreError> {
        let fate = self.0.fate(Weight::Reading, &[Fault::StoreNotReadable]);
        self.linger(fate, Side::Before).await;
        if let Some(fault) = fate.fault {
            return Err(StoreError::NotReadable(cause(fault)));
        }
        let answer = self.0.with(|world| {
            let agent = world.agents.entry(self.0.agent);
            read(
                &agent
                    .or_insert_with(|| crate::world::Agent::new(self.0.agent, 0))
                    .stored,
            )
        });
        self.linger(fate, Side::After).await;
        Ok(answer)
    }

    async fn write(
        &self,
        weight: Weight,
        write: impl Fn(&mut World) + Send,
    ) -> Result<(), StoreError> {
        let faults = [Fault::StoreNotWritable, Fault::StoreAnswerLost];
        let fate = self.0.fate(weight, &faults);
        self.linger(fate, Side::Before).await;
        if fate.fault == Some(Fault::StoreNotWritable) {
            return Err(StoreError::NotWritable(cause(Fault::StoreNotWritable)));
        }
        self.0.with(&write);
        self.linger(fate, Side::After).await;
        match fate.fault {
            Some(fault) => Err(StoreError::NotWritable(cause(fault))),
            None => Ok(()),
        }
    }

    /// A disk answers at once, unless something is wrong.
    async fn linger(&self, fate: super::Fate, side: Side) {
        if fate.death == Some(side) {
            self.0.die().await;
        }
        if fate.before > 1000 && side == Side::Before {
            self.0.pass(fate.before).await;
        }
    }

    fn stored(&self, world: &mut World, act: impl FnOnce(&mut Stored)) {
        if let Some(agent) = world.agents.get_mut(&self.0.agent) {
            act(&mut agent.stored);
        }
    }

    fn remember(&self, world: &mut World, memories: &[CredentialMemory]) {
        for known in memories {
            world.check_memory(self.0.agent, known);
            self.stored(world, |stored| {
                stored.memory.credentials.insert(known.id, known.clone());
            });
        }
    }
}

#[async_trait]
impl StateStore for SimStore {
    async fn load(&self) -> Result<Memory, StoreError> {
        self.read(|stored| stored.memory.clone()).await
    }

    async fn save_client(&self, memory: &ClientMemory) -> Result<(), StoreError> {
        let save = |world: &mut World| {
            self.stored(world, |stored| stored.memory.client = memory.clone());
        };
        self.write(Weight::Acting, save).await
    }

    async fn save_credentials(&self, memories: &[CredentialMemory]) -> Result<(), StoreError> {
        let save = |world: &mut World| self.remember(world, memories);
        self.write(Weight::Acting, save).await
    }

    async fn record(
        &self,
        entries: &[JournalEntry],
        memories: &[CredentialMemory],
    ) -> Result<(), StoreError> {
        let save = |world: &mut World| {
            self.remember(world, memories);
            for entry in entries {
                self.stored(world, |stored| stored.journal.push(entry.clone()));
                world.check_entry(self.0.agent, entry, memories);
            }
        };
        self.write(Weight::Acting, save).await
    }

    async fn journal(
        &self,
        credential: Option<CredentialId>,
        most: u32,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        self.read(|stored| {
            let wanted = |entry: &&JournalEntry| credential.is_none_or(|id| entry.credential == id);
            let newest_first = stored.journal.iter().rev().filter(wanted);
            newest_first.take(most as usize).cloned().collect()
        })
        .await
    }

    async fn keep_report(&self, report: &Report) -> Result<(), StoreError> {
        let save = |world: &mut World| {
            world.check_kept_report(report);
            self.stored(world, |stored| {
                stored.reports.retain(|kept| kept.id != report.id);
                stored.reports.push(report.clone());
            });
        };
        self.write(Weight::Acting, save).await
    }

    async fn kept_reports(&self) -> Result<Vec<Report>, StoreError> {
        self.read(|stored| stored.reports.clone()).await
    }

    async fn drop_report(&self, id: ReportId) -> Result<(), StoreError> {
        let save = |world: &mut World| {
            self.stored(world, |stored| stored.reports.retain(|kept| kept.id != id));
        };
        self.write(Weight::Acting, save).await
    }

    async fn keep_plan(&self, plan: &HeldPlan) -> Result<(), StoreError> {
        let save = |world: &mut World| {
            world.check_plan(self.0.agent, plan);
            self.stored(world, |stored| {
                stored.memory.plans.insert(plan.id, plan.clone());
            });
        };
        self.write(Weight::Acting, save).await
    }

    async fn drop_plan(&self, id: PlanId) -> Result<(), StoreError> {
        let save = |world: &mut World| {
            self.stored(world, |stored| {
                stored.memory.plans.remove(&id);
            });
        };
        self.write(Weight::Acting, save).await
    }
}
