//! Both views, the memory and the plan of a cycle, side by side.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::apply::Done;
use crate::cycle::{Row, row};
use crate::model::{
    CredentialId, DirectoryView, FlagFact, FlagKind, Memory, Reported, StepKind, VaultCredential,
    VaultView,
};
use crate::observe::observe;
use crate::plan::{Action, Inputs, Plan, Planner, Policy, Tripped, guard, plan};

/// Both views and the memory, once they have been gathered, and the plan that is made from them.
pub(super) struct Sight<'a> {
    pub(super) vault: &'a VaultView,
    pub(super) directory: &'a DirectoryView,
    pub(super) memory: &'a mut Memory,
    pub(super) planner: &'a mut Planner,
}

impl Sight<'_> {
    /// Takes in what moved and decides about it. Returns the credentials that were looked at, and
    /// those of them whose memory changed.
    pub(super) fn look(
        &mut self,
        policy: &Policy,
        now: Timestamp,
    ) -> (BTreeSet<CredentialId>, BTreeSet<CredentialId>) {
        let mut ids = {
            let before = inputs(self.vault, self.directory, self.memory, policy, now);
            self.planner.take_moved(before)
        };
        let changed = observe(self.memory, self.vault, self.directory, policy, now, &ids);
        ids.extend(&changed);
        let after = inputs(self.vault, self.directory, self.memory, policy, now);
        let ids = self.planner.with_neighbours(after, ids);
        self.planner.decide(after, &ids);
        debug_assert_eq!(
            self.planner.whole(policy),
            plan(self.vault, self.directory, self.memory, policy, now),
            "a plan that is kept up to date equals one that is made from nothing"
        );
        (ids, changed)
    }

    /// The guarded plan about these credentials, with every step.
    pub(super) fn decide(
        &self,
        policy: &Policy,
        now: Timestamp,
        ids: &BTreeSet<CredentialId>,
    ) -> (Plan, Option<Tripped>) {
        let plan = self.planner.plan(policy, ids);
        guard(plan, self.vault, self.directory, self.memory, policy, now)
    }

    pub(super) fn rows(&self, plan: &Plan, done: &Done) -> Vec<Row> {
        plan.decisions
            .iter()
            .map(|decision| {
                let known = self.memory.credentials.get(&decision.credential);
                let account = self.directory.resolve(&decision.user_name);
                row(decision, known, account, done.get(&decision.credential))
            })
            .collect()
    }

    /// Takes the vault's word for which flags stand, where it differs from what was last told. That
    /// a person took one down is no difference: it is told again when its fact changes.
    pub(super) fn believe_the_vault(self) {
        for credential in self.vault.credentials.values() {
            let known = self.memory.credentials.get_mut(&credential.id);
            if let Some(known) = known.filter(|known| !shows(credential, &known.raised)) {
                known.raised.clone_from(&credential.raised);
                known.reported = None;
            }
        }
    }

    pub(super) fn is_news(&self, row: &Row) -> bool {
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

/// Whether exactly these flags stand in the vault, or were taken down by a person.
fn shows(credential: &VaultCredential, raised: &BTreeMap<FlagKind, FlagFact>) -> bool {
    let is_down = |kind, fact| {
        let cleared = credential.cleared.get(kind);
        !credential.raised.contains_key(kind) && cleared.is_some_and(|it| it.is_of(fact))
    };
    let stands = |kind, fact| credential.raised.get(kind) == Some(fact);
    let mut told = raised.iter();
    told.all(|(kind, fact)| stands(kind, fact) || is_down(kind, fact))
        && credential
            .raised
            .keys()
            .all(|kind| raised.contains_key(kind))
}

fn inputs<'a>(
    vault: &'a VaultView,
    directory: &'a DirectoryView,
    memory: &'a Memory,
    policy: &'a Policy,
    now: Timestamp,
) -> Inputs<'a> {
    Inputs {
        vault,
        directory,
        memory,
        policy,
        now,
    }
}

/// A step that was not begun, because the lease or a request to stop forbade it, is no news.
pub(super) fn is_untouched(row: &Row, done: &Done) -> bool {
    let kind = match row.action {
        Action::Verify(_) => StepKind::Verify,
        Action::Push(_) => StepKind::Push,
        Action::Nothing | Action::Wait(_) | Action::Hold(_) | Action::Block(_) => return false,
    };
    let deed = done.get(&row.credential);
    deed.is_none_or(|deed| !deed.begun.contains(&kind))
}
