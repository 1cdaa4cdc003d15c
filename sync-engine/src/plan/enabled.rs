//! The rows of the decision table for Enabled: pushed, but only where that is justified and needed.

use super::budget::Allowance;
use super::check::next_try;
use super::situation::{Knowledge, Situation, Verdicted, target, wait};
use super::{Action, PauseReason, Rule};
use crate::model::{
    Account, BlockedReason, HeldReason, PasswordFacts, RememberedVerdict, SyncMode, UnknownReason,
    Verdict,
};

impl Situation<'_> {
    pub(super) fn enabled(&self, account: &Account, facts: PasswordFacts) -> Verdicted {
        if self.vault_changed(account) && !self.is_worth_a_check(account, facts) {
            return self.push(Rule::VaultChanged, account, facts, Knowledge::Nothing);
        }
        let Some(known) = self.remembered(account) else {
            return self.first_check(account, facts);
        };
        match known.verdict {
            Verdict::Match => self.row(Rule::KnownMatch, Action::Nothing, Knowledge::Match),
            Verdict::Mismatch => self.known_mismatch(account, facts),
            Verdict::Unknown(why) => self.known_unknown(account, facts, known, why),
        }
    }

    /// After several changes in the vault the password may be the one of before again, and then a
    /// write would sign the user out for nothing. A test that can be made at once is worth it.
    fn is_worth_a_check(&self, account: &Account, facts: PasswordFacts) -> bool {
        let several = self
            .memory
            .agreed
            .is_some_and(|agreed| agreed.version.0.saturating_add(1) < self.credential.version.0);
        let can_be_made = self.unverifiable(facts).is_none()
            && self.pause(account).is_none()
            && self.allowance(account) == Allowance::Now;
        several && can_be_made && self.remembered(account).is_none()
    }

    /// The vault holds another version than the one that the account still has.
    pub(super) fn vault_changed(&self, account: &Account) -> bool {
        self.memory.agreed.is_some_and(|agreed| {
            agreed.version < self.credential.version
                && agreed.stamp.is_some()
                && agreed.stamp == account.stamp
        })
    }

    /// This very password is our last Match or own push at the stamp that the account still has. A
    /// later test that could not be made takes nothing away from that.
    pub(super) fn still_agrees(&self, account: &Account) -> bool {
        self.memory.agreed.is_some_and(|agreed| {
            agreed.version == self.credential.version
                && agreed.stamp.is_some()
                && agreed.stamp == account.stamp
        })
    }

    pub(super) fn first_check(&self, account: &Account, facts: PasswordFacts) -> Verdicted {
        match self.unverifiable(facts) {
            Some(why) => self.without_check(account, facts, why),
            None => match self.allowance(account) {
                Allowance::Never => self.without_check(account, facts, UnknownReason::Interrupted),
                Allowance::Now | Allowance::Later(_) => {
                    self.check(Rule::NotVerified, account, Knowledge::Nothing)
                }
            },
        }
    }

    pub(super) fn known_mismatch(&self, account: &Account, facts: PasswordFacts) -> Verdicted {
        let fought = self.memory.overwrites.len() >= self.policy.max_overwrites_per_day as usize;
        if fought && !self.is_confirmed() {
            let held = Action::Hold(HeldReason::ForeignOverwrites);
            return self.row(Rule::KnownMismatch, held, Knowledge::Mismatch);
        }
        self.push(Rule::KnownMismatch, account, facts, Knowledge::Mismatch)
    }

    pub(super) fn known_unknown(
        &self,
        account: &Account,
        facts: PasswordFacts,
        known: &RememberedVerdict,
        why: UnknownReason,
    ) -> Verdicted {
        if let Some(never) = self.unverifiable(facts) {
            return self.without_check(account, facts, never);
        }
        let next = next_try(known);
        if next <= self.now {
            return self.first_check(account, facts);
        }
        if why.passes() {
            return self.unknown(Rule::UnknownPasses, why, Some(next), Knowledge::Nothing);
        }
        self.without_check(account, facts, why)
    }

    /// Verification is impossible: only a person's change or word justifies a write.
    pub(super) fn without_check(
        &self,
        account: &Account,
        facts: PasswordFacts,
        why: UnknownReason,
    ) -> Verdicted {
        if self.is_confirmed() {
            return self.push(Rule::Confirmed, account, facts, Knowledge::Nothing);
        }
        if self.still_agrees(account) {
            return self.row(Rule::KnownMatch, Action::Nothing, Knowledge::Match);
        }
        let changed = self.memory.baseline.is_some_and(|baseline| {
            baseline.version != self.credential.version || baseline.mode != SyncMode::Enabled
        });
        if changed {
            return self.push(
                Rule::UnverifiableChanged,
                account,
                facts,
                Knowledge::Nothing,
            );
        }
        let held = Action::Hold(HeldReason::Unverifiable(why));
        self.row(Rule::Unverifiable, held, Knowledge::Nothing)
    }

    /// A write, unless Entra ID cannot accept it, the agent lacks the role, or Entra ID refused it
    /// before or asked for patience.
    pub(super) fn push(
        &self,
        rule: Rule,
        account: &Account,
        facts: PasswordFacts,
        knowledge: Knowledge,
    ) -> Verdicted {
        let confirmed = self.is_confirmed();
        let rule = if confirmed { Rule::Confirmed } else { rule };
        if let Some(refusal) = facts.refusal {
            let blocked = Action::Block(BlockedReason::Policy(refusal));
            return self.row(rule, blocked, knowledge);
        }
        if let Some(role) = self.directory.lacking_role(account.id) {
            let blocked = Action::Block(BlockedReason::RoleMissing(role));
            return self.row(rule, blocked, knowledge);
        }
        let refused = self.memory.refused.as_ref();
        if let Some(refused) = refused.filter(|it| it.version == self.credential.version)
            && !confirmed
        {
            return self.row(rule, Action::Block(refused.reason), knowledge);
        }
        let user_name = &self.credential.user_name;
        if self.policy.would_end_sign_in(user_name, account.id) && !confirmed {
            let held = Action::Hold(HeldReason::OwnSignIn);
            return self.row(rule, held, knowledge);
        }
        if let Some(retry_at) = self.memory.retry_at.filter(|at| *at > self.now) {
            return self.row(rule, wait(PauseReason::Patience, Some(retry_at)), knowledge);
        }
        self.row(rule, Action::Push(target(account)), knowledge)
    }
}
