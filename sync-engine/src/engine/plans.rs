//! The plans that the breaker held: made, shown, ruled on, and dropped when the world has moved.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::sight::Sight;
use super::{Engine, EngineError};
use crate::model::{Memory, PlanId, Standing, SyncMode, VaultView};
use crate::plan::{
    Action, Decision, HeldPlan, Plan, PlanRuling, PlanStanding, Policy, Rule, Tripped, Word,
};
use crate::ports::{StateStore, StoreError};

/// Why a person's word about a plan was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RulingError {
    /// There is no such plan: the world has moved since it was made.
    #[error("no plan {plan} waits: what it was made for has changed since")]
    Expired {
        /// The plan that was named.
        plan: PlanId,
        /// The plan that waits now.
        waiting: Option<PlanId>,
    },
    /// Somebody was faster.
    #[error("plan {plan} was ruled on by {} already", word.by)]
    AlreadyRuled {
        /// The plan that was named.
        plan: PlanId,
        /// Who ruled on it, and when.
        word: Word,
    },
    /// The memory.
    #[error("the word could not be remembered, so it does not count")]
    Store(#[from] StoreError),
}

impl Engine {
    /// The plans that wait for a person, and those that were ruled on and are not done yet.
    ///
    /// # Errors
    /// When the memory cannot be read.
    pub async fn plans(&mut self) -> Result<Vec<HeldPlan>, EngineError> {
        self.remember().await?;
        let plans = self.memory.iter().flat_map(|memory| memory.plans.values());
        Ok(plans.cloned().collect())
    }

    /// Takes a person's word about a plan that waits. The next cycle acts on it.
    ///
    /// # Errors
    /// When that plan does not wait any more, or the word cannot be remembered.
    pub async fn rule(&mut self, ruling: &PlanRuling) -> Result<HeldPlan, RulingError> {
        self.remember().await?;
        let plans = self.memory.as_mut().map(|memory| &mut memory.plans);
        let Some(plans) = plans else {
            return Err(expired(ruling.plan, &BTreeMap::new()));
        };
        let Some(plan) = plans.get(&ruling.plan) else {
            return Err(expired(ruling.plan, plans));
        };
        if let PlanStanding::Approved(word) | PlanStanding::Rejected(word) = &plan.standing {
            let (plan, word) = (ruling.plan, word.clone());
            return Err(RulingError::AlreadyRuled { plan, word });
        }
        let mut ruled = plan.clone();
        ruled.take(ruling);
        if let Err(error) = self.ports.store.keep_plan(&ruled).await {
            // Perhaps only its answer was lost: what counts is what is read again.
            self.doubt_the_memory();
            return Err(error.into());
        }
        plans.insert(ruled.id, ruled.clone());
        Ok(ruled)
    }

    /// Shows people the plans, where they are not those that were shown last.
    pub(super) async fn show_plans(&mut self) -> Result<(), EngineError> {
        let plans = self.plans().await?;
        if self.shown.as_ref() != Some(&plans) {
            self.ports.vault.show_plans(&plans).await?;
            self.shown = Some(plans);
        }
        Ok(())
    }
}

fn expired(plan: PlanId, plans: &BTreeMap<PlanId, HeldPlan>) -> RulingError {
    let waiting = plans.values().find(|it| it.is_waiting());
    RulingError::Expired {
        plan,
        waiting: waiting.map(|it| it.id),
    }
}

/// What people said in the vault about plans that wait.
pub(super) fn take_rulings(memory: &mut Memory, vault: &VaultView) {
    for ruling in &vault.rulings {
        let plan = memory.plans.get_mut(&ruling.plan);
        if let Some(plan) = plan.filter(|plan| plan.is_waiting()) {
            plan.take(ruling);
        }
    }
}

impl Sight<'_> {
    /// Holds what the breaker stopped as one plan with an id: the one that waits already, where it is
    /// of these very writes. Plans whose world has moved are forgotten.
    pub(super) fn hold(
        &mut self,
        tripped: Option<Tripped>,
        policy: &Policy,
        now: Timestamp,
        new_id: impl FnOnce() -> PlanId,
    ) {
        let before = self.memory.plans.values().find(|plan| plan.is_waiting());
        let allowed = tripped.as_ref().map(|it| it.allowed);
        let allowed = allowed.or(before.map(|plan| plan.allowed));
        let mut writes = tripped.map(|it| it.wanted).unwrap_or_default();
        let earlier = before.iter().flat_map(|plan| &plan.writes);
        writes.extend(self.that_go_on_waiting(earlier, &writes));
        writes.sort_by_key(|write| write.credential);
        let writes = Plan::of(writes, 0, policy).decisions;
        let (vault, directory) = (self.vault, self.directory);
        self.memory.plans.retain(|_, plan| {
            if plan.is_waiting() {
                plan.is_of(&writes)
            } else {
                plan.is_alive(vault, directory)
            }
        });
        let is_kept = self.memory.plans.values().any(HeldPlan::is_waiting);
        if writes.is_empty() || is_kept {
            return;
        }
        let id = new_id();
        let plan = HeldPlan {
            id,
            at: now,
            allowed: allowed.unwrap_or_default(),
            writes,
            standing: PlanStanding::Waiting,
        };
        self.memory.plans.insert(id, plan);
    }

    /// Those of the writes that waited which are not wanted at this moment: something is tested or
    /// waited for first, the account cannot be touched for now, or the whole client is switched off.
    /// They may be wanted again.
    fn that_go_on_waiting<'p>(
        &self,
        earlier: impl Iterator<Item = &'p Decision>,
        wanted: &[Decision],
    ) -> Vec<Decision> {
        let wanted: BTreeSet<_> = wanted.iter().map(|write| write.credential).collect();
        earlier
            .filter(|write| !wanted.contains(&write.credential))
            .filter(|write| self.goes_on_waiting(write))
            .cloned()
            .collect()
    }

    fn goes_on_waiting(&self, write: &Decision) -> bool {
        let credential = self.vault.credentials.get(&write.credential);
        let is_synced = credential
            .is_some_and(|it| it.standing == Standing::Active && it.mode == SyncMode::Enabled);
        let planned = self.planner.decision(write.credential);
        let is_open = planned
            .is_some_and(|it| it.rule != Rule::Confirmed && it.action != Action::Nothing)
            || !self.vault.client.is_switched_on();
        is_synced && is_open && write.is_unmoved(self.vault, self.directory)
    }
}

/// Makes durable what became of the plans.
pub(super) async fn save(
    store: &dyn StateStore,
    before: &BTreeMap<PlanId, HeldPlan>,
    after: &BTreeMap<PlanId, HeldPlan>,
) -> Result<(), StoreError> {
    for (id, plan) in after {
        if before.get(id) != Some(plan) {
            store.keep_plan(plan).await?;
        }
    }
    for id in before.keys().filter(|id| !after.contains_key(id)) {
        store.drop_plan(*id).await?;
    }
    Ok(())
}
