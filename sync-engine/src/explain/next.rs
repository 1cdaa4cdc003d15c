//! What the engine does next about one credential, when, and what a person can do.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::words::Moments;
use super::{Case, Known, remedy};
use crate::model::{BlockedReason, FlagKind, HeldReason, PlanId, SyncMode, UnknownReason, Verdict};
use crate::plan::budget::DAY;
use crate::plan::{Action, Pause, PauseReason, PlanStanding, Rule};

/// What the engine does next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// What.
    pub what: String,
    /// When: as soon as one of these is so.
    pub when: Vec<When>,
    /// What a person can do about it; `None` where nothing is wrong.
    pub remedy: Option<String>,
    /// The commands that say a person's word.
    pub commands: Vec<String>,
}

/// When the engine does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At the next cycle.
    NextCycle,
    /// At the first cycle from then on.
    NotBefore(Timestamp),
    /// When a person approves the plan.
    Approved(PlanId),
    /// When a person confirms this credential.
    Confirmed,
    /// When something changes.
    Changed(Change),
}

/// What may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The password, in the vault.
    VaultPassword,
    /// The password, in Entra ID.
    AccountPassword,
    /// The account: created, renamed, enabled, made a member, moved to the cloud.
    Account,
    /// The client's or the credential's settings in the vault.
    VaultSettings,
    /// The other credential for the same account is disabled or switched Off.
    Rival,
    /// The sign-in test is switched on.
    Verification,
    /// The agent's directory roles.
    AgentRole,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VaultPassword => "the password changes in the vault",
            Self::AccountPassword => "the password changes in Entra ID",
            Self::Account => "the account changes in Entra ID",
            Self::VaultSettings => "the client's or the credential's settings change in the vault",
            Self::Rival => "the other credential is disabled or switched Off",
            Self::Verification => "the sign-in test is switched on",
            Self::AgentRole => "the agent has the role",
        })
    }
}

/// In words, as seen at this time. A time alone is a lower bound; beside others it is what happens
/// where nobody does anything.
pub(super) fn when_words(when: &[When], moments: Moments) -> String {
    if let [When::NotBefore(time)] = when {
        return format!("not before {}", moments.at(*time));
    }
    let words = when.iter().map(|it| match it {
        When::NextCycle => "at the next cycle".to_owned(),
        When::NotBefore(time) => format!("by itself from {} on", moments.at(*time)),
        When::Approved(plan) => format!("when a person approves plan {plan}"),
        When::Confirmed => "when a person confirms this credential".to_owned(),
        When::Changed(change) => format!("when {change}"),
    });
    words.collect::<Vec<_>>().join(", or ")
}

const TEST: &str = "tests the password by signing in with it once";
const SET: &str = "sets the vault's password in Entra ID";
const LOOK_AGAIN: &str = "looks at it again";

impl Next {
    fn new(what: impl Into<String>, when: impl IntoIterator<Item = When>) -> Self {
        Self {
            what: what.into(),
            when: when.into_iter().collect(),
            remedy: None,
            commands: Vec::new(),
        }
    }

    fn advised(self, remedy: Option<&str>) -> Self {
        Self {
            remedy: remedy.map(str::to_owned),
            ..self
        }
    }
}

impl Case<'_> {
    pub(super) fn next(&self, known: &Known) -> Next {
        let next = match self.decision.action {
            Action::Nothing => self.after_nothing(known),
            Action::Wait(pause) => self.after_waiting(pause),
            Action::Verify(_) => Next::new(TEST, [When::NextCycle]),
            Action::Push(_) => Next::new(SET, [When::NextCycle]),
            Action::Hold(reason) => self.after_holding(reason, known),
            Action::Block(reason) => after_blocking(reason),
        };
        Next {
            commands: self.commands(&next.when),
            ..next
        }
    }

    fn after_nothing(&self, known: &Known) -> Next {
        let remedy = self.decision.rule.remedy();
        if self.decision.rule == Rule::NotProcessed {
            return Next::new(LOOK_AGAIN, changed([Change::VaultSettings])).advised(remedy);
        }
        let mut when = changed([Change::VaultPassword, Change::AccountPassword]);
        when.extend(self.recheck(known).map(When::NotBefore));
        let differs = known.flags.contains_key(&FlagKind::AdChange);
        Next::new(LOOK_AGAIN, when).advised(remedy.filter(|_| differs))
    }

    /// When a Match is due to be checked again: in Report mismatches only. A Mismatch never is at
    /// the same stamp.
    fn recheck(&self, known: &Known) -> Option<Timestamp> {
        let verdict = &known.verdict.as_ref()?.verdict;
        let due = verdict.at.checked_add(self.policy.recheck).ok();
        due.filter(|_| {
            self.decision.mode == SyncMode::ReportMismatches && verdict.verdict == Verdict::Match
        })
    }

    fn after_waiting(&self, pause: Pause) -> Next {
        let once = |until: Option<Timestamp>| until.map_or(When::NextCycle, When::NotBefore);
        match (pause.why, pause.until) {
            (PauseReason::Unsettled, _) => self.after_an_unsettled_write(),
            (PauseReason::Patience, until) => Next::new(SET, [once(until)]),
            (PauseReason::Unknown(why), None) => {
                Next::new(TEST, changed(never_tested(why))).advised(remedy::of_unknown(why))
            }
            (PauseReason::Unknown(why), until) => {
                Next::new(TEST, [once(until)]).advised(remedy::of_unknown(why))
            }
        }
    }

    fn after_an_unsettled_write(&self) -> Next {
        let grace = self.policy.replication_grace;
        let pending = self.own.pending.as_ref();
        let end = pending.and_then(|it| it.since.checked_add(grace).ok());
        let from = end.map_or_else(String::new, |end| {
            let end = self.moments().at(end);
            format!("; if it does not show by {end}, a sign-in test or a person decides")
        });
        let what = format!("looks for the account's new stamp{from}");
        Next::new(what, [When::NextCycle])
    }

    fn after_holding(&self, reason: HeldReason, known: &Known) -> Next {
        let remedy = Some(remedy::of_hold(reason));
        match reason {
            HeldReason::Unsafe => Next::new(LOOK_AGAIN, [When::NextCycle]),
            HeldReason::OlderVersion => Next::new(SET, changed([Change::VaultPassword])),
            HeldReason::OwnSignIn => Next::new(SET, [When::Confirmed]),
            HeldReason::Rejected => Next::new(SET, confirmed_or([Change::VaultPassword])),
            HeldReason::MassChange => {
                let waiting = known.plan.as_ref();
                let waiting = waiting.filter(|it| it.standing == PlanStanding::Waiting);
                let approved = waiting.map(|it| When::Approved(it.plan));
                Next::new(SET, approved.into_iter().chain([When::Confirmed]))
            }
            HeldReason::ForeignOverwrites => {
                let by_itself = self.overwrites_end(known).map(When::NotBefore);
                Next::new(SET, [When::Confirmed].into_iter().chain(by_itself))
            }
            HeldReason::Unverifiable(why) => {
                let mut when = confirmed_or([Change::VaultPassword]);
                when.extend(self.asked_again(why, known).map(When::NotBefore));
                Next::new(SET, when)
            }
        }
        .advised(remedy)
    }

    /// When few enough overwrites are left in the day for the rule to let another one pass.
    fn overwrites_end(&self, known: &Known) -> Option<Timestamp> {
        let most = self.policy.max_overwrites_per_day as usize;
        let over = known.overwrites.len().checked_sub(most)?;
        known.overwrites.get(over)?.checked_add(DAY).ok()
    }

    /// When the test is tried once more, where the service said that it cannot be made.
    fn asked_again(&self, why: UnknownReason, known: &Known) -> Option<Timestamp> {
        let said_by_the_service = matches!(
            why,
            UnknownReason::NotPermitted | UnknownReason::NotManaged | UnknownReason::Inconclusive
        );
        let verdict = &known.verdict.as_ref()?.verdict;
        let again = verdict.next_try.or(verdict.at.checked_add(DAY).ok());
        again.filter(|again| said_by_the_service && *again > self.now)
    }

    /// What a person types to say the word that is waited for. The id names the credential also
    /// where several have one user name.
    fn commands(&self, when: &[When]) -> Vec<String> {
        let mut commands = Vec::new();
        for it in when {
            match it {
                When::Approved(plan) => {
                    let words = ["plans", "approve", "reject"];
                    commands.extend(words.map(|word| format!("passportal {word} {plan}")));
                }
                When::Confirmed => {
                    let credential = self.decision.credential;
                    commands.push(format!("passportal credentials confirm {credential}"));
                }
                When::NextCycle | When::NotBefore(_) | When::Changed(_) => {}
            }
        }
        commands
    }
}

fn after_blocking(reason: BlockedReason) -> Next {
    let when = match reason {
        BlockedReason::NotInDirectory
        | BlockedReason::Guest
        | BlockedReason::AccountDisabled
        | BlockedReason::OnPremises
        | BlockedReason::Federated => changed([Change::Account, Change::VaultSettings]),
        BlockedReason::IdentityChanged => vec![When::Confirmed],
        BlockedReason::Duplicate => confirmed_or([Change::Rival]),
        BlockedReason::Unreadable | BlockedReason::Policy(_) => changed([Change::VaultPassword]),
        BlockedReason::RoleMissing(_) => changed([Change::AgentRole, Change::VaultSettings]),
        BlockedReason::Rejected | BlockedReason::NotAllowed => {
            confirmed_or([Change::VaultPassword])
        }
    };
    Next::new(LOOK_AGAIN, when).advised(Some(remedy::of_block(reason)))
}

fn changed(changes: impl IntoIterator<Item = Change>) -> Vec<When> {
    changes.into_iter().map(When::Changed).collect()
}

fn confirmed_or(changes: impl IntoIterator<Item = Change>) -> Vec<When> {
    let changes = changes.into_iter().map(When::Changed);
    [When::Confirmed].into_iter().chain(changes).collect()
}

/// What may make a test possible where waiting does not.
fn never_tested(why: UnknownReason) -> [Change; 2] {
    match why {
        UnknownReason::SwitchedOff => [Change::Verification, Change::VaultSettings],
        UnknownReason::EdgeWhitespace => [Change::VaultPassword, Change::VaultSettings],
        _ => [Change::VaultPassword, Change::AccountPassword],
    }
}
