//! The decision table, met once by each credential.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::budget::Ledger;
use super::eligibility::is_processed;
use super::planner::Inputs;
use super::situation::Situation;
use super::{Action, Decision, Plan, Policy, Rule};
use crate::model::{CredentialMemory, DirectoryView, Memory, ObjectId, VaultCredential, VaultView};

/// Decides what one cycle does. Total and deterministic: equal input gives an equal plan.
pub fn plan(
    vault: &VaultView,
    directory: &DirectoryView,
    memory: &Memory,
    policy: &Policy,
    now: Timestamp,
) -> Plan {
    let credentials = vault.credentials.values();
    let decider = Decider {
        inputs: Inputs {
            vault,
            directory,
            memory,
            policy,
            now,
        },
        contested: contested_among(credentials.clone(), vault, directory),
        ledger: Ledger::of(memory.credentials.values()),
    };
    let decisions: Vec<_> = credentials.map(|it| decider.decide(it)).collect();
    let synced = decisions.iter().filter(|it| it.is_synced()).count();
    Plan::of(decisions, synced, policy)
}

/// Decides about single credentials, with what must be known of those that share an account.
pub(super) struct Decider<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) contested: BTreeSet<ObjectId>,
    pub(super) ledger: Ledger,
}

impl Decider<'_> {
    pub(super) fn decide(&self, credential: &VaultCredential) -> Decision {
        let Inputs {
            vault,
            directory,
            memory,
            policy,
            now,
        } = self.inputs;
        let fresh = CredentialMemory::new(credential.id);
        let situation = Situation {
            client: &vault.client,
            credential,
            directory,
            account: directory.resolve(&credential.user_name),
            tenant: &memory.client,
            memory: memory.credentials.get(&credential.id).unwrap_or(&fresh),
            contested: &self.contested,
            ledger: &self.ledger,
            policy,
            now,
        };
        let verdicted = situation.decide();
        Decision {
            credential: credential.id,
            user_name: credential.user_name.clone(),
            mode: credential.mode,
            version: credential.version,
            rule: verdicted.rule,
            action: verdicted.action,
            flags: verdicted.flags,
        }
    }
}

impl Plan {
    /// The agent's own account goes last; the sort is stable, so the rest stays in order.
    pub(crate) fn of(mut decisions: Vec<Decision>, synced: usize, policy: &Policy) -> Self {
        if let Some(own) = &policy.own_account {
            decisions.sort_by_key(|it| it.user_name == own.user_name);
        }
        Self { decisions, synced }
    }
}

impl Decision {
    /// Whether it touches the directory.
    pub fn is_step(&self) -> bool {
        matches!(self.action, Action::Verify(_) | Action::Push(_))
    }

    pub(super) fn is_synced(&self) -> bool {
        self.rule != Rule::NotProcessed
    }
}

/// The accounts that more than one processed credential among these names.
pub(super) fn contested_among<'a>(
    credentials: impl Iterator<Item = &'a VaultCredential>,
    vault: &VaultView,
    directory: &DirectoryView,
) -> BTreeSet<ObjectId> {
    let mut claims: BTreeMap<ObjectId, usize> = BTreeMap::new();
    let processed = credentials.filter(|credential| is_processed(&vault.client, credential));
    for account in processed.filter_map(|credential| directory.resolve(&credential.user_name)) {
        *claims.entry(account.id).or_default() += 1;
    }
    claims
        .into_iter()
        .filter_map(|(object, count)| (count > 1).then_some(object))
        .collect()
}
