//! What belongs to credentials: types, folders, versions, sealed secrets.

use axum::extract::State;
use passportal_client::wire::{CredentialType, Failure, PasswordVersion, SealedSecrets, Success};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::At;
use crate::state::AppState;

#[utoipa::path(get, path = "/api/v2/vault/credential-types", tag = "vault",
    responses((status = 200, body = Success<Vec<CredentialType>>), (status = 401, body = Failure)))]
pub(super) async fn types(
    State(state): State<AppState>,
    _caller: PersonCaller,
) -> Answer<Vec<CredentialType>> {
    Ok(Results(state.vault.credential_types().await?))
}

#[utoipa::path(get, path = "/api/v2/vault/clients/{id}/folders", tag = "vault",
    params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, body = Success<Vec<String>>), (status = 404, body = Failure)))]
pub(super) async fn folders(
    State(state): State<AppState>,
    _caller: PersonCaller,
    At(client): At<Uuid>,
) -> Answer<Vec<String>> {
    Ok(Results(state.vault.folders(client).await?))
}

#[utoipa::path(get, path = "/api/v2/vault/credentials/{id}/versions", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential")),
    responses((status = 200, description = "The latest first", body = Success<Vec<PasswordVersion>>),
        (status = 404, body = Failure)))]
pub(super) async fn versions(
    State(state): State<AppState>,
    _caller: PersonCaller,
    At(id): At<Uuid>,
) -> Answer<Vec<PasswordVersion>> {
    Ok(Results(state.vault.password_versions(id).await?))
}

#[utoipa::path(post, path = "/api/v2/vault/credentials/{id}/secrets", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential")),
    responses((status = 200, description = "Sealed; audited as a reveal", body = Success<SealedSecrets>),
        (status = 404, body = Failure)))]
pub(super) async fn secrets(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(id): At<Uuid>,
) -> Answer<SealedSecrets> {
    let what = "fetched the sealed secrets";
    let secrets = state
        .vault
        .sealed_secrets(&caller.actor(), id, what)
        .await?;
    Ok(Results(secrets))
}
