//! Between the API's types and the engine's words. The only file that knows both.

use std::collections::BTreeMap;

use sync_engine::model::{self, CredentialId, Cursor, ObjectId, Stamp, UserPrincipalName};
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
        changed_by: None,
        facts,
        confirmed: wire.confirmed.map(Into::into),
        attempts: wire.attempts.into_iter().map(Into::into).collect(),
        raised: engine_flags(wire.flags),
    }
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
        rulings: Vec::new(),
    }
}

/// A part of a report, under the id that the vault takes it once by.
pub(crate) fn report(id: Uuid, entries: &[model::ReportEntry]) -> wire::Report {
    wire::Report {
        id,
        entries: entries.iter().cloned().map(Into::into).collect(),
    }
}

fn engine_flags(
    flags: BTreeMap<wire::FlagKind, wire::Flag>,
) -> BTreeMap<model::FlagKind, model::FlagFact> {
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
            by: None,
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
