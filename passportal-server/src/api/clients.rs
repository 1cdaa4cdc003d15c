//! Clients, for a person.

use passportal_client::wire::{Client, ClientPatch, Failure, NewClient, Success};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{At, Body};

#[utoipa::path(get, path = "/api/v2/vault/clients", tag = "vault",
    responses((status = 200, body = Success<Vec<Client>>), (status = 401, body = Failure)))]
pub(super) async fn list(caller: PersonCaller) -> Answer<Vec<Client>> {
    Ok(Results(caller.vault().clients().await?))
}

#[utoipa::path(post, path = "/api/v2/vault/clients", tag = "vault", request_body = NewClient,
    responses((status = 200, body = Success<Client>), (status = 422, body = Failure)))]
pub(super) async fn create(caller: PersonCaller, Body(new): Body<NewClient>) -> Answer<Client> {
    Ok(Results(caller.vault().create_client(&new).await?))
}

#[utoipa::path(get, path = "/api/v2/vault/clients/{id}", tag = "vault",
    params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, body = Success<Client>), (status = 404, body = Failure)))]
pub(super) async fn read(caller: PersonCaller, At(id): At<Uuid>) -> Answer<Client> {
    Ok(Results(caller.vault().client(id).await?))
}

#[utoipa::path(patch, path = "/api/v2/vault/clients/{id}", tag = "vault", request_body = ClientPatch,
    params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, body = Success<Client>), (status = 404, body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn change(
    caller: PersonCaller,
    At(id): At<Uuid>,
    Body(patch): Body<ClientPatch>,
) -> Answer<Client> {
    let changed = caller.vault().change_client(id, &patch).await?;
    Ok(Results(changed))
}
