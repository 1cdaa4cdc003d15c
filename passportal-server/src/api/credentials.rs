//! Credentials, for a person. Passwords pass sealed: the server cannot open them.

use passportal_client::wire::{
    Credential, CredentialPatch, Failure, HistoryEntry, NewCredential, NewPassword, Success,
};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{At, Body};

#[utoipa::path(get, path = "/api/v2/vault/clients/{id}/credentials", tag = "vault",
    params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, body = Success<Vec<Credential>>), (status = 404, body = Failure)))]
pub(super) async fn list(caller: PersonCaller, At(client): At<Uuid>) -> Answer<Vec<Credential>> {
    Ok(Results(caller.vault().credentials(client).await?))
}

#[utoipa::path(post, path = "/api/v2/vault/clients/{id}/credentials", tag = "vault",
    request_body = NewCredential,
    params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, body = Success<Credential>), (status = 404, body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn create(
    caller: PersonCaller,
    At(client): At<Uuid>,
    Body(new): Body<NewCredential>,
) -> Answer<Credential> {
    let added = caller.vault().add_credential(client, &new).await?;
    Ok(Results(added))
}

#[utoipa::path(get, path = "/api/v2/vault/credentials/{id}", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential")),
    responses((status = 200, body = Success<Credential>), (status = 404, body = Failure)))]
pub(super) async fn read(caller: PersonCaller, At(id): At<Uuid>) -> Answer<Credential> {
    Ok(Results(caller.vault().credential(id).await?))
}

#[utoipa::path(patch, path = "/api/v2/vault/credentials/{id}", tag = "vault",
    request_body = CredentialPatch,
    params(("id" = Uuid, Path, description = "The credential")),
    responses((status = 200, body = Success<Credential>), (status = 404, body = Failure),
        (status = 409, description = "Another version was confirmed (4009)", body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn change(
    caller: PersonCaller,
    At(id): At<Uuid>,
    Body(patch): Body<CredentialPatch>,
) -> Answer<Credential> {
    let changed = caller.vault().change_credential(id, &patch).await?;
    Ok(Results(changed))
}

#[utoipa::path(put, path = "/api/v2/vault/credentials/{id}/password", tag = "vault",
    request_body = NewPassword,
    params(("id" = Uuid, Path, description = "The credential")),
    responses((status = 200, body = Success<Credential>), (status = 404, body = Failure),
        (status = 409, description = "Not the next version (4009)", body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn set_password(
    caller: PersonCaller,
    At(id): At<Uuid>,
    Body(new): Body<NewPassword>,
) -> Answer<Credential> {
    let changed = caller.vault().set_password(id, &new).await?;
    Ok(Results(changed))
}

#[utoipa::path(get, path = "/api/v2/vault/credentials/{id}/history", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential")),
    responses((status = 200, description = "The latest first", body = Success<Vec<HistoryEntry>>),
        (status = 404, body = Failure)))]
pub(super) async fn history(caller: PersonCaller, At(id): At<Uuid>) -> Answer<Vec<HistoryEntry>> {
    Ok(Results(caller.vault().history(id).await?))
}
