//! Brings the memory up to what vault and directory show now, before anything is planned.
//!
//! Pure like the planner: first contact, a new epoch, a person's confirmation, and writes that
//! became visible are facts to be taken in, not decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Account, AttemptState, Baseline, BlockedReason, CredentialId, CredentialMemory, DirectoryView,
    Memory, ObjectId, Outcome, PendingWrite, RememberedVerdict, SignInAttempt, SyncMode,
    VaultCredential, VaultView, Verdict, VerdictSource, Written,
};
use crate::plan::Policy;
use crate::plan::budget::{DAY, still_matters};
use crate::plan::eligibility::{fresh_confirmation, is_processed};

/// A stamp this close to a write's own time, by the service's clock, is the write's.
const STAMP_TOLERANCE: Duration = Duration::from_secs(5);

/// Takes in what the views show of these credentials, among which are all that share an account
/// with one of them. Returns those whose memory changed.
pub(crate) fn observe(
    memory: &mut Memory,
    vault: &VaultView,
    directory: &DirectoryView,
    policy: &Policy,
    now: Timestamp,
    ids: &BTreeSet<CredentialId>,
) -> BTreeSet<CredentialId> {
    let known_epoch = memory.client.epoch.replace(vault.epoch);
    let mut changed = match known_epoch {
        Some(epoch) if epoch != vault.epoch => begin_epoch(memory, vault),
        _ => BTreeSet::new(),
    };
    set_right(memory.client.writes.iter_mut(), now);
    memory.client.writes.retain(|at| is_recent(*at, now));
    let mut choices = Vec::new();
    for credential in ids.iter().filter_map(|id| vault.credentials.get(id)) {
        let known = memory.credentials.get(&credential.id);
        let mut after = known.cloned().unwrap_or_else(|| first_sight(credential));
        let eye = Eye {
            credential,
            vault,
            directory,
            policy,
            now,
        };
        choices.extend(eye.take_in(&mut after));
        if known != Some(&after) {
            changed.insert(credential.id);
            memory.credentials.insert(credential.id, after);
        }
    }
    changed.extend(choose(memory, vault, &choices, ids));
    changed
}

/// A backup of the vault was restored: nothing that was known of its versions holds any more.
fn begin_epoch(memory: &mut Memory, vault: &VaultView) -> BTreeSet<CredentialId> {
    memory.plans.clear();
    for known in memory.credentials.values_mut() {
        known.forget_contact();
        known.reported = None;
        if let Some(credential) = vault.credentials.get(&known.id) {
            take_as_found(known, credential);
        }
    }
    memory.credentials.keys().copied().collect()
}

/// What a credential's memory begins with.
fn first_sight(credential: &VaultCredential) -> CredentialMemory {
    let mut known = CredentialMemory::new(credential.id);
    take_as_found(&mut known, credential);
    known
}

/// The flags that stand on it in the vault, and a person's word that nobody can tell from one that
/// was acted on before: a lost memory must not make it count twice.
fn take_as_found(known: &mut CredentialMemory, credential: &VaultCredential) {
    known.raised.clone_from(&credential.raised);
    spend_confirmation(known, credential);
}

fn spend_confirmation(known: &mut CredentialMemory, credential: &VaultCredential) {
    known.confirmation_used = credential.confirmed.as_ref().map(|it| it.at);
}

/// A person chose this credential for its account.
struct Choice {
    credential: CredentialId,
    object: ObjectId,
    at: Timestamp,
}

impl Choice {
    /// The one that was made for a credential before.
    fn that_stands(known: &CredentialMemory) -> Option<Self> {
        Some(Self {
            credential: known.id,
            object: known.chosen_for?,
            at: known.confirmation_used?,
        })
    }
}

/// Of several choices for one account the newest holds, also one that was made before, and the others are
/// spent: a word for a credential that was disabled meanwhile may be heard only now.
fn choose(
    memory: &mut Memory,
    vault: &VaultView,
    choices: &[Choice],
    ids: &BTreeSet<CredentialId>,
) -> Vec<CredentialId> {
    if choices.is_empty() {
        return Vec::new();
    }
    let mut winners: BTreeMap<ObjectId, (Timestamp, CredentialId)> = BTreeMap::new();
    let mut wanted: BTreeMap<CredentialId, ObjectId> = BTreeMap::new();
    let stand = memory.credentials.values().filter_map(Choice::that_stands);
    for choice in stand {
        winners.insert(choice.object, (choice.at, choice.credential));
    }
    for choice in choices {
        let newest = (choice.at, choice.credential);
        let winner = winners.entry(choice.object).or_insert(newest);
        *winner = newest.max(*winner);
        wanted.insert(choice.credential, choice.object);
    }
    let mut changed = Vec::new();
    for id in ids {
        let Some(known) = memory.credentials.get_mut(id) else {
            continue;
        };
        let object = wanted.get(&known.id).copied().or(known.chosen_for);
        let winner = object.and_then(|object| winners.get(&object));
        let Some((_, winner)) = winner else {
            continue;
        };
        let chosen_for = object.filter(|_| *winner == known.id);
        let before = (known.chosen_for, known.confirmation_used);
        if chosen_for.is_none()
            && let Some(credential) = vault.credentials.get(&known.id)
        {
            spend_confirmation(known, credential);
        }
        known.chosen_for = chosen_for;
        if before != (known.chosen_for, known.confirmation_used) {
            changed.push(known.id);
        }
    }
    changed
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).unsigned_abs() < DAY
}

/// The clock was ahead when these were written down, and was set right: nothing must wait for the
/// time that it showed, and nothing that happened may be overlooked for it.
fn set_right<'a>(written_down: impl Iterator<Item = &'a mut Timestamp>, now: Timestamp) {
    for at in written_down {
        *at = now.min(*at);
    }
}

/// Who signs in with the vault's password of its own account may not know that account's id: it is the one that the
/// credential names, once that is seen.
fn placed(told: &SignInAttempt, account: Option<&Account>) -> Option<SignInAttempt> {
    if told.object != ObjectId::NOT_KNOWN {
        return Some(told.clone());
    }
    let account = account?;
    Some(SignInAttempt {
        object: account.id,
        stamp: account.stamp,
        ..told.clone()
    })
}

struct Eye<'a> {
    credential: &'a VaultCredential,
    vault: &'a VaultView,
    directory: &'a DirectoryView,
    policy: &'a Policy,
    now: Timestamp,
}

impl Eye<'_> {
    /// Returns the account for which a person chose this credential, where one did.
    fn take_in(&self, known: &mut CredentialMemory) -> Option<Choice> {
        let account = self.directory.resolve(&self.credential.user_name);
        self.set_clock_right(known);
        self.merge_attempts(known, account);
        known.overwrites.retain(|at| is_recent(*at, self.now));
        if let Some(pending) = known.pending.clone() {
            self.settle(known, &pending);
        }
        if known.baseline.is_none() || self.credential.mode != SyncMode::Enabled {
            known.baseline = Some(self.baseline());
        }
        if !is_processed(&self.vault.client, self.credential) {
            return None;
        }
        let account = account?;
        let choice = self.take_confirmation(known, account);
        if known.object.is_none() {
            self.first_contact(known, account);
        }
        choice
    }

    fn set_clock_right(&self, known: &mut CredentialMemory) {
        let written = known.written.as_mut().map(|it| &mut it.at);
        let pending = known.pending.as_mut().map(|it| &mut it.since);
        let verdict = known.verdict.as_mut().map(|it| &mut it.at);
        let single = [written, pending, verdict].into_iter().flatten();
        set_right(single.chain(&mut known.overwrites), self.now);
    }

    fn baseline(&self) -> Baseline {
        Baseline {
            version: self.credential.version,
            mode: self.credential.mode,
        }
    }

    /// A password that changed before its account was there is no change of this account's.
    fn first_contact(&self, known: &mut CredentialMemory, account: &Account) {
        known.object = Some(account.id);
        if known
            .baseline
            .is_some_and(|it| it.mode == SyncMode::Enabled)
        {
            known.baseline = Some(self.baseline());
        }
    }

    /// Sign-in tests that another agent, or an earlier life of this one, told the vault of.
    fn merge_attempts(&self, known: &mut CredentialMemory, account: Option<&Account>) {
        for told in &self.credential.attempts {
            match known.attempts.iter_mut().find(|ours| ours.id == told.id) {
                Some(ours) if ours.state == AttemptState::Open => ours.state = told.state,
                Some(_) => {}
                None => known.attempts.extend(placed(told, account)),
            }
        }
        // While the account is out of sight, its stamp cannot tell which attempts are current.
        if let Some(account) = account {
            let version = self.credential.version;
            known
                .attempts
                .retain(|attempt| still_matters(attempt, version, account.stamp, self.now));
        }
    }

    /// A person's word takes effect at once where it is about identity. Where it asks for a
    /// write, it is used up by the write; where the password is known to be right, it is moot.
    fn take_confirmation(&self, known: &mut CredentialMemory, account: &Account) -> Option<Choice> {
        let at = fresh_confirmation(self.credential, known)?;
        if known.object.is_some_and(|object| object != account.id) {
            // Only whoever could see that the account is another one has accepted it.
            if was_told_of_another_identity(known) {
                known.forget_contact();
                known.object = Some(account.id);
                known.baseline = Some(self.baseline());
            }
            known.confirmation_used = Some(at);
        }
        let right = known
            .verdict_for(account.id, self.credential.version, account.stamp)
            .is_some_and(|it| it.verdict == Verdict::Match);
        if right {
            known.confirmation_used = Some(at);
        }
        Some(Choice {
            credential: self.credential.id,
            object: account.id,
            at,
        })
    }

    /// Learns whether a write took effect: 204 is not proof, the account's new stamp is.
    fn settle(&self, known: &mut CredentialMemory, pending: &PendingWrite) {
        let account = self.directory.account(pending.object);
        let unmoved = account.is_some_and(|account| account.stamp == pending.before);
        if unmoved && !self.grace_is_over(pending) {
            return;
        }
        acted_on(known, pending, self.effective_by(pending));
        match account {
            Some(account) if !unmoved && is_ours(pending, account) => {
                self.agree(known, pending, account);
            }
            // Somebody else's stamp, or none: only a sign-in test, or a person, can tell.
            _ => known.verdict = None,
        }
    }

    /// The account has this version now, by our own write.
    fn agree(&self, known: &mut CredentialMemory, pending: &PendingWrite, account: &Account) {
        known.remember_agreement(pending.version, account.stamp);
        let confirmed = self.credential.confirmed.as_ref();
        if confirmed.is_some_and(|it| it.version == pending.version) {
            spend_confirmation(known, self.credential);
        }
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

    /// When a write took effect at the latest. One whose answer was lost may have done so as long as
    /// its request lasted.
    fn effective_by(&self, pending: &PendingWrite) -> Timestamp {
        if pending.accepted.is_some() {
            return pending.since;
        }
        let end = pending.since.checked_add(self.policy.write_timeout);
        end.map_or(self.now, |end| end.min(self.now))
    }

    fn grace_is_over(&self, pending: &PendingWrite) -> bool {
        let end = pending.since.checked_add(self.policy.replication_grace);
        end.is_ok_and(|end| end <= self.now)
    }
}

/// Whatever came of a write, the change that asked for it never asks again.
fn acted_on(known: &mut CredentialMemory, pending: &PendingWrite, effective_by: Timestamp) {
    known.pending = None;
    known.agreed = None;
    known.baseline = Some(Baseline {
        version: pending.version,
        mode: SyncMode::Enabled,
    });
    // Also where the same version was written before: what counts for replication is the last time.
    let write = Written {
        version: pending.version,
        at: effective_by,
    };
    known.written = Some(known.written.map_or(write, |before| before.and(write)));
}

/// Whether an account's new stamp is that of this write. Without an answer nobody knows when it
/// took effect, so that no stamp is proof.
fn is_ours(pending: &PendingWrite, account: &Account) -> bool {
    let (Some(stamp), Some(accepted)) = (account.stamp, pending.accepted) else {
        return false;
    };
    let earliest = accepted.sent.checked_sub(STAMP_TOLERANCE);
    let latest = accepted.answered.checked_add(STAMP_TOLERANCE);
    earliest.is_ok_and(|from| from <= stamp.0) && latest.is_ok_and(|to| stamp.0 <= to)
}

fn was_told_of_another_identity(known: &CredentialMemory) -> bool {
    let told = known.reported.as_ref().map(|reported| &reported.outcome);
    told == Some(&Outcome::Blocked(BlockedReason::IdentityChanged))
}
