//! When time alone may change what is planned for a credential.

use std::time::Duration;

use jiff::Timestamp;

use super::Inputs;
use super::budget::DAY;
use super::check::next_try;
use crate::model::{CredentialId, CredentialMemory, SyncMode, Verdict};

/// The first time after now at which some condition of the rules changes by itself. Each condition
/// that compares with the time has its line here.
pub(super) fn horizon(id: CredentialId, mode: SyncMode, inputs: Inputs<'_>) -> Option<Timestamp> {
    let Inputs {
        memory,
        policy,
        now,
        ..
    } = inputs;
    let fresh = CredentialMemory::new(id);
    let known = memory.credentials.get(&id).unwrap_or(&fresh);
    let tenant = &memory.client;
    let after = |from: Timestamp, by: Duration| from.checked_add(by).ok();
    let verdict = known.verdict.as_ref().and_then(|it| match it.verdict {
        Verdict::Match if mode == SyncMode::ReportMismatches => after(it.at, policy.recheck),
        Verdict::Unknown(_) => Some(next_try(it)),
        Verdict::Match | Verdict::Mismatch => None,
    });
    let pending = known.pending.as_ref().map(|it| it.since);
    let written = known.written.map(|it| it.at);
    let graces = [pending, written].into_iter().flatten();
    let attempts = known.attempts.iter().map(|it| it.at);
    let days = attempts.chain(known.overwrites.iter().copied());
    let pauses = [
        verdict,
        known.paused_until,
        known.retry_at,
        tenant.verification_paused_until,
    ];
    pauses
        .into_iter()
        .flatten()
        .chain(graces.filter_map(|at| after(at, policy.replication_grace)))
        .chain(days.filter_map(|at| after(at, DAY)))
        .filter(|at| *at > now)
        .min()
}
