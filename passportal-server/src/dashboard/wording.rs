//! How the pages name things.

use jiff::Timestamp;
use passportal_client::wire::{Flag, FlagKind, HistoryEntry, MicrosoftSync, Outcome, Standing};

/// A flag to be shown.
pub(super) struct FlagView {
    /// The API's word, for classes and addresses.
    pub(super) word: &'static str,
    pub(super) label: &'static str,
    pub(super) why: String,
}

impl FlagView {
    pub(super) fn new(kind: FlagKind, flag: &Flag) -> Self {
        Self {
            word: kind.name(),
            label: kind.label(),
            why: flag.why.clone(),
        }
    }
}

/// A number of flags of one kind.
pub(super) struct FlagCount {
    pub(super) word: &'static str,
    pub(super) label: &'static str,
    pub(super) count: u32,
}

impl FlagCount {
    pub(super) fn new(kind: FlagKind, count: u32) -> Self {
        Self {
            word: kind.name(),
            label: kind.label(),
            count,
        }
    }
}

/// A number of password changes, in words.
#[derive(Clone, Copy)]
pub(super) struct Changes(pub(super) u64);

impl Changes {
    pub(super) fn held(self) -> String {
        self.with("held password change", "held password changes")
    }

    pub(super) fn wait(self) -> String {
        self.with("password change waits", "password changes wait")
    }

    pub(super) fn these(self) -> String {
        match self.0 {
            1 => "this 1 write".to_owned(),
            count => format!("these {count} writes"),
        }
    }

    fn with(self, one: &str, many: &str) -> String {
        let what = if self.0 == 1 { one } else { many };
        format!("{} {what}", self.0)
    }
}

/// A line of the history to be shown.
pub(super) struct ResultView {
    pub(super) at: TimeView,
    pub(super) version: u64,
    pub(super) outcome: &'static str,
    /// The API's word, for classes.
    pub(super) word: &'static str,
    pub(super) why: String,
    pub(super) agent: String,
    pub(super) approved_by: Option<String>,
}

impl ResultView {
    pub(super) fn new(entry: &HistoryEntry) -> Self {
        let (word, outcome) = outcome(entry.outcome);
        Self {
            at: TimeView::new(entry.at),
            version: entry.version,
            outcome,
            word,
            why: entry.why.clone(),
            agent: entry.agent.clone(),
            approved_by: entry.approved_by.clone(),
        }
    }
}

/// A time for people and for machines.
pub(super) struct TimeView {
    pub(super) machine: String,
    pub(super) people: String,
}

impl TimeView {
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            machine: format!("{at:.0}"),
            people: at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}

fn outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Ignored => ("ignored", "Not processed"),
        Outcome::Matched => ("matched", "Match"),
        Outcome::Mismatched => ("mismatched", "Mismatch"),
        Outcome::Pushed => ("pushed", "Pushed"),
        Outcome::Unsettled => ("unsettled", "Sent, not seen yet"),
        Outcome::Unknown => ("unknown", "Unknown"),
        Outcome::Held => ("held", "Held"),
        Outcome::Blocked => ("blocked", "Blocked"),
        Outcome::Failed => ("failed", "Failed, tried again later"),
    }
}

pub(super) fn sync_label(sync: MicrosoftSync) -> &'static str {
    match sync {
        MicrosoftSync::None => "None",
        MicrosoftSync::EntraId => "Entra ID",
    }
}

pub(super) fn standing_label(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "In use",
        Standing::Disabled => "Disabled",
    }
}
