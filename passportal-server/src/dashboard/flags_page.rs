//! `/flags`: everything that stands, by kind.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use passportal_client::wire::{FlagKind, FlagQuery, FlaggedCredential, SnoozedFlag};
use serde::Deserialize;
use uuid::Uuid;

use super::credential_page::address;
use super::flag_actions::field;
use super::layout::{Layout, Section};
use super::problem::{Problem, page};
use super::session::Message;
use super::signed_in::SignedIn;
use super::wording::{FlagView, TimeView};
use crate::state::AppState;

#[derive(Template)]
#[template(path = "flags.html")]
struct FlagsPage {
    layout: Layout,
    choices: Vec<Choice>,
    all_current: &'static str,
    kind_word: &'static str,
    flags: Vec<FlagLine>,
    snoozes: Vec<SnoozeLine>,
}

/// A link that narrows the list to one kind.
struct Choice {
    word: &'static str,
    label: &'static str,
    current: &'static str,
}

impl Choice {
    fn new(of: FlagKind, shown: Option<FlagKind>) -> Self {
        Self {
            word: of.name(),
            label: of.label(),
            current: current(shown == Some(of)),
        }
    }
}

struct FlagLine {
    /// The name of its check box.
    field: String,
    address: String,
    user_name: String,
    client: Uuid,
    client_name: String,
    flag: FlagView,
    raised: TimeView,
}

impl FlagLine {
    fn new(flagged: FlaggedCredential) -> Self {
        Self {
            field: field(flagged.credential, flagged.kind),
            address: address(flagged.client, flagged.credential),
            user_name: flagged.user_name,
            client: flagged.client,
            client_name: flagged.client_name,
            flag: FlagView::new(flagged.kind, &flagged.flag),
            raised: TimeView::new(flagged.raised),
        }
    }
}

struct SnoozeLine {
    field: String,
    address: String,
    user_name: String,
    client: Uuid,
    client_name: String,
    label: &'static str,
    reason: String,
    until: TimeView,
    by: String,
}

impl SnoozeLine {
    fn new(snoozed: SnoozedFlag) -> Self {
        Self {
            field: field(snoozed.credential, snoozed.kind),
            address: address(snoozed.client, snoozed.credential),
            user_name: snoozed.user_name,
            client: snoozed.client,
            client_name: snoozed.client_name,
            label: snoozed.kind.label(),
            reason: snoozed.reason,
            until: TimeView::new(snoozed.until),
            by: snoozed.by,
        }
    }
}

/// Which kind to show.
#[derive(Deserialize)]
pub(super) struct KindQuery {
    kind: Option<FlagKind>,
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    query: Result<Query<KindQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    // An unknown kind shows everything.
    let kind = query.ok().and_then(|Query(query)| query.kind);
    let standing = session.vault().flags(&FlagQuery::default()).await?;
    let snoozes = session.vault().snoozes().await?;
    let choices = offered(&standing).map(|of| Choice::new(of, kind));
    page(&FlagsPage {
        layout: Layout::new(&state, &session, Section::Flags, "Flags"),
        choices: choices.collect(),
        all_current: current(kind.is_none()),
        kind_word: kind.map_or("", FlagKind::name),
        snoozes: snoozes
            .into_iter()
            .filter(|snoozed| kind.is_none_or(|kind| snoozed.kind == kind))
            .map(SnoozeLine::new)
            .collect(),
        flags: standing
            .into_iter()
            .filter(|flagged| kind.is_none_or(|kind| flagged.kind == kind))
            .map(FlagLine::new)
            .collect(),
    })
}

/// The kinds of agents, and those of the vault's own kinds that stand somewhere.
fn offered(standing: &[FlaggedCredential]) -> impl Iterator<Item = FlagKind> {
    FlagKind::ALL.into_iter().filter(|kind| {
        FlagKind::BY_AGENTS.contains(kind) || standing.iter().any(|flagged| flagged.kind == *kind)
    })
}

/// The value of `aria-current` for a link.
fn current(is: bool) -> &'static str {
    if is { "page" } else { "false" }
}
