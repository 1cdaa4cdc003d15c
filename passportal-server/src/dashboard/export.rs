//! `/clients/{id}/export` and `/export`: credentials in clear as the CSV file that the import reads. Audited first.

use std::collections::HashMap;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use passportal_client::credential_table::{Clear, ExportRow, Formulas, write};
use passportal_client::envelope::DataKey;
use passportal_client::wire::{Client, SealedSecrets};
use serde::Deserialize;
use uuid::Uuid;

use super::form::OwnForm;
use super::problem::{Problem, back_with};
use super::signed_in::SignedIn;
use crate::vault::{Act, VaultError};

/// The form of an export.
#[derive(Deserialize)]
pub(super) struct ExportForm {
    /// A ticked box.
    neutralise: Option<String>,
}

/// The credentials of a client.
pub(super) async fn of_client(
    Path(client): Path<Uuid>,
    form: OwnForm<ExportForm>,
) -> Result<Response, Problem> {
    let client = form.session.vault().client_for(Act::Export, client).await?;
    let back = format!("/clients/{}", client.id);
    answer(form, vec![client], &back).await
}

/// The credentials of all clients.
pub(super) async fn of_all(form: OwnForm<ExportForm>) -> Result<Response, Problem> {
    let clients = form.session.vault().clients_for(Act::Export).await?;
    answer(form, clients, "/clients").await
}

async fn answer(
    form: OwnForm<ExportForm>,
    clients: Vec<Client>,
    back: &str,
) -> Result<Response, Problem> {
    let formulas = match form.fields.neutralise {
        Some(_) => Formulas::Neutralised,
        None => Formulas::Exact,
    };
    match table(&form.session, &clients, formulas).await {
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
    session: &SignedIn,
    clients: &[Client],
    formulas: Formulas,
) -> Result<Vec<u8>, VaultError> {
    let mut stored = Vec::new();
    for client in clients {
        let key = DataKey::unwrap(&session.kek, &client.key)
            .map_err(|error| VaultError::Refused(error.to_string()))?;
        let credentials = session.vault().credentials(client.id).await?;
        let secrets = session.vault().export(client.id).await?;
        let secrets: HashMap<_, _> = secrets.iter().map(|it| (it.id, it)).collect();
        for credential in credentials {
            let Some(sealed) = secrets.get(&credential.id) else {
                continue;
            };
            let clear = open(&key, sealed)?;
            stored.push((client, credential, clear));
        }
    }
    let rows = stored
        .iter()
        .map(|(client, credential, clear)| ExportRow::of(client, credential, clear));
    let bytes = write(rows, formulas).map_err(|_| VaultError::Unreadable { what: "a row" })?;
    Ok(bytes.to_vec())
}

fn open(key: &DataKey, sealed: &SealedSecrets) -> Result<Clear, VaultError> {
    Clear::open(key, sealed).map_err(|error| {
        VaultError::Refused(format!(
            "the secrets of {} do not open: {error}",
            sealed.user_name
        ))
    })
}
