//! `/import`: credentials from a CSV file, previewed before anything is stored.

use askama::Template;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use passportal_client::credential_table::{self, Decision, ImportRow, RefusedRow, Table};
use passportal_client::wire::{Client, Credential};
use serde::Deserialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::form::OwnForm;
use super::import_seal::{Existing, sealed};
use super::layout::{Layout, Section};
use super::problem::{Problem, back_with, page, sentence};
use super::session::{Message, Session, SignedIn};
use crate::state::AppState;
use crate::vault::VaultError;

/// The longest file.
pub(super) const FILE_LIMIT: usize = 8 * 1024 * 1024;

/// Lines of each kind that the preview lists.
const LISTED: usize = 200;

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    layout: Layout,
    client: Uuid,
    client_name: String,
    preview: Option<Preview>,
}

/// What an import would do.
struct Preview {
    id: Uuid,
    new: Lines<RowLine>,
    existing: Lines<RowLine>,
    refused: Lines<RefusedRow>,
    unknown_columns: String,
    without_day: usize,
}

/// The first of many lines.
struct Lines<T> {
    count: usize,
    listed: Vec<T>,
}

impl<T> Lines<T> {
    fn new(lines: impl ExactSizeIterator<Item = T>) -> Self {
        Self {
            count: lines.len(),
            listed: lines.take(LISTED).collect(),
        }
    }

    fn further(&self) -> usize {
        self.count - self.listed.len()
    }
}

struct RowLine {
    line: u64,
    client_name: String,
    user_name: String,
    credential_type: String,
    folder: String,
}

impl RowLine {
    fn new(row: &ImportRow, otherwise: &str) -> Self {
        Self {
            line: row.line,
            client_name: row.client_name.as_deref().unwrap_or(otherwise).to_owned(),
            user_name: row.user_name.clone(),
            credential_type: row.credential_type.clone(),
            folder: row.folder.clone(),
        }
    }
}

impl Preview {
    fn new(id: Uuid, table: &Table, decision: Decision<'_>, otherwise: &str) -> Self {
        let new = decision.new.iter();
        let existing = decision.existing.iter();
        Self {
            id,
            new: Lines::new(new.map(|(row, _)| RowLine::new(row, otherwise))),
            existing: Lines::new(existing.map(|(row, _)| RowLine::new(row, otherwise))),
            refused: Lines::new(decision.refused.into_iter()),
            unknown_columns: table.unknown_columns.join(", "),
            without_day: table.without_day,
        }
    }
}

/// Where a table's rows without a client's name go, and all that they are compared with.
struct Surroundings {
    clients: Vec<Client>,
    there: Vec<Credential>,
}

impl Surroundings {
    async fn read(state: &AppState, table: &Table, client: Uuid) -> Result<Self, VaultError> {
        let clients = state.vault.clients().await?;
        let mut there = Vec::new();
        for id in credential_table::clients_of(table, &clients, client) {
            there.extend(state.vault.credentials(id).await?);
        }
        Ok(Self { clients, there })
    }
}

/// The import into the company vault, and of tables that name their clients.
pub(super) async fn show_any(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
) -> Result<Response, Problem> {
    let client = state.vault.company_vault().await?;
    page(&form(&state, &session, &client, None))
}

pub(super) async fn show(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    Path(client): Path<Uuid>,
) -> Result<Response, Problem> {
    let client = state.vault.client(client).await?;
    page(&form(&state, &session, &client, None))
}

fn form(
    state: &AppState,
    session: &Session,
    client: &Client,
    preview: Option<Preview>,
) -> ImportPage {
    ImportPage {
        layout: Layout::new(state, session, Section::Clients, "Import credentials"),
        client: client.id,
        client_name: client.name.clone(),
        preview,
    }
}

/// Reads a file and shows what it would do. It is held in memory, nothing is stored.
pub(super) async fn preview(
    State(state): State<AppState>,
    SignedIn(session): SignedIn,
    Path(client): Path<Uuid>,
    upload: Multipart,
) -> Result<Response, Problem> {
    let upload = Upload::read(upload).await;
    let upload = upload.map_err(|error| Problem::refused_form(error.status()))?;
    if !session.is_own_form(&upload.csrf) {
        return Err(Problem::foreign_form());
    }
    let client = state.vault.client(client).await?;
    let table = match credential_table::read(&upload.file) {
        Ok(table) => table,
        Err(error) => {
            session.leave_message(Message::Refused(sentence(&error.to_string())));
            let again = page(&form(&state, &session, &client, None))?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response());
        }
    };
    let around = Surroundings::read(&state, &table, client.id).await?;
    let id = Uuid::new_v4();
    let decision = credential_table::decide(&table, &around.clients, client.id, &around.there);
    let preview = Preview::new(id, &table, decision, &client.name);
    drop(around);
    session.keep_import(id, client.id, table);
    page(&form(&state, &session, &client, Some(preview)))
}

/// What a browser sends. The file is wiped when it was read.
#[derive(Default)]
struct Upload {
    csrf: String,
    file: Zeroizing<Vec<u8>>,
}

impl Upload {
    async fn read(mut parts: Multipart) -> Result<Self, MultipartError> {
        let mut upload = Self::default();
        while let Some(part) = parts.next_field().await? {
            match part.name() {
                Some("csrf") => upload.csrf = part.text().await?,
                Some("file") => upload.file = Zeroizing::new(part.bytes().await?.to_vec()),
                _ => {}
            }
        }
        Ok(upload)
    }
}

/// The form that follows the preview.
#[derive(Deserialize)]
pub(super) struct StoreForm {
    import: Uuid,
    existing: Existing,
}

/// Stores what was previewed, all or nothing.
pub(super) async fn store(
    State(state): State<AppState>,
    Path(client): Path<Uuid>,
    form: OwnForm<StoreForm>,
) -> Result<Redirect, Problem> {
    let OwnForm { session, fields } = form;
    let to = format!("/clients/{client}");
    let Some(table) = session.take_import(fields.import, client) else {
        let gone = VaultError::refused("the preview is over; choose the file again");
        return back_with::<()>(&session, &format!("{to}/import"), Err(gone), "");
    };
    let around = Surroundings::read(&state, &table, client).await?;
    let decision = credential_table::decide(&table, &around.clients, client, &around.there);
    let stored = match sealed(
        &state,
        &session,
        &around.clients,
        &decision,
        fields.existing,
    )
    .await
    {
        Ok(import) => state.vault.import(&session.actor(), &import).await,
        Err(error) => Err(error),
    };
    let done = stored.as_ref().map_or(String::new(), |stored| {
        let same = decision.existing.len() - stored.updated;
        format!(
            "Imported: {} added, {} updated, {same} left as they are, {} refused.",
            stored.added,
            stored.updated,
            decision.refused.len()
        )
    });
    back_with(&session, &to, stored, &done)
}
