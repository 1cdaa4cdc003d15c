//! One credential with all that is known of it, and the rows of the decision table that hold in
//! every mode. The order of the rows is the order of [`Situation::decide`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::budget::Ledger;
use super::eligibility::{fresh_confirmation, is_processed, not_ours};
use super::{Action, Pause, PauseReason, Policy, Rule, Target};
use crate::model::{
    Account, BlockedReason, ClientMemory, ClientSettings, CredentialMemory, DirectoryView,
    FlagFact, FlagKind, ObjectId, PasswordFacts, RememberedVerdict, SyncMode, UnknownReason,
    VaultCredential,
};

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
pub(super) enum Knowledge {
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
        // Whichever credential it was sent for.
        let shared = self.ledger.is_unsettled(account.id, self.policy, self.now);
        if self.memory.pending.is_some() || shared {
            let unsettled = wait(PauseReason::Unsettled, None);
            return self.row(Rule::Unsettled, unsettled, Knowledge::Nothing);
        }
        match self.credential.mode {
            SyncMode::Enabled => self.enabled(account, facts),
            SyncMode::ReportMismatches | SyncMode::Off => self.report(account, facts),
        }
    }

    /// The account and the password, where nothing forbids to touch them.
    pub(super) fn reachable(&self) -> Result<(&Account, PasswordFacts), (Rule, BlockedReason)> {
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

    pub(super) fn unknown(
        &self,
        rule: Rule,
        why: UnknownReason,
        next: Option<Timestamp>,
        knowledge: Knowledge,
    ) -> Verdicted {
        self.row(rule, wait(PauseReason::Unknown(why), next), knowledge)
    }

    pub(super) fn remembered(&self, account: &Account) -> Option<&RememberedVerdict> {
        self.memory
            .verdict_for(account.id, self.credential.version, account.stamp)
    }

    /// Whether a person's word for this very version waits to be acted on.
    pub(super) fn is_confirmed(&self) -> bool {
        fresh_confirmation(self.credential, self.memory).is_some()
    }

    pub(super) fn row(&self, rule: Rule, action: Action, knowledge: Knowledge) -> Verdicted {
        let flags = self.flags(rule, &action, knowledge);
        Verdicted {
            rule,
            action,
            flags,
        }
    }

    pub(super) fn flags(
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

    pub(super) fn fact(&self, why: &str) -> FlagFact {
        FlagFact {
            version: self.credential.version,
            stamp: self.account.and_then(|account| account.stamp),
            why: why.to_owned(),
        }
    }
}

pub(super) fn wait(why: PauseReason, until: Option<Timestamp>) -> Action {
    Action::Wait(Pause { why, until })
}

pub(super) fn target(account: &Account) -> Target {
    Target {
        object: account.id,
        stamp: account.stamp,
    }
}
