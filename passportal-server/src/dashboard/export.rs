//! `/clients/{id}/export` and `/export`: credentials in clear as the CSV file that the import reads. Audited first.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use passportal_client::credential_table::{ExportRow, Formulas, write};
use passportal_client::envelope::{DataKey, Field, Place};
use passportal_client::wire::{Client, Credential, SealedSecrets};
use serde::Deserialize;
use sync_engine::model::Password;
use uuid::Uuid;

use super::form::OwnForm;
use super::problem::{Problem, back_with};
use super::session::Session;
use crate::state::AppState;
use crate::vault::VaultError;

/// The form of an export.
#[derive(Deserialize)]
pub(super) struct ExportForm {
    /// A ticked box.
    neutralise: Option<String>,
}

/// The credentials of a client.
pub(super) async fn of_client(
    State(state): State<AppState>,
    Path(client): Path<Uuid>,
    form: OwnForm<ExportForm>,
) -> Result<Response, Problem> {
    let client = state.vault.client(client).await?;
    let back = format!("/clients/{}", client.id);
    answer(&state, form, vec![client], &back).await
}

/// The credentials of all clients.
pub(super) async fn of_all(
    State(state): State<AppState>,
    form: OwnForm<ExportForm>,
) -> Result<Response, Problem> {
    let clients = state.vault.clients().await?;
    answer(&state, form, clients, "/clients").await
}

async fn answer(
    state: &AppState,
    form: OwnForm<ExportForm>,
    clients: Vec<Client>,
    back: &str,
) -> Result<Response, Problem> {
    let formulas = match form.fields.neutralise {
        Some(_) => Formulas::Neutralised,
        None => Formulas::Exact,
    };
    match table(state, &form.session, &clients, formulas).await {
        Ok(bytes) => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"credentials.csv\"",
                ),
            ];
            Ok((headers, bytes).into_response())
        }
        Err(error) => {
            let refused = back_with::<()>(&form.session, back, Err(error), "")?;
            Ok(refused.into_response())
        }
    }
}

async fn table(
    state: &AppState,
    session: &Session,
    clients: &[Client],
    formulas: Formulas,
) -> Result<Vec<u8>, VaultError> {
    let mut stored = Vec::new();
    for client in clients {
        let key = DataKey::unwrap(&session.kek, &client.key)
            .map_err(|error| VaultError::Refused(error.to_string()))?;
        let credentials = state.vault.credentials(client.id).await?;
        let secrets = state.vault.export(&session.actor(), client.id).await?;
        for credential in credentials {
            let Some(sealed) = secrets.iter().find(|it| it.id == credential.id) else {
                continue;
            };
            let clear = open(&key, sealed)?;
            stored.push((client, credential, clear));
        }
    }
    let rows = stored
        .iter()
        .map(|(client, credential, clear)| row(client, credential, clear));
    let bytes = write(rows, formulas).map_err(|_| VaultError::Unreadable { what: "a row" })?;
    Ok(bytes.to_vec())
}

/// Password and secret of one-time codes, in clear.
struct Clear {
    password: Password,
    totp: Option<Password>,
}

fn open(key: &DataKey, sealed: &SealedSecrets) -> Result<Clear, VaultError> {
    let refused = |error: passportal_client::envelope::EnvelopeError| {
        VaultError::Refused(format!(
            "the secrets of {} do not open: {error}",
            sealed.user_name
        ))
    };
    let place = |field, version| Place {
        credential: sealed.id,
        field,
        version,
        user_name: &sealed.user_name,
    };
    let password = key
        .open(&place(Field::Password, sealed.version), &sealed.sealed)
        .map_err(refused)?;
    let totp = sealed.totp.as_ref();
    let totp = totp.map(|totp| key.open(&place(Field::Totp, totp.version), &totp.sealed));
    Ok(Clear {
        password,
        totp: totp.transpose().map_err(refused)?,
    })
}

fn row<'a>(client: &'a Client, credential: &'a Credential, clear: &Clear) -> ExportRow<'a> {
    ExportRow {
        client_name: &client.name,
        credential_type: &credential.credential_type,
        user_name: &credential.user_name,
        password: clear.password.clone(),
        description: &credential.description,
        expires: credential.expires,
        notes: &credential.notes,
        url: &credential.url,
        folder: &credential.folder,
        totp: clear.totp.clone(),
    }
}
