//! Between the API's types and the engine's words. The only file that knows both.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sync_engine::model::{self, CredentialId, Cursor, ObjectId, PlanId, Stamp, UserPrincipalName};
use sync_engine::plan;
use uuid::Uuid;

use crate::wire;

/// Two enums whose variants have the same names.
macro_rules! same_variants {
    ($($from:ty => $to:ty: $($variant:ident),+;)+) => {$(
        impl From<$from> for $to {
            fn from(from: $from) -> Self {
                match from {
                    $(<$from>::$variant => Self::$variant,)+
                }
            }
        }
    )+};
}

same_variants! {
    wire::SyncMode => model::SyncMode: Off, ReportMismatches, Enabled;
    wire::MicrosoftSync => model::MicrosoftSync: None, EntraId;
    wire::Mute => model::Mute: Muted, Unmuted;
    wire::Standing => model::Standing: Active, Disabled;
    wire::Extent => model::Extent: Full, Changes;
    wire::AttemptState => model::AttemptState: Open, Failed, Passed;
    wire::Ruling => plan::Ruling: Approve, Reject;
    model::SyncMode => wire::SyncMode: Off, ReportMismatches, Enabled;
    model::AttemptState => wire::AttemptState: Open, Failed, Passed;
    model::FlagKind => wire::FlagKind: AdChange, Held, Blocked;
}

/// The vault raises flags of its own, which the engine does not know.
pub(crate) fn engine_flag(kind: wire::FlagKind) -> Option<model::FlagKind> {
    match kind {
        wire::FlagKind::AdChange => Some(model::FlagKind::AdChange),
        wire::FlagKind::Held => Some(model::FlagKind::Held),
        wire::FlagKind::Blocked => Some(model::FlagKind::Blocked),
        wire::FlagKind::PasswordExpired | wire::FlagKind::PasswordTouched => None,
    }
}

/// A credential, with the facts of its password; `None` where its envelope does not open.
pub(crate) fn credential(
    wire: wire::ChangedCredential,
    facts: Option<model::PasswordFacts>,
) -> model::VaultCredential {
    model::VaultCredential {
        id: CredentialId(wire.id),
        user_name: UserPrincipalName::new(wire.user_name),
        version: model::VaultVersion(wire.version),
        mode: wire.mode.into(),
        standing: wire.standing.into(),
        changed_by: wire.changed_by,
        changed_at: wire.changed,
        facts,
        confirmed: wire.confirmed.map(Into::into),
        attempts: attempts(wire.attempts),
        raised: engine_flags(wire.flags),
        cleared: engine_flags(wire.cleared),
    }
}

/// Without room to spare: they stay as long as the view does, and most credentials have one.
fn attempts(wire: Vec<wire::Attempt>) -> Vec<model::SignInAttempt> {
    let mut attempts: Vec<_> = wire.into_iter().map(Into::into).collect();
    attempts.shrink_to_fit();
    attempts
}

/// The whole of a reading.
pub(crate) fn changes(
    last_page: wire::Changes,
    extent: model::Extent,
    credentials: Vec<model::VaultCredential>,
) -> model::VaultChanges {
    model::VaultChanges {
        epoch: model::VaultEpoch(last_page.epoch),
        cursor: Cursor(last_page.cursor),
        extent,
        client: last_page.client.into(),
        credentials,
        rulings: last_page.rulings.into_iter().map(Into::into).collect(),
    }
}

/// A part of a report, under the id that the vault takes it once by.
pub(crate) fn report(id: Uuid, entries: &[model::ReportEntry], instance: Uuid) -> wire::Report {
    wire::Report {
        id,
        entries: entries.iter().cloned().map(Into::into).collect(),
        instance: Some(instance),
    }
}

/// Held plans, for people: what waits comes first, then the latest. Where they have more writes
/// than the vault shows, the last ones are counted and not listed.
pub(crate) fn shown(plans: &[plan::HeldPlan], instance: Uuid) -> wire::ShownPlans {
    let mut plans: Vec<_> = plans.iter().collect();
    plans.sort_by_key(|plan| (!plan.is_waiting(), Reverse(plan.at)));
    plans.truncate(wire::ShownPlans::PLANS_MOST);
    let mut room = wire::ShownPlans::WRITES_MOST;
    let plans = plans.into_iter().map(|plan| {
        let shown = held_plan(plan, room);
        room -= shown.writes.len();
        shown
    });
    wire::ShownPlans {
        plans: plans.collect(),
        instance: Some(instance),
    }
}

fn held_plan(plan: &plan::HeldPlan, room: usize) -> wire::HeldPlan {
    let writes = || plan.writes.iter().filter_map(held_write);
    wire::HeldPlan {
        id: plan.id.0,
        at: plan.at,
        allowed: plan.allowed as u64,
        total: writes().count() as u64,
        writes: writes().take(room).collect(),
        standing: plan.standing.clone().into(),
    }
}

/// A held plan has nothing but writes.
fn held_write(decision: &plan::Decision) -> Option<wire::HeldWrite> {
    let plan::Action::Push(target) = decision.action else {
        return None;
    };
    Some(wire::HeldWrite {
        credential: decision.credential.0,
        user_name: decision.user_name.as_str().to_owned(),
        version: decision.version.0,
        mode: decision.mode.into(),
        why: decision.rule.why().to_owned(),
        object: target.object.0,
        stamp: target.stamp.map(|stamp| stamp.0),
    })
}

fn engine_flags<W, M: From<W>>(flags: BTreeMap<wire::FlagKind, W>) -> BTreeMap<model::FlagKind, M> {
    flags
        .into_iter()
        .filter_map(|(kind, flag)| Some((engine_flag(kind)?, flag.into())))
        .collect()
}

impl From<wire::ClientSettings> for model::ClientSettings {
    fn from(wire: wire::ClientSettings) -> Self {
        Self {
            id: model::ClientId(wire.id),
            name: wire.name,
            sync: wire.sync.into(),
            mute: wire.mute.into(),
        }
    }
}

impl From<wire::Confirmation> for model::Confirmation {
    fn from(wire: wire::Confirmation) -> Self {
        Self {
            version: model::VaultVersion(wire.version),
            at: wire.at,
            by: wire.by,
        }
    }
}

impl From<wire::PlanRuling> for plan::PlanRuling {
    fn from(wire: wire::PlanRuling) -> Self {
        Self {
            plan: PlanId(wire.plan),
            ruling: wire.ruling.into(),
            word: plan::Word {
                by: wire.by,
                at: wire.at,
            },
        }
    }
}

impl From<plan::PlanStanding> for wire::PlanStanding {
    fn from(standing: plan::PlanStanding) -> Self {
        let word = |word: plan::Word| wire::Word {
            by: word.by,
            at: word.at,
        };
        match standing {
            plan::PlanStanding::Waiting => Self::Waiting,
            plan::PlanStanding::Approved(said) => Self::Approved(word(said)),
            plan::PlanStanding::Rejected(said) => Self::Rejected(word(said)),
        }
    }
}

impl From<wire::ClearedFlag> for model::ClearedFlag {
    fn from(wire: wire::ClearedFlag) -> Self {
        Self {
            version: model::VaultVersion(wire.version),
            stamp: wire.stamp.map(model::Stamp),
        }
    }
}

impl From<wire::Flag> for model::FlagFact {
    fn from(wire: wire::Flag) -> Self {
        Self {
            version: model::VaultVersion(wire.version),
            stamp: wire.stamp.map(Stamp),
            why: wire.why,
        }
    }
}

impl From<model::FlagFact> for wire::Flag {
    fn from(fact: model::FlagFact) -> Self {
        Self {
            version: fact.version.0,
            stamp: fact.stamp.map(|stamp| stamp.0),
            why: fact.why,
        }
    }
}

impl From<wire::Attempt> for model::SignInAttempt {
    fn from(wire: wire::Attempt) -> Self {
        Self {
            id: model::AttemptId(wire.id),
            object: ObjectId(wire.object),
            version: model::VaultVersion(wire.version),
            stamp: wire.stamp.map(Stamp),
            at: wire.at,
            state: wire.state.into(),
        }
    }
}

impl From<model::AttemptNotice> for wire::AttemptNotice {
    fn from(notice: model::AttemptNotice) -> Self {
        let attempt = notice.attempt;
        Self {
            credential: notice.credential.0,
            attempt: wire::Attempt {
                id: attempt.id.0,
                object: attempt.object.0,
                version: attempt.version.0,
                stamp: attempt.stamp.map(|stamp| stamp.0),
                at: attempt.at,
                state: attempt.state.into(),
            },
        }
    }
}

impl From<model::ReportEntry> for wire::ReportEntry {
    fn from(entry: model::ReportEntry) -> Self {
        Self {
            credential: entry.credential.0,
            at: entry.at,
            version: entry.version.0,
            outcome: entry.outcome.into(),
            why: entry.why,
            flags: entry
                .flags
                .into_iter()
                .map(|(kind, fact)| (kind.into(), fact.into()))
                .collect(),
        }
    }
}

/// The reasons travel as words, in `why`: the vault only counts kinds.
impl From<model::Outcome> for wire::Outcome {
    fn from(outcome: model::Outcome) -> Self {
        match outcome {
            model::Outcome::Ignored => Self::Ignored,
            model::Outcome::Matched => Self::Matched,
            model::Outcome::Mismatched => Self::Mismatched,
            model::Outcome::Pushed => Self::Pushed,
            model::Outcome::Unsettled => Self::Unsettled,
            model::Outcome::Unknown(_) => Self::Unknown,
            model::Outcome::Held(_) => Self::Held,
            model::Outcome::Blocked(_) => Self::Blocked,
            model::Outcome::Failed => Self::Failed,
        }
    }
}
