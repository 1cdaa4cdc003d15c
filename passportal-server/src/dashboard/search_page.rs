//! `/search`: credentials of all clients, by the beginnings of words.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use passportal_client::wire::{FoundCredential, Standing};
use serde::Deserialize;
use uuid::Uuid;

use super::credential_page::address;
use super::layout::{Layout, Section};
use super::paging::Paging;
use super::problem::{Problem, page};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;

const PER_PAGE: u64 = 50;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    layout: Layout,
    text: String,
    paging: Paging,
    found: Vec<FoundLine>,
}

struct FoundLine {
    address: String,
    client: Uuid,
    client_name: String,
    user_name: String,
    credential_type: String,
    folder: String,
    description: String,
    disabled: bool,
}

impl FoundLine {
    fn new(found: FoundCredential) -> Self {
        Self {
            address: address(found.client, found.id),
            client: found.client,
            client_name: found.client_name,
            user_name: found.user_name,
            credential_type: found.credential_type,
            folder: found.folder,
            description: found.description,
            disabled: found.standing == Standing::Disabled,
        }
    }
}

/// What is looked for, and which page of it.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    page: Option<u64>,
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = query.unwrap_or_default();
    let mut paging = Paging::new(asked.page, PER_PAGE);
    let mut found = session.vault().search(&asked.q, paging.part()).await?;
    paging.cut(&mut found);
    page(&SearchPage {
        layout: Layout::new(&state, &session, Section::Search, "Search"),
        text: asked.q.trim().to_owned(),
        paging,
        found: found.into_iter().map(FoundLine::new).collect(),
    })
}
