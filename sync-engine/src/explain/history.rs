//! The journal of one credential as a story: each step once, with its reason and what came of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{CredentialId, CycleId, JournalEntry, Phase, StepKind, VaultVersion};

/// One step that touched the directory, or was about to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it was written down, before it was sent; else when it ended.
    pub at: Timestamp,
    /// The cycle that it belongs to.
    pub cycle: CycleId,
    /// The step.
    pub step: StepKind,
    /// The version of the password.
    pub version: VaultVersion,
    /// Why it was made; `None` where that entry is older than the entries at hand.
    pub why: Option<String>,
    /// The person behind it; `None` where the engine's rules alone asked for it.
    pub by: Option<String>,
    /// What came of it; `None` where the journal does not say: the agent was interrupted.
    pub outcome: Option<String>,
}

/// The steps of one credential, newest first like `journal`.
pub(super) fn history(credential: CredentialId, journal: &[JournalEntry]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for entry in journal.iter().filter(|it| it.credential == credential) {
        match entry.phase {
            Phase::Outcome => events.push(ended(entry)),
            Phase::Intent => match events.iter_mut().find(|it| is_of(it, entry)) {
                Some(event) => begun(event, entry),
                None => events.push(unfinished(entry)),
            },
        }
    }
    events.sort_by_key(|it| std::cmp::Reverse(it.at));
    events
}

fn ended(entry: &JournalEntry) -> Event {
    Event {
        outcome: Some(entry.why.clone()),
        why: None,
        ..unfinished(entry)
    }
}

fn unfinished(entry: &JournalEntry) -> Event {
    Event {
        at: entry.at,
        cycle: entry.cycle,
        step: entry.step,
        version: entry.version,
        why: Some(entry.why.clone()),
        by: entry.by.clone(),
        outcome: None,
    }
}

/// Whether an outcome belongs to this intent: no step is begun twice in a cycle.
fn is_of(event: &Event, intent: &JournalEntry) -> bool {
    event.why.is_none()
        && event.cycle == intent.cycle
        && event.step == intent.step
        && event.version == intent.version
}

fn begun(event: &mut Event, intent: &JournalEntry) {
    event.at = intent.at;
    event.why = Some(intent.why.clone());
    event.by = intent.by.clone().or(event.by.take());
}
