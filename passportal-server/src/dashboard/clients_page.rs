//! `/clients`: all clients, and a new one.

use askama::Template;
use axum::extract::State;
use axum::response::{Redirect, Response};
use passportal_client::wire::{Client, FlagKind, MicrosoftSync, Mute, NewClient, SyncMode};
use serde::Deserialize;
use uuid::Uuid;

use super::form::OwnForm;
use super::layout::{Layout, Section};
use super::problem::{Problem, back_with, page};
use super::secrets;
use super::session::Message;
use super::signed_in::SignedIn;
use super::wording::{FlagCount, sync_label};
use crate::state::AppState;
use crate::vault::Act;

#[derive(Template)]
#[template(path = "clients.html")]
struct ClientsPage {
    layout: Layout,
    clients: Vec<ClientLine>,
}

/// A client in a table.
pub(super) struct ClientLine {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) company_vault: bool,
    pub(super) sync: &'static str,
    pub(super) default_mode: &'static str,
    pub(super) muted: bool,
    pub(super) credentials: u32,
    pub(super) flags: Vec<FlagCount>,
    pub(super) waiting_writes: u64,
}

impl ClientLine {
    pub(super) fn new(client: &Client) -> Self {
        let flags = FlagKind::ALL.into_iter().filter_map(|kind| {
            let count = *client.flags.get(&kind)?;
            Some(FlagCount::new(kind, count))
        });
        Self {
            id: client.id,
            name: client.name.clone(),
            company_vault: client.company_vault,
            sync: sync_label(client.sync),
            default_mode: client.default_mode.label(),
            muted: client.mute == Mute::Muted,
            credentials: client.credentials,
            flags: flags.collect(),
            waiting_writes: client.waiting_writes,
        }
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
) -> Result<Response, Problem> {
    let clients = session.vault().clients().await?;
    page(&ClientsPage {
        layout: Layout::new(&state, &session, Section::Clients, "Clients"),
        clients: clients.iter().map(ClientLine::new).collect(),
    })
}

/// The form of a new client.
#[derive(Deserialize)]
pub(super) struct NewClientForm {
    name: String,
    /// Absent where the person may not set it.
    sync: Option<MicrosoftSync>,
    default_mode: Option<SyncMode>,
}

pub(super) async fn create(
    State(state): State<AppState>,
    form: OwnForm<NewClientForm>,
) -> Result<Redirect, Problem> {
    let OwnForm { session, fields } = form;
    let id = Uuid::new_v4();
    let new = NewClient {
        id,
        name: fields.name,
        sync: fields.sync.unwrap_or(MicrosoftSync::None),
        default_mode: fields.default_mode.unwrap_or(SyncMode::Enabled),
        key: secrets::new_key(&state, &session, id).await?,
    };
    let created = session.vault().create_client(&new).await;
    let to = match created {
        Ok(_) => format!("/clients/{id}"),
        Err(_) => "/clients".to_owned(),
    };
    back_with(&session, &to, created, "The client was created.")
}
