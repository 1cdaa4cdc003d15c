//! Clients, for a person.

use axum::extract::State;
use passportal_client::wire::{Client, ClientPatch, Failure, NewClient, Success};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{At, Body};
use crate::state::AppState;

#[utoipa::path(get, path = "/api/v2/vault/clients", tag = "vault",
    responses((status = 200, body = Success<Vec<Client>>), (status = 401, body = Failure)))]
pub(super) async fn list(
    State(state): State<AppState>,
    _caller: PersonCaller,
) -> Answer<Vec<Client>> {
    Ok(Results(state.vault.clients().await?))
}

#[utoipa::path(post, path = "/api/v2/vault/clients", tag = "vault", request_body = NewClient,
    responses((status = 200, body = Success<Client>), (status = 422, body = Failure)))]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: PersonCaller,
    Body(new): Body<NewClient>,
) -> Answer<Client> {
    Ok(Results(
        state.vault.create_client(&caller.actor(), &new).await?,
    ))
}

#[utoipa::path(get, path = "/api/v2/vault/clients/{id}", tag = "vault",
    params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, body = Success<Client>), (status = 404, body = Failure)))]
pub(super) async fn read(
    State(state): State<AppState>,
    _caller: PersonCaller,
    At(id): At<Uuid>,
) -> Answer<Client> {
    Ok(Results(state.vault.client(id).await?))
}

#[utoipa::path(patch, path = "/api/v2/vault/clients/{id}", tag = "vault", request_body = ClientPatch,
    params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, body = Success<Client>), (status = 404, body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(id): At<Uuid>,
    Body(patch): Body<ClientPatch>,
) -> Answer<Client> {
    let changed = state
        .vault
        .change_client(&caller.actor(), id, &patch)
        .await?;
    Ok(Results(changed))
}
