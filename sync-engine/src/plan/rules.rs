//! The planner: every credential meets the decision table once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::budget::Ledger;
use super::eligibility::is_processed;
use super::situation::Situation;
use super::{Decision, Plan, Policy};
use crate::model::{CredentialMemory, DirectoryView, Memory, ObjectId, VaultCredential, VaultView};

/// Decides what one cycle does. Total and deterministic: equal input gives an equal plan.
pub fn plan(
    vault: &VaultView,
    directory: &DirectoryView,
    memory: &Memory,
    policy: &Policy,
    now: Timestamp,
) -> Plan {
    let contested = contested(vault, directory);
    let ledger = Ledger::of(memory);
    let mut decisions: Vec<Decision> = vault
        .credentials
        .values()
        .map(|credential| {
            let fresh = CredentialMemory::new(credential.id);
            let situation = Situation {
                client: &vault.client,
                credential,
                directory,
                account: directory.resolve(&credential.user_name),
                tenant: &memory.client,
                memory: memory.credentials.get(&credential.id).unwrap_or(&fresh),
                contested: &contested,
                ledger: &ledger,
                policy,
                now,
            };
            decision(credential, &situation)
        })
        .collect();
    // The agent's own account goes last; the sort is stable, so the rest stays in order.
    decisions.sort_by_key(|it| policy.own_account.as_ref() == Some(&it.user_name));
    Plan { decisions }
}

fn decision(credential: &VaultCredential, situation: &Situation<'_>) -> Decision {
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

/// The accounts that more than one processed credential names.
pub(crate) fn contested(vault: &VaultView, directory: &DirectoryView) -> BTreeSet<ObjectId> {
    let mut claims: BTreeMap<ObjectId, usize> = BTreeMap::new();
    let processed = vault
        .credentials
        .values()
        .filter(|credential| is_processed(&vault.client, credential));
    for account in processed.filter_map(|credential| directory.resolve(&credential.user_name)) {
        *claims.entry(account.id).or_default() += 1;
    }
    claims
        .into_iter()
        .filter_map(|(object, count)| (count > 1).then_some(object))
        .collect()
}
