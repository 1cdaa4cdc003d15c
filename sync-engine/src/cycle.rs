//! What a cycle tells about itself: one row for each credential.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::apply::Deed;
use crate::engine::Tally;
use crate::model::{
    Account, CredentialId, CredentialMemory, CycleId, FlagFact, FlagKind, HeldReason, Outcome,
    PlanId, RememberedVerdict, ReportEntry, StepKind, SyncMode, UnknownReason, UserPrincipalName,
    VaultVersion, Verdict, VerdictSource, Wrote,
};
use crate::plan::{Action, Decision, PauseReason, Rule};

/// On what footing a cycle ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Footing {
    /// It only looked.
    Preview,
    /// It held the lease.
    Leader,
    /// Another agent holds the lease: nothing was done.
    Standby {
        /// Who.
        holder: String,
        /// Until when.
        until: Timestamp,
    },
}

/// What a cycle did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleReport {
    /// Which cycle.
    pub cycle: CycleId,
    /// On what footing.
    pub footing: Footing,
    /// One row for each credential that the cycle looked at, in the order of the plan. An engine's
    /// first cycle and a preview look at all of them, later cycles at what moved.
    pub rows: Vec<Row>,
    /// How all credentials stand.
    pub tally: Tally,
    /// The plan that waits for a person.
    pub waiting: Option<PlanId>,
    /// When something waits to be looked at again.
    pub next_due: Option<Timestamp>,
}

/// One credential after a cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which credential.
    pub credential: CredentialId,
    /// The account it is for.
    pub user_name: UserPrincipalName,
    /// Its mode.
    pub mode: SyncMode,
    /// The version of its password.
    pub version: VaultVersion,
    /// What is known of the password.
    pub verdict: Option<Verdict>,
    /// The sign-in code behind the verdict.
    pub code: Option<u32>,
    /// What is still planned.
    pub action: Action,
    /// What was done in this cycle.
    pub done: Option<StepKind>,
    /// What a sign-in test said in this cycle.
    pub tested: Option<Verdict>,
    /// What came of a write in this cycle.
    #[serde(default)]
    pub wrote: Option<Wrote>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in words for a technician.
    pub why: String,
    /// The engine's flags that stand on it.
    pub flags: BTreeMap<FlagKind, FlagFact>,
    /// Those of them that this cycle raised.
    pub raised: Vec<FlagKind>,
}

impl CycleReport {
    /// Of a cycle that did not look at anything.
    pub(crate) fn idle(cycle: CycleId, footing: Footing) -> Self {
        Self {
            cycle,
            footing,
            rows: Vec::new(),
            tally: Tally::default(),
            waiting: None,
            next_due: None,
        }
    }

    /// Credentials with this kind of flag.
    pub fn flagged(&self, kind: FlagKind) -> usize {
        self.tally.flags.get(&kind).copied().unwrap_or_default()
    }

    /// Rows to which this was done.
    pub fn done(&self, kind: StepKind) -> usize {
        self.rows
            .iter()
            .filter(|row| row.done == Some(kind))
            .count()
    }

    /// Credentials with a write that is not visible in Entra ID yet.
    pub fn unsettled(&self) -> usize {
        self.tally.with(|outcome| *outcome == Outcome::Unsettled)
    }
}

impl Row {
    pub(crate) fn entry(&self, at: Timestamp) -> ReportEntry {
        ReportEntry {
            credential: self.credential,
            at,
            version: self.version,
            outcome: self.outcome.clone(),
            why: self.why.clone(),
            flags: self.flags.clone(),
        }
    }
}

/// The row of one credential, from its last decision and what is remembered of it.
pub(crate) fn row(
    decision: &Decision,
    known: Option<&CredentialMemory>,
    account: Option<&Account>,
    deed: Option<&Deed>,
) -> Row {
    let remembered =
        account.and_then(|account| known?.verdict_for(account.id, decision.version, account.stamp));
    Row {
        credential: decision.credential,
        user_name: decision.user_name.clone(),
        mode: decision.mode,
        version: decision.version,
        verdict: remembered.map(|it| it.verdict.clone()),
        code: remembered.and_then(|it| it.code),
        outcome: outcome(decision, remembered),
        why: why(decision, remembered),
        action: decision.action.clone(),
        done: deed.and_then(|deed| deed.step),
        tested: deed.and_then(|deed| deed.tested.clone()),
        wrote: deed.and_then(|deed| deed.wrote),
        raised: decision
            .flags
            .keys()
            .filter(|kind| known.is_none_or(|known| !known.raised.contains_key(kind)))
            .copied()
            .collect(),
        flags: decision.flags.clone(),
    }
}

fn outcome(decision: &Decision, remembered: Option<&RememberedVerdict>) -> Outcome {
    match &decision.action {
        Action::Hold(reason) => Outcome::Held(*reason),
        Action::Block(reason) => Outcome::Blocked(*reason),
        Action::Wait(pause) => match pause.why {
            PauseReason::Unsettled => Outcome::Unsettled,
            PauseReason::Unknown(why) => Outcome::Unknown(why),
            PauseReason::Patience => Outcome::Failed,
        },
        Action::Verify(_) | Action::Push(_) => Outcome::Failed,
        Action::Nothing if decision.rule == Rule::NotProcessed => Outcome::Ignored,
        Action::Nothing => match remembered {
            Some(it) if it.verdict == Verdict::Mismatch => Outcome::Mismatched,
            Some(it) if it.source == VerdictSource::Push => Outcome::Pushed,
            Some(_) | None => Outcome::Matched,
        },
    }
}

fn why(decision: &Decision, remembered: Option<&RememberedVerdict>) -> String {
    match &decision.action {
        Action::Hold(reason @ HeldReason::Unverifiable(why)) => {
            unknown_why(reason, *why, remembered)
        }
        Action::Hold(reason) => reason.to_string(),
        Action::Block(reason) => reason.to_string(),
        Action::Wait(pause) => match pause.why {
            PauseReason::Unknown(why) => unknown_why(&why, why, remembered),
            PauseReason::Unsettled => decision.rule.why().to_owned(),
            PauseReason::Patience => "Entra ID asked to try again later".to_owned(),
        },
        Action::Verify(_) | Action::Push(_) => decision.rule.why().to_owned(),
        Action::Nothing if decision.rule == Rule::NotProcessed => decision.rule.why().to_owned(),
        Action::Nothing => settled_why(decision, remembered),
    }
}

fn settled_why(decision: &Decision, remembered: Option<&RememberedVerdict>) -> String {
    let said = match remembered {
        None => return decision.rule.why().to_owned(),
        Some(it) => match (&it.verdict, it.source) {
            (Verdict::Unknown(_), _) => {
                return "vault and account agreed on this password, and neither changed since"
                    .to_owned();
            }
            (Verdict::Mismatch, _) => "Entra ID does not accept the vault's password",
            (_, VerdictSource::Push) => "set by us, and seen in Entra ID",
            (_, VerdictSource::SignIn) => "Entra ID accepts the vault's password",
        },
    };
    coded(&said, remembered.and_then(|it| it.code))
}

/// With the code of the answer that said nothing, where it was an answer.
fn unknown_why(
    said: &dyn fmt::Display,
    why: UnknownReason,
    remembered: Option<&RememberedVerdict>,
) -> String {
    let answer = remembered.filter(|it| it.verdict == Verdict::Unknown(why));
    coded(said, answer.and_then(|it| it.code))
}

/// With the service's own code, by which a technician can look it up.
fn coded(said: &dyn fmt::Display, code: Option<u32>) -> String {
    match code {
        Some(code) => format!("{said} (AADSTS{code})"),
        None => said.to_string(),
    }
}
