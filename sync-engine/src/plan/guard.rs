//! What a plan must never do, checked without trusting the rules that made it; and the
//! mass-change breaker.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::eligibility::{is_processed, not_ours};
use super::held::Words;
use super::{Action, Decision, Plan, PlanStanding, Policy, Rule, Target};
use crate::model::{
    CredentialMemory, DirectoryView, FlagFact, FlagKind, HeldReason, Memory, ObjectId, SyncMode,
    VaultView,
};

/// The window of the mass-change breaker.
pub(crate) const BREAKER_WINDOW: Duration = Duration::from_hours(1);

/// What the breaker stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tripped {
    /// The writes that wait for a person.
    pub wanted: Vec<Decision>,
    /// How many more would have been allowed.
    pub allowed: usize,
}

/// Turns every write that must not happen into a hold, and all that nobody approved when there are
/// too many of them.
pub fn guard(
    mut plan: Plan,
    vault: &VaultView,
    directory: &DirectoryView,
    memory: &Memory,
    policy: &Policy,
    now: Timestamp,
) -> (Plan, Option<Tripped>) {
    let words = Words::of(&memory.plans);
    let under_way = under_way(&plan, memory, policy, now);
    let mut written = BTreeSet::new();
    for decision in &mut plan.decisions {
        let Action::Push(target) = decision.action else {
            continue;
        };
        let ends_sign_in = policy.would_end_sign_in(&decision.user_name, target.object);
        let is_first = written.insert(target.object);
        let reason = if is_first && (!ends_sign_in || decision.rule == Rule::Confirmed) {
            objection(
                decision, target, vault, directory, memory, &words, &under_way,
            )
        } else {
            Some(HeldReason::Unsafe)
        };
        if let Some(reason) = reason {
            hold(decision, target, reason);
        }
    }
    let allowed = breaker_limit(plan.synced, policy).saturating_sub(recent_writes(memory, now));
    let tripped = trip(&mut plan, &words, allowed);
    (plan, tripped)
}

/// The accounts to which a write is under way, whichever credential it was sent for.
fn under_way(plan: &Plan, memory: &Memory, policy: &Policy, now: Timestamp) -> BTreeSet<ObjectId> {
    let writes = |decision: &Decision| matches!(decision.action, Action::Push(_));
    if !plan.decisions.iter().any(writes) {
        return BTreeSet::new();
    }
    let pending = memory.credentials.values().filter_map(|known| {
        let pending = known.pending.as_ref()?;
        let end = pending.since.checked_add(policy.replication_grace).ok()?;
        (end > now).then_some(pending.object)
    });
    pending.collect()
}

/// Why a write must not happen; `None` where nothing speaks against it.
fn objection(
    decision: &Decision,
    target: Target,
    vault: &VaultView,
    directory: &DirectoryView,
    memory: &Memory,
    words: &Words<'_>,
    under_way: &BTreeSet<ObjectId>,
) -> Option<HeldReason> {
    if words.is_rejected(decision) && decision.rule != Rule::Confirmed {
        return Some(HeldReason::Rejected);
    }
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
        && directory.lacking_role(target.object).is_none()
        && known.is_none_or(|known| known.pending.is_none())
        && !under_way.contains(&target.object);
    (!safe).then_some(HeldReason::Unsafe)
}

/// Holds the writes that nobody approved when there are more of them than allowed. What waits for a
/// person goes on waiting, also when the hour is over.
fn trip(plan: &mut Plan, words: &Words<'_>, allowed: usize) -> Option<Tripped> {
    let clearances = plan.decisions.iter().map(|it| clearance(it, words));
    let fresh = clearances.filter(|it| *it == Clearance::Fresh).count();
    let mut wanted = Vec::new();
    for decision in &mut plan.decisions {
        let is_held = match clearance(decision, words) {
            Clearance::NotCounted => false,
            Clearance::Waits => true,
            Clearance::Fresh => fresh > allowed,
        };
        if let (true, Action::Push(target)) = (is_held, &decision.action) {
            let target = *target;
            wanted.push(decision.clone());
            hold(decision, target, HeldReason::MassChange);
        }
    }
    (!wanted.is_empty()).then_some(Tripped { wanted, allowed })
}

/// Where a decision stands with the breaker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clearance {
    /// No write, or one that a person asked for.
    NotCounted,
    /// Part of a plan that waits for a person.
    Waits,
    /// A write that the rules alone ask for.
    Fresh,
}

fn clearance(decision: &Decision, words: &Words<'_>) -> Clearance {
    if !matches!(decision.action, Action::Push(_)) || decision.rule == Rule::Confirmed {
        return Clearance::NotCounted;
    }
    match words.about(decision).map(|plan| &plan.standing) {
        Some(PlanStanding::Waiting) => Clearance::Waits,
        Some(PlanStanding::Approved(_)) => Clearance::NotCounted,
        Some(PlanStanding::Rejected(_)) | None => Clearance::Fresh,
    }
}

/// Writes of the last hour that the rules alone asked for. One that a clock dated into the future
/// happened, too.
fn recent_writes(memory: &Memory, now: Timestamp) -> usize {
    let window = SignedDuration::try_from(BREAKER_WINDOW).unwrap_or(SignedDuration::MAX);
    let writes = memory.client.writes.iter();
    writes
        .filter(|at| now.duration_since(**at) < window)
        .count()
}

/// Writes an hour at the most: the minimum, or the share of the client's synced accounts.
fn breaker_limit(synced: usize, policy: &Policy) -> usize {
    let share = synced.saturating_mul(policy.breaker_percent as usize) / 100;
    share.max(policy.breaker_minimum as usize)
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
