//! `/clients/{id}/credentials/{id}`: one credential; its password only when a person asks for it.

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use passportal_client::wire::{Client, Credential, FlagKind, HistoryEntry, Standing, SyncMode};
use serde::Serialize;
use sync_engine::model::Password;
use uuid::Uuid;

use super::form::{Empty, OwnForm};
use super::layout::{Layout, Section};
use super::plan_page::WaitingPlan;
use super::problem::{Problem, page, sentence};
use super::secrets::Secret;
use super::session::{Message, Session, SignedIn};
use super::wording::{FlagView, ResultView, TimeView, standing_label};
use crate::state::AppState;
use crate::vault::VaultError;

#[derive(Template)]
#[template(path = "credential.html")]
struct CredentialPage {
    layout: Layout,
    id: Uuid,
    client: Uuid,
    client_name: String,
    address: String,
    user_name: String,
    credential_type: String,
    description: String,
    notes: String,
    version: u64,
    changed: TimeView,
    changed_by: Option<String>,
    mode: &'static str,
    own_mode_word: &'static str,
    client_mode: &'static str,
    standing: &'static str,
    disabled: bool,
    flags: Vec<FlagView>,
    can_confirm: bool,
    waiting: Option<WaitingPlan>,
    history: Vec<ResultView>,
    revealed: Option<Password>,
}

/// The address of a credential's page.
pub(super) fn address(client: Uuid, credential: Uuid) -> String {
    format!("/clients/{client}/credentials/{credential}")
}

impl CredentialPage {
    fn new(
        layout: Layout,
        client: &Client,
        credential: Credential,
        waiting: Option<WaitingPlan>,
        history: &[HistoryEntry],
        revealed: Option<Password>,
    ) -> Self {
        let waits = |kind: FlagKind| credential.flags.contains_key(&kind);
        let flags = credential.flags.iter();
        Self {
            layout,
            id: credential.id,
            client: client.id,
            client_name: client.name.clone(),
            address: address(client.id, credential.id),
            waiting,
            can_confirm: waits(FlagKind::Held) || waits(FlagKind::Blocked),
            flags: flags
                .map(|(kind, flag)| FlagView::new(*kind, flag))
                .collect(),
            user_name: credential.user_name,
            credential_type: credential.credential_type,
            description: credential.description,
            notes: credential.notes,
            version: credential.version,
            changed: TimeView::new(credential.changed),
            changed_by: credential.changed_by,
            mode: credential.mode.label(),
            own_mode_word: credential.own_mode.map_or("inherit", SyncMode::name),
            client_mode: client.default_mode.label(),
            standing: standing_label(credential.standing),
            disabled: credential.standing == Standing::Disabled,
            history: history.iter().map(ResultView::new).collect(),
            revealed,
        }
    }
}

/// A credential of this client, or nothing.
pub(super) async fn find(
    state: &AppState,
    client: Uuid,
    id: Uuid,
) -> Result<Credential, VaultError> {
    let credential = state.vault.credential(id).await?;
    if credential.client == client {
        return Ok(credential);
    }
    Err(VaultError::NotFound { what: "credential" })
}

pub(super) async fn show(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    Path((client, id)): Path<(Uuid, Uuid)>,
) -> Result<Response, Problem> {
    let credential = find(&state, client, id).await?;
    render(&state, &session, credential, None).await
}

async fn render(
    state: &AppState,
    session: &Session,
    credential: Credential,
    revealed: Option<Password>,
) -> Result<Response, Problem> {
    let client = state.vault.client(credential.client).await?;
    let history = state.vault.history(credential.id).await?;
    let plan = state
        .vault
        .waiting_plan_of(credential.id, credential.version)
        .await?;
    let waiting = plan.as_ref().map(WaitingPlan::new);
    let layout = Layout::new(state, session, Section::Clients, &credential.user_name);
    page(&CredentialPage::new(
        layout, &client, credential, waiting, &history, revealed,
    ))
}

/// A revealed password, for the script.
#[derive(Serialize)]
struct Revealed<'a> {
    password: &'a str,
}

/// Shows the password: as JSON to the script, as a page to a browser without it. Audited first.
pub(super) async fn reveal(
    State(state): State<AppState>,
    Path((client, id)): Path<(Uuid, Uuid)>,
    headers: HeaderMap,
    form: OwnForm<Empty>,
) -> Result<Response, Problem> {
    let session = form.session;
    let credential = find(&state, client, id).await?;
    let what = format!("revealed version {} of the password", credential.version);
    state
        .vault
        .note(&session.actor(), &what, &id.to_string())
        .await?;
    match open(&state, &session, &credential).await {
        Ok(clear) if wants_json(&headers) => Ok(Json(Revealed {
            password: clear.expose(),
        })
        .into_response()),
        Ok(clear) => render(&state, &session, credential, Some(clear)).await,
        Err(VaultError::Refused(words)) => {
            session.leave_message(Message::Refused(sentence(&words)));
            render(&state, &session, credential, None).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn open(
    state: &AppState,
    session: &Session,
    credential: &Credential,
) -> Result<Password, VaultError> {
    let sealed = state.vault.sealed_password(credential.id).await?;
    let secret = Secret {
        client: credential.client,
        credential: credential.id,
        version: credential.version,
        user_name: &credential.user_name,
    };
    secret.open(state, session, &sealed).await
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.starts_with("application/json"))
}
