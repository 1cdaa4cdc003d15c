//! One credential with all that is known of it, and the rows of the decision table over it.
//!
//! The order of the rows is the order of [`Situation::decide`]; each row is a function that either
//! applies or hands on with `None`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::budget::{Allowance, Ledger, allowance};
use super::{Action, Pause, PauseReason, Policy, Rule, Target, Verification};
use crate::model::{
    Account, AccountAccess, AccountKind, BlockedReason, ClientMemory, ClientSettings,
    CredentialMemory, DirectoryView, DomainKind, EdgeWhitespace, FlagFact, FlagKind, HeldReason,
    Mastered, MicrosoftSync, Mute, ObjectId, PasswordFacts, RememberedVerdict, Standing, SyncMode,
    UnknownReason, VaultCredential, Verdict,
};

/// How long an Unknown that does not pass by itself is left alone before it is asked again:
/// somebody may have changed the tenant's settings.
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_hours(24);

/// One credential with all that is known of it.
pub(super) struct Situation<'a> {
    pub(super) client: &'a ClientSettings,
    pub(super) credential: &'a VaultCredential,
    pub(super) directory: &'a DirectoryView,
    pub(super) account: Option<&'a Account>,
    pub(super) tenant: &'a ClientMemory,
    pub(super) memory: &'a CredentialMemory,
    pub(super) contested: &'a BTreeSet<ObjectId>,
    pub(super) ledger: &'a Ledger,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
}

/// A row that applied, and the flags that it leaves standing.
pub(super) struct Verdicted {
    pub(super) rule: Rule,
    pub(super) action: Action,
    pub(super) flags: BTreeMap<FlagKind, FlagFact>,
}

/// Whether the credential's account is known not to accept the password.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    /// It does not.
    Mismatch,
    /// It does.
    Match,
    /// Nothing new is known: a mismatch flag stays as it is.
    Nothing,
}

impl Situation<'_> {
    /// The first row that applies.
    pub(super) fn decide(&self) -> Verdicted {
        if !is_processed(self.client, self.credential) {
            return self.row(Rule::NotProcessed, Action::Nothing, Knowledge::Match);
        }
        let (account, facts) = match self.reachable() {
            Ok(reachable) => reachable,
            Err((rule, reason)) => {
                return self.row(rule, Action::Block(reason), Knowledge::Match);
            }
        };
        if self.memory.pending.is_some() {
            let unsettled = wait(PauseReason::Unsettled, None);
            return self.row(Rule::Unsettled, unsettled, Knowledge::Nothing);
        }
        match self.credential.mode {
            SyncMode::Enabled => self.enabled(account, facts),
            SyncMode::ReportMismatches | SyncMode::Off => self.report(account, facts),
        }
    }

    /// The account and the password, where nothing forbids to touch them.
    fn reachable(&self) -> Result<(&Account, PasswordFacts), (Rule, BlockedReason)> {
        let account = self
            .account
            .ok_or((Rule::NotOurs, BlockedReason::NotInDirectory))?;
        if let Some(reason) = not_ours(account, self.directory) {
            return Err((Rule::NotOurs, reason));
        }
        if self.memory.object.is_some_and(|known| known != account.id) {
            return Err((Rule::IdentityChanged, BlockedReason::IdentityChanged));
        }
        if self.contested.contains(&account.id) && self.memory.chosen_for != Some(account.id) {
            return Err((Rule::Duplicate, BlockedReason::Duplicate));
        }
        let facts = self
            .credential
            .facts
            .ok_or((Rule::Unreadable, BlockedReason::Unreadable))?;
        Ok((account, facts))
    }

    fn report(&self, account: &Account, facts: PasswordFacts) -> Verdicted {
        if let Some(why) = self.unverifiable(facts) {
            return self.unknown(Rule::ReportKnown, why, None, Knowledge::Nothing);
        }
        match self.remembered(account) {
            Some(known) if known.verdict == Verdict::Match => {
                if known
                    .at
                    .checked_add(self.policy.recheck)
                    .is_ok_and(|due| due <= self.now)
                {
                    return self.check(Rule::ReportCheck, account, Knowledge::Match);
                }
                self.row(Rule::ReportKnown, Action::Nothing, Knowledge::Match)
            }
            Some(known) if known.verdict == Verdict::Mismatch => {
                self.row(Rule::ReportKnown, Action::Nothing, Knowledge::Mismatch)
            }
            Some(known) => self.report_unknown(account, known),
            None => self.check(Rule::ReportCheck, account, Knowledge::Nothing),
        }
    }

    fn report_unknown(&self, account: &Account, known: &RememberedVerdict) -> Verdicted {
        let next = next_try(known);
        if next <= self.now {
            return self.check(Rule::ReportCheck, account, Knowledge::Nothing);
        }
        let why = unknown_reason(known);
        self.unknown(Rule::ReportKnown, why, Some(next), Knowledge::Nothing)
    }

    fn enabled(&self, account: &Account, facts: PasswordFacts) -> Verdicted {
        if self.vault_changed(account) {
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

    /// The vault's password is known to differ from the one that the account still has.
    fn vault_changed(&self, account: &Account) -> bool {
        self.memory.agreed.is_some_and(|agreed| {
            agreed.version < self.credential.version
                && agreed.stamp.is_some()
                && agreed.stamp == account.stamp
        })
    }

    /// This very password is our last Match or own push at the stamp that the account still has. A
    /// later test that could not be made takes nothing away from that.
    fn still_agrees(&self, account: &Account) -> bool {
        self.memory.agreed.is_some_and(|agreed| {
            agreed.version == self.credential.version
                && agreed.stamp.is_some()
                && agreed.stamp == account.stamp
        })
    }

    fn first_check(&self, account: &Account, facts: PasswordFacts) -> Verdicted {
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

    fn known_mismatch(&self, account: &Account, facts: PasswordFacts) -> Verdicted {
        let fought = self.memory.overwrites.len() >= self.policy.max_overwrites_per_day as usize;
        if fought && !self.is_confirmed() {
            let held = Action::Hold(HeldReason::ForeignOverwrites);
            return self.row(Rule::KnownMismatch, held, Knowledge::Mismatch);
        }
        self.push(Rule::KnownMismatch, account, facts, Knowledge::Mismatch)
    }

    fn known_unknown(
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
    fn without_check(
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

    /// A write, unless Entra ID cannot accept it, refused it before, or asked for patience.
    fn push(
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
        let refused = self.memory.refused.as_ref();
        if let Some(refused) = refused.filter(|it| it.version == self.credential.version)
            && !confirmed
        {
            return self.row(rule, Action::Block(refused.reason), knowledge);
        }
        if let Some(retry_at) = self.memory.retry_at.filter(|at| *at > self.now) {
            return self.row(rule, wait(PauseReason::Patience, Some(retry_at)), knowledge);
        }
        self.row(rule, Action::Push(target(account)), knowledge)
    }

    /// A sign-in test, as soon as the lockout budget and the pauses allow it.
    fn check(&self, rule: Rule, account: &Account, knowledge: Knowledge) -> Verdicted {
        if let Some((why, until)) = self.pause(account) {
            return self.unknown(Rule::UnknownPasses, why, Some(until), knowledge);
        }
        match self.allowance(account) {
            Allowance::Now => self.row(rule, Action::Verify(target(account)), knowledge),
            Allowance::Later(next) => {
                let why = UnknownReason::BudgetSpent;
                self.unknown(Rule::UnknownPasses, why, Some(next), knowledge)
            }
            Allowance::Never => self.unknown(rule, UnknownReason::Interrupted, None, knowledge),
        }
    }

    /// The longest of the pauses that forbid a sign-in test now.
    fn pause(&self, account: &Account) -> Option<(UnknownReason, Timestamp)> {
        let pauses = [
            (UnknownReason::Locked, self.ledger.paused_until(account.id)),
            (UnknownReason::Locked, self.tenant.verification_paused_until),
            (UnknownReason::Replicating, self.replicating_until(account)),
        ];
        pauses
            .into_iter()
            .filter_map(|(why, until)| Some((why, until?)))
            .filter(|(_, until)| *until > self.now)
            .max_by_key(|(_, until)| *until)
    }

    /// Our own last write may not have reached every replica: a test now would prove nothing.
    fn replicating_until(&self, account: &Account) -> Option<Timestamp> {
        let written = self.memory.written?;
        let until = written.at.checked_add(self.policy.replication_grace).ok()?;
        (!self.still_agrees(account)).then_some(until)
    }

    fn unknown(
        &self,
        rule: Rule,
        why: UnknownReason,
        next: Option<Timestamp>,
        knowledge: Knowledge,
    ) -> Verdicted {
        self.row(rule, wait(PauseReason::Unknown(why), next), knowledge)
    }

    fn allowance(&self, account: &Account) -> Allowance {
        allowance(
            self.ledger,
            self.memory,
            account.id,
            self.credential.version,
            account.stamp,
            self.policy,
            self.now,
        )
    }

    /// Why this password can never be tested, whatever the service says.
    fn unverifiable(&self, facts: PasswordFacts) -> Option<UnknownReason> {
        if self.policy.verification == Verification::SwitchedOff {
            return Some(UnknownReason::SwitchedOff);
        }
        (facts.edge_whitespace == EdgeWhitespace::Present).then_some(UnknownReason::EdgeWhitespace)
    }

    fn remembered(&self, account: &Account) -> Option<&RememberedVerdict> {
        self.memory
            .verdict_for(account.id, self.credential.version, account.stamp)
    }

    /// Whether a person's word for this very version waits to be acted on.
    fn is_confirmed(&self) -> bool {
        fresh_confirmation(self.credential, self.memory).is_some()
    }

    fn row(&self, rule: Rule, action: Action, knowledge: Knowledge) -> Verdicted {
        let flags = self.flags(rule, &action, knowledge);
        Verdicted {
            rule,
            action,
            flags,
        }
    }

    fn flags(
        &self,
        rule: Rule,
        action: &Action,
        knowledge: Knowledge,
    ) -> BTreeMap<FlagKind, FlagFact> {
        let mut flags = BTreeMap::new();
        match knowledge {
            // A write is about to mend it: a flag would only flicker.
            Knowledge::Mismatch if !matches!(action, Action::Push(_)) => {
                flags.insert(FlagKind::AdChange, self.fact(Rule::KnownMismatch.why()));
            }
            Knowledge::Nothing => {
                let standing = self.memory.raised.get(&FlagKind::AdChange);
                flags.extend(standing.map(|fact| (FlagKind::AdChange, fact.clone())));
            }
            Knowledge::Mismatch | Knowledge::Match => {}
        }
        match action {
            Action::Hold(reason) => {
                flags.insert(FlagKind::Held, self.fact(&reason.to_string()));
            }
            Action::Block(reason) => {
                flags.insert(FlagKind::Blocked, self.fact(&reason.to_string()));
            }
            Action::Nothing | Action::Wait(_) | Action::Verify(_) | Action::Push(_) => {}
        }
        debug_assert!(rule != Rule::NotProcessed || flags.is_empty());
        flags
    }

    fn fact(&self, why: &str) -> FlagFact {
        FlagFact {
            version: self.credential.version,
            stamp: self.account.and_then(|account| account.stamp),
            why: why.to_owned(),
        }
    }
}

/// Whether a credential is processed at all.
pub(crate) fn is_processed(client: &ClientSettings, credential: &VaultCredential) -> bool {
    client.mute == Mute::Unmuted
        && client.sync == MicrosoftSync::EntraId
        && credential.standing == Standing::Active
        && credential.mode != SyncMode::Off
}

/// Why an account's password is not ours to set; `None` where it is.
pub(super) fn not_ours(account: &Account, directory: &DirectoryView) -> Option<BlockedReason> {
    if account.kind == AccountKind::Guest || account.user_name.is_external() {
        return Some(BlockedReason::Guest);
    }
    if account.access == AccountAccess::Disabled {
        return Some(BlockedReason::AccountDisabled);
    }
    if account.mastered == Mastered::OnPremises {
        return Some(BlockedReason::OnPremises);
    }
    let managed = directory.domain_kind(&account.user_name) == Some(DomainKind::Managed);
    (!managed).then_some(BlockedReason::Federated)
}

/// A person's word for the current version that was not acted on yet.
pub(crate) fn fresh_confirmation(
    credential: &VaultCredential,
    memory: &CredentialMemory,
) -> Option<Timestamp> {
    let confirmed = credential.confirmed.as_ref()?;
    let fresh =
        confirmed.version == credential.version && memory.confirmation_used != Some(confirmed.at);
    fresh.then_some(confirmed.at)
}

/// When an Unknown is worth another try; much later where it does not pass by itself.
fn next_try(known: &RememberedVerdict) -> Timestamp {
    known
        .next_try
        .or_else(|| known.at.checked_add(ASK_AGAIN).ok())
        .unwrap_or(Timestamp::MAX)
}

fn unknown_reason(known: &RememberedVerdict) -> UnknownReason {
    match known.verdict {
        Verdict::Unknown(why) => why,
        Verdict::Match | Verdict::Mismatch => UnknownReason::Inconclusive,
    }
}

fn wait(why: PauseReason, until: Option<Timestamp>) -> Action {
    Action::Wait(Pause { why, until })
}

fn target(account: &Account) -> Target {
    Target {
        object: account.id,
        stamp: account.stamp,
    }
}
