//! What a plan must never do, checked without trusting the rules that made it; and the
//! mass-change breaker.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::eligibility::{is_processed, not_ours};
use super::{Action, Decision, Plan, Policy, Rule, Target};
use crate::model::{
    CredentialMemory, DirectoryView, FlagFact, FlagKind, HeldReason, Memory, SyncMode, VaultView,
};

/// The window of the mass-change breaker.
pub(crate) const BREAKER_WINDOW: Duration = Duration::from_hours(1);

/// What the breaker stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// The writes that the plan wanted.
    pub wanted: Vec<Decision>,
    /// How many more would have been allowed.
    pub allowed: usize,
}

/// Turns every write that must not happen into a hold, and all of them when there are too many.
pub fn guard(
    mut plan: Plan,
    vault: &VaultView,
    directory: &DirectoryView,
    memory: &Memory,
    policy: &Policy,
    now: Timestamp,
) -> (Plan, Option<Tripped>) {
    let mut written = BTreeSet::new();
    for decision in &mut plan.decisions {
        let Action::Push(target) = decision.action else {
            continue;
        };
        if !written.insert(target.object) {
            hold(decision, target, HeldReason::Unsafe);
        } else if let Some(reason) = objection(decision, target, vault, directory, memory) {
            hold(decision, target, reason);
        }
    }
    let tripped = breaker(&plan, vault, memory, policy, now);
    if tripped.is_some() {
        for decision in &mut plan.decisions {
            if let Some(target) = counted_write(decision) {
                hold(decision, target, HeldReason::MassChange);
            }
        }
    }
    (plan, tripped)
}

/// Why a write must not happen; `None` where nothing speaks against it.
fn objection(
    decision: &Decision,
    target: Target,
    vault: &VaultView,
    directory: &DirectoryView,
    memory: &Memory,
) -> Option<HeldReason> {
    let known = memory.credentials.get(&decision.credential);
    let newest = known.and_then(CredentialMemory::newest_sent);
    if newest.is_some_and(|newest| newest > decision.version) {
        return Some(HeldReason::OlderVersion);
    }
    let safe = vault
        .credentials
        .get(&decision.credential)
        .is_some_and(|credential| {
            is_processed(&vault.client, credential)
                && credential.mode == SyncMode::Enabled
                && credential.version == decision.version
        })
        && directory
            .account(target.object)
            .is_some_and(|account| not_ours(account, directory).is_none())
        && known.is_none_or(|known| known.pending.is_none());
    (!safe).then_some(HeldReason::Unsafe)
}

/// Trips on more writes within a rolling hour than the client's size justifies.
fn breaker(
    plan: &Plan,
    vault: &VaultView,
    memory: &Memory,
    policy: &Policy,
    now: Timestamp,
) -> Option<Tripped> {
    let limit = breaker_limit(vault, policy);
    let recent = memory
        .client
        .writes
        .iter()
        .filter(|at| now.duration_since(**at).unsigned_abs() < BREAKER_WINDOW)
        .count();
    let allowed = limit.saturating_sub(recent);
    let wanted: Vec<Decision> = plan
        .decisions
        .iter()
        .filter(|decision| counted_write(decision).is_some())
        .cloned()
        .collect();
    (wanted.len() > allowed).then_some(Tripped { wanted, allowed })
}

/// Writes an hour at the most: the minimum, or the share of the client's synced accounts.
fn breaker_limit(vault: &VaultView, policy: &Policy) -> usize {
    let synced = vault
        .credentials
        .values()
        .filter(|credential| is_processed(&vault.client, credential))
        .count();
    let share = synced.saturating_mul(policy.breaker_percent as usize) / 100;
    share.max(policy.breaker_minimum as usize)
}

/// A write that the breaker counts: all but those that a person asked for one by one.
fn counted_write(decision: &Decision) -> Option<Target> {
    match decision.action {
        Action::Push(target) if decision.rule != Rule::Confirmed => Some(target),
        _ => None,
    }
}

fn hold(decision: &mut Decision, target: Target, reason: HeldReason) {
    decision.action = Action::Hold(reason);
    let fact = |why: String| FlagFact {
        version: decision.version,
        stamp: target.stamp,
        why,
    };
    if decision.rule == Rule::KnownMismatch {
        let why = decision.rule.why().to_owned();
        decision.flags.insert(FlagKind::AdChange, fact(why));
    }
    decision
        .flags
        .insert(FlagKind::Held, fact(reason.to_string()));
}
