//! The decision table once more: each row's condition on its own, without an order, and its effect.

#![expect(clippy::expect_used, reason = "a failed test should say where")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sync_engine::model::*;
use sync_engine::plan::{Action, NewOwnPassword, Pause, PauseReason, Rule, Target, Verification};

use crate::scenes::{Scene, now};

/// One credential in its world.
pub(crate) struct Case<'a> {
    scene: &'a Scene,
    directory: &'a DirectoryView,
    credential: &'a VaultCredential,
    known: CredentialMemory,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        scene: &'a Scene,
        directory: &'a DirectoryView,
        credential: CredentialId,
    ) -> Self {
        let known = scene.memory.credentials.get(&credential).cloned();
        Self {
            scene,
            directory,
            credential: scene.credential(credential),
            known: known.unwrap_or_else(|| CredentialMemory::new(credential)),
        }
    }

    /// Every row whose condition holds, whatever the rows before it say.
    pub(crate) fn rows(&self) -> Vec<Rule> {
        let rules = Rule::ALL.into_iter();
        rules.filter(|rule| self.holds(*rule)).collect()
    }

    fn holds(&self, rule: Rule) -> bool {
        let enabled = self.credential.mode == SyncMode::Enabled;
        let report = self.credential.mode == SyncMode::ReportMismatches;
        match rule {
            Rule::NotProcessed => !processed(&self.scene.client, self.credential),
            Rule::NotOurs => self.account().is_none_or(|it| !self.is_ours(it)),
            Rule::IdentityChanged => {
                let first = self.known.object;
                self.account()
                    .is_some_and(|it| first.is_some_and(|first| first != it.id))
            }
            Rule::Duplicate => self.account().is_some_and(|it| self.is_contested(it)),
            Rule::Unreadable => self.credential.facts.is_none(),
            Rule::Unsettled => self.known.pending.is_some() || self.is_under_way(),
            Rule::ReportKnown => report && (self.can_never_be_tested() || self.report_is_known()),
            Rule::Confirmed => {
                let differs = self.vault_changed() || self.verdict() == Some(Verdict::Mismatch);
                enabled && self.is_confirmed() && (differs || self.cannot_be_checked())
            }
            Rule::VaultChanged => enabled && self.vault_changed(),
            Rule::KnownMatch => {
                let agreed = self.cannot_be_checked() && self.still_agrees();
                enabled && (self.verdict() == Some(Verdict::Match) || agreed)
            }
            Rule::KnownMismatch => enabled && self.verdict() == Some(Verdict::Mismatch),
            Rule::UnknownPasses => self.a_test_must_wait(),
            Rule::ReportCheck => report && !self.can_never_be_tested(),
            Rule::NotVerified => enabled && self.is_to_be_checked() && !self.cannot_be_checked(),
            Rule::UnverifiableChanged => {
                let changed = self.known.baseline.is_some_and(|it| {
                    it.version != self.credential.version || it.mode != SyncMode::Enabled
                });
                enabled && self.cannot_be_checked() && changed
            }
            Rule::Unverifiable => enabled && self.cannot_be_checked(),
        }
    }

    /// What the engine does where this row applies, and the flags that stand then.
    pub(crate) fn effect(&self, rule: Rule) -> (Action, BTreeMap<FlagKind, FlagFact>) {
        let action = self.action(rule);
        let mut flags = self.mismatch_flag(rule, &action);
        match action {
            Action::Hold(reason) => flags.insert(FlagKind::Held, self.fact(&reason.to_string())),
            Action::Block(reason) => {
                flags.insert(FlagKind::Blocked, self.fact(&reason.to_string()))
            }
            _ => None,
        };
        (action, flags)
    }

    fn action(&self, rule: Rule) -> Action {
        let wait = |why, until| Action::Wait(Pause { why, until });
        match rule {
            Rule::NotProcessed | Rule::KnownMatch => Action::Nothing,
            Rule::NotOurs => Action::Block(self.why_not_ours()),
            Rule::IdentityChanged => Action::Block(BlockedReason::IdentityChanged),
            Rule::Duplicate => Action::Block(BlockedReason::Duplicate),
            Rule::Unreadable => Action::Block(BlockedReason::Unreadable),
            Rule::Unsettled => wait(PauseReason::Unsettled, None),
            Rule::ReportKnown => match (self.why_never_tested(), self.unknown()) {
                (Some(why), _) => wait(PauseReason::Unknown(why), None),
                (None, Some(why)) => wait(PauseReason::Unknown(why), self.due()),
                (None, None) => Action::Nothing,
            },
            Rule::UnknownPasses => self.waiting_for_a_test(),
            Rule::ReportCheck if self.budget_is_over() => {
                wait(PauseReason::Unknown(UnknownReason::Interrupted), None)
            }
            Rule::ReportCheck | Rule::NotVerified => Action::Verify(self.target()),
            Rule::Unverifiable => Action::Hold(HeldReason::Unverifiable(self.why_unverifiable())),
            Rule::KnownMismatch if self.is_fought() => Action::Hold(HeldReason::ForeignOverwrites),
            Rule::Confirmed
            | Rule::VaultChanged
            | Rule::KnownMismatch
            | Rule::UnverifiableChanged => self.write(),
        }
    }

    /// A write, unless the password, a missing role, a refusal, or a request for patience stops it.
    fn write(&self) -> Action {
        let refused = self.known.refused.as_ref();
        let refused = refused.filter(|it| it.version == self.credential.version);
        let patience = self.known.retry_at.filter(|at| *at > now());
        if let Some(refusal) = self.credential.facts.and_then(|it| it.refusal) {
            return Action::Block(BlockedReason::Policy(refusal));
        }
        let rights = &self.scene.rights;
        let listed = rights.accounts.get(&self.target().object);
        if let Some(role) = listed.or(rights.everybody.as_ref()) {
            return Action::Block(BlockedReason::RoleMissing(*role));
        }
        if let Some(refused) = refused.filter(|_| !self.is_confirmed()) {
            return Action::Block(refused.reason);
        }
        if self.ends_our_sign_in() && !self.is_confirmed() {
            return Action::Hold(HeldReason::OwnSignIn);
        }
        if patience.is_some() {
            let (why, until) = (PauseReason::Patience, patience);
            return Action::Wait(Pause { why, until });
        }
        Action::Push(self.target())
    }

    fn ends_our_sign_in(&self) -> bool {
        let own = self.scene.policy.own_account.as_ref();
        own.is_some_and(|own| {
            let same_name = own.user_name == self.credential.user_name;
            let same = own.object.map(|id| id == self.target().object);
            same.unwrap_or(same_name) && own.new_password == NewOwnPassword::EndsSignIn
        })
    }

    /// The longest wait: the service's own, a pause, or the budget's.
    fn waiting_for_a_test(&self) -> Action {
        let wait = |why, until| {
            let why = PauseReason::Unknown(why);
            Action::Wait(Pause { why, until })
        };
        let enabled = self.credential.mode == SyncMode::Enabled;
        if let Some(why) = self.unknown().filter(|_| enabled && !self.is_due()) {
            return wait(why, self.due());
        }
        let locked = self.locked_until().filter(|until| *until > now());
        let spreading = self.spreading_until().filter(|until| *until > now());
        if spreading.is_some() && spreading >= locked {
            return wait(UnknownReason::Replicating, spreading);
        }
        if locked.is_some() {
            return wait(UnknownReason::Locked, locked);
        }
        let mut ends = self.ends_of_failures();
        ends.sort_unstable();
        let most = self.scene.policy.max_failed_per_day as usize;
        wait(
            UnknownReason::BudgetSpent,
            ends.iter().rev().nth(most - 1).copied(),
        )
    }

    fn mismatch_flag(&self, rule: Rule, action: &Action) -> BTreeMap<FlagKind, FlagFact> {
        let left_out = matches!(
            rule,
            Rule::NotProcessed
                | Rule::NotOurs
                | Rule::IdentityChanged
                | Rule::Duplicate
                | Rule::Unreadable
                | Rule::KnownMatch
        );
        let enabled = self.credential.mode == SyncMode::Enabled;
        let known = self.verdict().filter(|_| {
            rule != Rule::Unsettled
                && self.why_never_tested().is_none_or(|_| enabled)
                && !(enabled && self.vault_changed())
        });
        let flag = match known {
            _ if left_out => None,
            Some(Verdict::Match) => None,
            Some(Verdict::Mismatch) if matches!(action, Action::Push(_)) => None,
            Some(Verdict::Mismatch) => Some(self.fact(Rule::KnownMismatch.why())),
            Some(Verdict::Unknown(_)) | None => self.known.raised.get(&FlagKind::AdChange).cloned(),
        };
        flag.map(|fact| (FlagKind::AdChange, fact))
            .into_iter()
            .collect()
    }

    fn fact(&self, why: &str) -> FlagFact {
        FlagFact {
            version: self.credential.version,
            stamp: self.stamp(),
            why: why.to_owned(),
        }
    }

    fn target(&self) -> Target {
        let account = self.account().expect("the row says that there is one");
        Target {
            object: account.id,
            stamp: account.stamp,
        }
    }

    fn why_not_ours(&self) -> BlockedReason {
        match self.account() {
            None => BlockedReason::NotInDirectory,
            Some(it) if it.kind == AccountKind::Guest || it.user_name.is_external() => {
                BlockedReason::Guest
            }
            Some(it) if it.access == AccountAccess::Disabled => BlockedReason::AccountDisabled,
            Some(it) if it.mastered == Mastered::OnPremises => BlockedReason::OnPremises,
            Some(_) => BlockedReason::Federated,
        }
    }

    fn why_never_tested(&self) -> Option<UnknownReason> {
        let off = self.scene.policy.verification == Verification::SwitchedOff;
        let why = if off {
            UnknownReason::SwitchedOff
        } else {
            UnknownReason::EdgeWhitespace
        };
        self.can_never_be_tested().then_some(why)
    }

    fn why_unverifiable(&self) -> UnknownReason {
        let said = self.unknown().filter(|_| !self.is_due());
        let why = self.why_never_tested().or(said);
        why.unwrap_or(UnknownReason::Interrupted)
    }

    fn is_fought(&self) -> bool {
        let most = self.scene.policy.max_overwrites_per_day as usize;
        self.known.overwrites.len() >= most
    }

    fn due(&self) -> Option<Timestamp> {
        let it = self.remembered()?;
        Some(
            it.next_try
                .unwrap_or(it.at + SignedDuration::from_hours(24)),
        )
    }

    fn account(&self) -> Option<&Account> {
        self.directory.resolve(&self.credential.user_name)
    }

    fn is_ours(&self, account: &Account) -> bool {
        account.kind == AccountKind::Member
            && !account.user_name.is_external()
            && account.access == AccountAccess::Enabled
            && account.mastered == Mastered::Cloud
            && self.directory.domain_kind(&account.user_name) == Some(DomainKind::Managed)
    }

    fn is_contested(&self, account: &Account) -> bool {
        let claims = self.scene.credentials.iter();
        let claims = claims.filter(|it| processed(&self.scene.client, it));
        let claims = claims.filter(|it| it.user_name == account.user_name);
        claims.count() > 1 && self.known.chosen_for != Some(account.id)
    }

    fn stamp(&self) -> Option<Stamp> {
        self.account().and_then(|it| it.stamp)
    }

    fn remembered(&self) -> Option<&RememberedVerdict> {
        let object = self.account()?.id;
        let version = self.credential.version;
        let verdict = self.known.verdict.as_ref();
        verdict.filter(|it| (it.object, it.version, it.stamp) == (object, version, self.stamp()))
    }

    fn verdict(&self) -> Option<Verdict> {
        self.remembered().map(|it| it.verdict.clone())
    }

    fn unknown(&self) -> Option<UnknownReason> {
        match self.verdict()? {
            Verdict::Unknown(why) => Some(why),
            Verdict::Match | Verdict::Mismatch => None,
        }
    }

    /// An Unknown is asked again at its time, or a day later where it has none.
    fn is_due(&self) -> bool {
        let day = SignedDuration::from_hours(24);
        self.remembered()
            .is_none_or(|it| it.next_try.unwrap_or(it.at + day) <= now())
    }

    fn agreed(&self) -> Option<VaultVersion> {
        let agreed = self.known.agreed?;
        (agreed.stamp.is_some() && agreed.stamp == self.stamp()).then_some(agreed.version)
    }

    /// Newer by one version: certainly another password. Newer by several: perhaps the one of
    /// before again, so that a test comes first where it can be made now.
    fn vault_changed(&self) -> bool {
        self.agreed().is_some_and(|agreed| {
            let newer = self.credential.version.0.saturating_sub(agreed.0);
            newer == 1 || newer > 1 && !(self.verdict().is_none() && self.a_test_can_be_made())
        })
    }

    fn a_test_can_be_made(&self) -> bool {
        let most = self.scene.policy.max_failed_per_day as usize;
        let full = self.ends_of_failures().len() >= most;
        !self.can_never_be_tested() && !self.is_paused() && !self.budget_is_over() && !full
    }

    fn still_agrees(&self) -> bool {
        self.agreed() == Some(self.credential.version)
    }

    fn is_confirmed(&self) -> bool {
        self.credential.confirmed.as_ref().is_some_and(|word| {
            word.version == self.credential.version && self.known.confirmation_used != Some(word.at)
        })
    }

    /// Whatever the service says.
    fn can_never_be_tested(&self) -> bool {
        let edge = self.credential.facts.map(|it| it.edge_whitespace);
        self.scene.policy.verification == Verification::SwitchedOff
            || edge == Some(EdgeWhitespace::Present)
    }

    fn report_is_known(&self) -> bool {
        let good = |at: Timestamp| at + self.scene.policy.recheck > now();
        match self.remembered().map(|it| (&it.verdict, it.at)) {
            None => false,
            Some((Verdict::Match, at)) => good(at),
            Some((Verdict::Mismatch, _)) => true,
            Some((Verdict::Unknown(_), _)) => !self.is_due(),
        }
    }

    /// Nothing is known, or only an Unknown whose time has come.
    fn is_to_be_checked(&self) -> bool {
        match self.verdict() {
            None => true,
            Some(Verdict::Unknown(_)) => self.is_due(),
            Some(Verdict::Match | Verdict::Mismatch) => false,
        }
    }

    /// No sign-in test can tell: not now, and not later either.
    fn cannot_be_checked(&self) -> bool {
        if matches!(self.verdict(), Some(Verdict::Match | Verdict::Mismatch)) {
            return false;
        }
        let refuses = self.unknown().is_some_and(|why| !why.passes()) && !self.is_due();
        self.can_never_be_tested() || refuses || self.is_to_be_checked() && self.budget_is_over()
    }

    /// The one test of this password at this stamp was made, or there is no budget at all.
    fn budget_is_over(&self) -> bool {
        let object = self.account().map(|it| it.id);
        let locked = self.unknown() == Some(UnknownReason::Locked);
        let spent = self.known.attempts.iter().any(|it| {
            let counts =
                it.state == AttemptState::Open || it.state == AttemptState::Failed && !locked;
            counts
                && Some(it.object) == object
                && it.version == self.credential.version
                && it.stamp == self.stamp()
        });
        spent || self.scene.policy.max_failed_per_day == 0
    }

    /// When the failed tests of this account leave the day in which they count.
    fn ends_of_failures(&self) -> Vec<Timestamp> {
        let object = self.account().map(|it| it.id);
        let known = self.scene.memory.credentials.values();
        let attempts = known.flat_map(|it| &it.attempts);
        attempts
            .filter(|it| Some(it.object) == object && it.state != AttemptState::Passed)
            .map(|it| it.at + SignedDuration::from_hours(24))
            .filter(|end| *end > now())
            .collect()
    }

    /// Whichever credential the account answered "locked" through, and the whole tenant.
    fn locked_until(&self) -> Option<Timestamp> {
        let object = self.account().map(|it| it.id);
        let known = self.scene.memory.credentials.values();
        let of_account = known
            .filter(|it| it.object.is_some() && it.object == object)
            .filter_map(|it| it.paused_until);
        let tenant = self.scene.memory.client.verification_paused_until;
        of_account.chain(tenant).max()
    }

    /// A write to the account, sent for whichever credential, may take effect any moment.
    fn is_under_way(&self) -> bool {
        let object = self.account().map(|it| it.id);
        let known = self.scene.memory.credentials.values();
        let mut pending = known.filter_map(|it| it.pending.as_ref());
        let grace = self.scene.policy.replication_grace;
        pending.any(|it| Some(it.object) == object && it.since + grace > now())
    }

    /// Until when our own last write, sent for whichever credential, may be unknown to some replica.
    fn spreading_until(&self) -> Option<Timestamp> {
        if self.still_agrees() {
            return None;
        }
        let object = self.account().map(|it| it.id);
        let known = self.scene.memory.credentials.values();
        let others = known.filter(|it| it.object.is_some() && it.object == object);
        let written = others.chain([&self.known]).filter_map(|it| it.written);
        let last = written.map(|it| it.at).max()?;
        Some(last + self.scene.policy.replication_grace)
    }

    fn is_paused(&self) -> bool {
        let until = self.locked_until().max(self.spreading_until());
        until.is_some_and(|until| until > now())
    }

    fn a_test_must_wait(&self) -> bool {
        let most = self.scene.policy.max_failed_per_day as usize;
        let full = self.ends_of_failures().len() >= most;
        let enabled = self.credential.mode == SyncMode::Enabled;
        if self.can_never_be_tested() || enabled && self.cannot_be_checked() {
            return false;
        }
        let passes = self.unknown().is_some_and(UnknownReason::passes) && !self.is_due();
        if enabled && passes {
            return true;
        }
        let wanted = if enabled {
            self.is_to_be_checked()
        } else {
            !self.report_is_known()
        };
        wanted && (self.is_paused() || !self.budget_is_over() && full)
    }
}

fn processed(client: &ClientSettings, credential: &VaultCredential) -> bool {
    client.mute == Mute::Unmuted
        && client.sync == MicrosoftSync::EntraId
        && credential.standing == Standing::Active
        && credential.mode != SyncMode::Off
}
