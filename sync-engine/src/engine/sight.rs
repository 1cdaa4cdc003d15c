//! Both views and the memory of a cycle, side by side.

use jiff::Timestamp;

use crate::apply::Done;
use crate::cycle::{Row, row};
use crate::model::{DirectoryView, Memory, Reported, StepKind, VaultView};
use crate::plan::{Action, Plan, Policy, Tripped, guard, plan};

/// Both views and the memory, once they have been gathered.
pub(super) struct Sight<'a> {
    pub(super) vault: &'a VaultView,
    pub(super) directory: &'a DirectoryView,
    pub(super) memory: &'a mut Memory,
}

impl Sight<'_> {
    pub(super) fn decide(&self, policy: &Policy, now: Timestamp) -> (Plan, Option<Tripped>) {
        let plan = plan(self.vault, self.directory, self.memory, policy, now);
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

    /// Takes the vault's word for which flags stand, where it differs from what was last told.
    pub(super) fn believe_the_vault(&mut self) {
        for credential in self.vault.credentials.values() {
            let known = self.memory.credentials.get_mut(&credential.id);
            if let Some(known) = known.filter(|known| known.raised != credential.raised) {
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
