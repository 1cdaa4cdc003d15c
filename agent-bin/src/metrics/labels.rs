//! The labels of the agent's figures: ids of clients and fixed words.

use prometheus_client::encoding::EncodeLabelSet;
use sync_engine::model::{ClientId, FlagKind, Outcome, Verdict, WriteAnswer};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfClient {
    client: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WithResult {
    client: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WithVerdict {
    client: String,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WithKind {
    client: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WithOutcome {
    client: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfVersion {
    pub(super) version: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Result {
    pub(super) result: &'static str,
}

pub(super) const RESULTS: [&str; 2] = [SUCCEEDED, FAILED];
pub(super) const SUCCEEDED: &str = "succeeded";
pub(super) const FAILED: &str = "failed";
pub(super) const VERDICTS: [&str; 3] = ["match", "mismatch", "unknown"];
pub(super) const STANDINGS: [&str; 9] = [
    "ignored",
    "matched",
    "mismatched",
    "pushed",
    "unsettled",
    "unknown",
    "held",
    "blocked",
    "failed",
];
pub(super) const FLAGS: [FlagKind; 3] = [FlagKind::AdChange, FlagKind::Held, FlagKind::Blocked];

pub(crate) fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Match => "match",
        Verdict::Mismatch => "mismatch",
        Verdict::Unknown(_) => "unknown",
    }
}

pub(crate) fn standing_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Ignored => "ignored",
        Outcome::Matched => "matched",
        Outcome::Mismatched => "mismatched",
        Outcome::Pushed => "pushed",
        Outcome::Unsettled => "unsettled",
        Outcome::Unknown(_) => "unknown",
        Outcome::Held(_) => "held",
        Outcome::Blocked(_) => "blocked",
        Outcome::Failed => "failed",
    }
}

fn flag_word(kind: FlagKind) -> &'static str {
    match kind {
        FlagKind::AdChange => "ad_change",
        FlagKind::Held => "held",
        FlagKind::Blocked => "blocked",
    }
}

impl OfClient {
    pub(super) fn new(client: ClientId) -> Self {
        let client = client.to_string();
        Self { client }
    }
}

impl WithResult {
    pub(super) fn new(client: ClientId, result: &'static str) -> Self {
        let client = client.to_string();
        Self { client, result }
    }
}

impl WithVerdict {
    pub(super) fn new(client: ClientId, verdict: &'static str) -> Self {
        let client = client.to_string();
        Self { client, verdict }
    }
}

impl WithKind {
    pub(super) fn of_flag(client: ClientId, kind: FlagKind) -> Self {
        let client = client.to_string();
        let kind = flag_word(kind);
        Self { client, kind }
    }
}

impl WithOutcome {
    pub(super) fn of_write(client: ClientId, answer: WriteAnswer) -> Self {
        let client = client.to_string();
        let outcome = answer.word();
        Self { client, outcome }
    }

    pub(super) fn of_standing(client: ClientId, outcome: &'static str) -> Self {
        let client = client.to_string();
        Self { client, outcome }
    }
}
