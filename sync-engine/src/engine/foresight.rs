//! Looks ahead without touching anything: what the next cycle would do, and why.

use super::plans::take_rulings;
use super::sight::Sight;
use super::tally::Standings;
use super::{Engine, EngineError, nothing_gathered, waiting};
use crate::apply::Done;
use crate::cycle::{CycleReport, Footing};
use crate::explain::{Explanation, explain};
use crate::model::{CycleId, JournalEntry, Memory, UserPrincipalName};
use crate::plan::{Decision, Plan, Planner};
use crate::ports::Wait;

/// Journal entries that an explanation tells at the most.
const HISTORY: u32 = 50;

/// A plan that nobody carries out.
struct Foresight {
    /// A copy that is not kept: before the next cycle another agent may have been at work.
    memory: Memory,
    planner: Planner,
    plan: Plan,
}

impl Engine {
    /// What the next cycle would do. Touches nothing: neither vault, directory nor memory change.
    ///
    /// # Errors
    /// When vault, directory or memory cannot be read.
    pub async fn preview(&mut self) -> Result<CycleReport, EngineError> {
        let cycle = CycleId(self.ports.clock.new_id());
        self.gather(Wait::No).await?;
        let mut foresight = self.foresee().await?;
        let (Some(vault), Some(directory)) = (&self.vault, &self.directory) else {
            return Err(nothing_gathered().into());
        };
        let sight = Sight {
            vault,
            directory,
            memory: &mut foresight.memory,
            planner: &mut foresight.planner,
        };
        let rows = sight.rows(&foresight.plan, &Done::new());
        let mut standings = Standings::default();
        standings.take_in(&rows);
        Ok(CycleReport {
            rows,
            tally: standings.tally(),
            waiting: waiting(&foresight.memory),
            next_due: foresight.planner.next_due(),
            ..CycleReport::idle(cycle, Footing::Preview)
        })
    }

    /// What there is to say of each credential with this user name: what is known, which rule
    /// applies, what comes next. Touches nothing.
    ///
    /// # Errors
    /// When vault, directory or memory cannot be read.
    pub async fn explain(
        &mut self,
        user_name: &UserPrincipalName,
    ) -> Result<Vec<Explanation>, EngineError> {
        self.gather(Wait::No).await?;
        let foresight = self.foresee().await?;
        let decisions = foresight.plan.decisions.iter();
        let mut explanations = Vec::new();
        for decision in decisions.filter(|it| it.user_name == *user_name) {
            let id = Some(decision.credential);
            let journal = self.ports.store.journal(id, HISTORY).await?;
            explanations.extend(self.explanation(&foresight.memory, decision, &journal));
        }
        Ok(explanations)
    }

    fn explanation(
        &self,
        memory: &Memory,
        decision: &Decision,
        journal: &[JournalEntry],
    ) -> Option<Explanation> {
        let (vault, directory) = (self.vault.as_ref()?, self.directory.as_ref()?);
        let now = self.ports.clock.now();
        let policy = &self.policy;
        Some(explain(
            vault, directory, memory, decision, journal, policy, now,
        ))
    }

    async fn foresee(&self) -> Result<Foresight, EngineError> {
        let mut memory = match &self.memory {
            Some(memory) => memory.clone(),
            None => self.ports.store.load().await?,
        };
        let (Some(vault), Some(directory)) = (&self.vault, &self.directory) else {
            return Err(nothing_gathered().into());
        };
        let now = self.ports.clock.now();
        let mut planner = Planner::default();
        let mut sight = Sight {
            vault,
            directory,
            memory: &mut memory,
            planner: &mut planner,
        };
        let (ids, _) = sight.look(&self.policy, now);
        take_rulings(sight.memory, vault);
        let (plan, _) = sight.decide(&self.policy, now, &ids);
        Ok(Foresight {
            memory,
            planner,
            plan,
        })
    }
}
