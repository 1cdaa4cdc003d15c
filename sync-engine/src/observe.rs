//! Brings the memory up to what vault and directory show now, before anything is planned.
//!
//! Pure like the planner: first contact, a new epoch, a person's confirmation, and writes that
//! became visible are facts to be taken in, not decisions.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Account, AttemptState, Baseline, CredentialId, CredentialMemory, DirectoryView, Memory,
    ObjectId, PendingWrite, RememberedVerdict, SyncMode, VaultCredential, VaultView, Verdict,
    VerdictSource, Written,
};
use crate::plan::budget::{DAY, still_matters};
use crate::plan::situation::{fresh_confirmation, is_processed};
use crate::plan::{Policy, Verification};

/// A stamp this close to a write's own time, by the service's clock, is the write's.
const STAMP_TOLERANCE: Duration = Duration::from_secs(5);

/// Takes in what the views show. Returns the credentials whose memory changed.
pub(crate) fn observe(
    memory: &mut Memory,
    vault: &VaultView,
    directory: &DirectoryView,
    policy: &Policy,
    now: Timestamp,
) -> BTreeSet<CredentialId> {
    let mut changed = BTreeSet::new();
    if memory
        .client
        .epoch
        .is_some_and(|epoch| epoch != vault.epoch)
    {
        for known in memory.credentials.values_mut() {
            known.forget_contact();
            changed.insert(known.id);
        }
    }
    memory.client.epoch = Some(vault.epoch);
    memory.client.writes.retain(|at| is_recent(*at, now));
    let mut chosen = Vec::new();
    for credential in vault.credentials.values() {
        let known = memory.credentials.get(&credential.id);
        let before = known.cloned();
        let mut after = before.clone().unwrap_or_else(|| first_sight(credential));
        let eye = Eye {
            credential,
            vault,
            directory,
            policy,
            now,
        };
        chosen.extend(eye.take_in(&mut after));
        if before.as_ref() != Some(&after) {
            changed.insert(credential.id);
            memory.credentials.insert(credential.id, after);
        }
    }
    for (winner, object) in chosen {
        changed.extend(withdraw_other_choices(memory, winner, object));
    }
    changed
}

/// A person's choice among duplicates ends an earlier one.
fn withdraw_other_choices(
    memory: &mut Memory,
    winner: CredentialId,
    object: ObjectId,
) -> Vec<CredentialId> {
    let others = memory.credentials.values_mut();
    others
        .filter(|known| known.id != winner && known.chosen_for == Some(object))
        .map(|known| {
            known.chosen_for = None;
            known.id
        })
        .collect()
}

/// What a credential's memory begins with: the flags that stand on it in the vault.
fn first_sight(credential: &VaultCredential) -> CredentialMemory {
    CredentialMemory {
        raised: credential.raised.clone(),
        ..CredentialMemory::new(credential.id)
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).unsigned_abs() < DAY
}

struct Eye<'a> {
    credential: &'a VaultCredential,
    vault: &'a VaultView,
    directory: &'a DirectoryView,
    policy: &'a Policy,
    now: Timestamp,
}

impl Eye<'_> {
    /// Returns the account for which a person chose this credential just now, if one did.
    fn take_in(&self, known: &mut CredentialMemory) -> Option<(CredentialId, ObjectId)> {
        self.merge_attempts(known);
        known.overwrites.retain(|at| is_recent(*at, self.now));
        if let Some(pending) = known.pending.clone() {
            self.settle(known, &pending);
        }
        if known.baseline.is_none() || self.credential.mode != SyncMode::Enabled {
            known.baseline = Some(Baseline {
                version: self.credential.version,
                mode: self.credential.mode,
            });
        }
        let account = self.directory.resolve(&self.credential.user_name)?;
        if !is_processed(&self.vault.client, self.credential) {
            return None;
        }
        let chosen = self.take_confirmation(known, account);
        if known.object.is_none() {
            known.object = Some(account.id);
        }
        chosen
    }

    /// Sign-in tests that another agent, or an earlier life of this one, told the vault of.
    fn merge_attempts(&self, known: &mut CredentialMemory) {
        for told in &self.credential.attempts {
            match known.attempts.iter_mut().find(|ours| ours.id == told.id) {
                Some(ours) if ours.state == AttemptState::Open => ours.state = told.state,
                Some(_) => {}
                None => known.attempts.push(told.clone()),
            }
        }
        let stamp = self
            .directory
            .resolve(&self.credential.user_name)
            .and_then(|account| account.stamp);
        let version = self.credential.version;
        known
            .attempts
            .retain(|attempt| still_matters(attempt, version, stamp, self.now));
    }

    /// A person's word takes effect at once where it is about identity. Where it asks for a
    /// write, it is used up by the write.
    fn take_confirmation(
        &self,
        known: &mut CredentialMemory,
        account: &Account,
    ) -> Option<(CredentialId, ObjectId)> {
        let confirmed = fresh_confirmation(self.credential, known)?;
        if known.object.is_some_and(|object| object != account.id) {
            known.forget_contact();
            known.object = Some(account.id);
            known.baseline = Some(Baseline {
                version: self.credential.version,
                mode: self.credential.mode,
            });
            known.confirmation_used = Some(confirmed);
        }
        let was_chosen = known.chosen_for == Some(account.id);
        known.chosen_for = Some(account.id);
        (!was_chosen).then_some((self.credential.id, account.id))
    }

    /// Learns whether a write took effect: 204 is not proof, the account's new stamp is.
    fn settle(&self, known: &mut CredentialMemory, pending: &PendingWrite) {
        let Some(account) = self.directory.account(pending.object) else {
            known.pending = None;
            return;
        };
        if account.stamp == pending.before {
            if self.grace_is_over(pending) {
                known.pending = None;
                known.agreed = None;
                known.verdict = None;
            }
            return;
        }
        known.pending = None;
        known.agreed = None;
        known.written = Some(Written {
            version: pending.version,
            at: pending.since,
        });
        match is_ours(pending, account, self.policy) {
            Ours::Surely => self.agree(known, pending, account),
            // Nobody can check it, and the time fits: never write it a second time.
            Ours::Perhaps if self.policy.verification == Verification::SwitchedOff => {
                self.agree(known, pending, account);
            }
            Ours::Perhaps | Ours::No => {}
        }
    }

    /// The account has this version now, by our own write.
    fn agree(&self, known: &mut CredentialMemory, pending: &PendingWrite, account: &Account) {
        known.remember_agreement(pending.version, account.stamp);
        known.confirmation_used = self.credential.confirmed.as_ref().map(|it| it.at);
        known.verdict = Some(RememberedVerdict {
            object: pending.object,
            version: pending.version,
            stamp: account.stamp,
            verdict: Verdict::Match,
            source: VerdictSource::Push,
            at: self.now,
            next_try: None,
            tries: 0,
            code: None,
        });
    }

    fn grace_is_over(&self, pending: &PendingWrite) -> bool {
        let end = pending.since.checked_add(self.policy.replication_grace);
        end.is_ok_and(|end| end <= self.now)
    }
}

/// Whose password change an account's new stamp is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    Surely,
    Perhaps,
    No,
}

fn is_ours(pending: &PendingWrite, account: &Account, policy: &Policy) -> Ours {
    let Some(stamp) = account.stamp else {
        return Ours::No;
    };
    let within = |from: Timestamp, to: Timestamp| {
        from.checked_sub(STAMP_TOLERANCE)
            .is_ok_and(|from| from <= stamp.0)
            && to
                .checked_add(STAMP_TOLERANCE)
                .is_ok_and(|to| stamp.0 <= to)
    };
    match pending.accepted {
        Some(accepted) if within(accepted.sent, accepted.answered) => Ours::Surely,
        Some(_) => Ours::No,
        None => {
            let latest = pending.since.checked_add(policy.write_timeout);
            let latest = latest.unwrap_or(pending.since);
            if within(pending.since, latest) {
                Ours::Perhaps
            } else {
                Ours::No
            }
        }
    }
}
