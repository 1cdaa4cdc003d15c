//! `/flags`: everything that stands, by kind.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use passportal_client::wire::{FlagKind, FlagQuery, FlaggedCredential};
use serde::Deserialize;
use uuid::Uuid;

use super::credential_page::address;
use super::layout::{Layout, Section};
use super::problem::{Problem, page};
use super::session::{Message, SignedIn};
use super::wording::{FlagView, KINDS, TimeView, flag_label, flag_word};
use crate::state::AppState;

#[derive(Template)]
#[template(path = "flags.html")]
struct FlagsPage {
    layout: Layout,
    choices: Vec<Choice>,
    all_current: &'static str,
    flags: Vec<FlagLine>,
}

/// A link that narrows the list to one kind.
struct Choice {
    word: &'static str,
    label: &'static str,
    current: &'static str,
}

struct FlagLine {
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
            address: address(flagged.client, flagged.credential),
            user_name: flagged.user_name,
            client: flagged.client,
            client_name: flagged.client_name,
            flag: FlagView::new(flagged.kind, &flagged.flag),
            raised: TimeView::new(flagged.raised),
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
    SignedIn(session): SignedIn,
    query: Result<Query<KindQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    // An unknown kind shows everything.
    let kind = query.ok().and_then(|Query(query)| query.kind);
    let flags = state.vault.flags(&FlagQuery { client: None, kind }).await?;
    let current = |is: bool| if is { "page" } else { "false" };
    let choice = |of: FlagKind| Choice {
        word: flag_word(of),
        label: flag_label(of),
        current: current(kind == Some(of)),
    };
    page(&FlagsPage {
        layout: Layout::new(&state, &session, Section::Flags, "Flags"),
        choices: KINDS.map(choice).into(),
        all_current: current(kind.is_none()),
        flags: flags.into_iter().map(FlagLine::new).collect(),
    })
}
