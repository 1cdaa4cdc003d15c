//! When a password may be tested by signing in with it.

use std::time::Duration;

use jiff::Timestamp;

use super::budget::{Allowance, allowance};
use super::situation::{Knowledge, Situation, Verdicted, target};
use super::{Action, Rule, Verification};
use crate::model::{
    Account, EdgeWhitespace, PasswordFacts, RememberedVerdict, UnknownReason, Verdict,
};

/// How long an Unknown that does not pass by itself is left alone before it is asked again:
/// somebody may have changed the tenant's settings.
const ASK_AGAIN: Duration = Duration::from_hours(24);

impl Situation<'_> {
    /// A sign-in test, as soon as the lockout budget and the pauses allow it.
    pub(super) fn check(&self, rule: Rule, account: &Account, knowledge: Knowledge) -> Verdicted {
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
    pub(super) fn pause(&self, account: &Account) -> Option<(UnknownReason, Timestamp)> {
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
    pub(super) fn replicating_until(&self, account: &Account) -> Option<Timestamp> {
        let own = self.memory.written.map(|written| written.at);
        let written = own.max(self.ledger.written(account.id))?;
        let until = written.checked_add(self.policy.replication_grace).ok()?;
        (!self.still_agrees(account)).then_some(until)
    }

    pub(super) fn allowance(&self, account: &Account) -> Allowance {
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
    pub(super) fn unverifiable(&self, facts: PasswordFacts) -> Option<UnknownReason> {
        if self.policy.verification == Verification::SwitchedOff {
            return Some(UnknownReason::SwitchedOff);
        }
        (facts.edge_whitespace == EdgeWhitespace::Present).then_some(UnknownReason::EdgeWhitespace)
    }
}

/// When an Unknown is worth another try; much later where it does not pass by itself.
pub(super) fn next_try(known: &RememberedVerdict) -> Timestamp {
    known
        .next_try
        .or_else(|| known.at.checked_add(ASK_AGAIN).ok())
        .unwrap_or(Timestamp::MAX)
}

pub(super) fn unknown_reason(known: &RememberedVerdict) -> UnknownReason {
    match known.verdict {
        Verdict::Unknown(why) => why,
        Verdict::Match | Verdict::Mismatch => UnknownReason::Inconclusive,
    }
}
