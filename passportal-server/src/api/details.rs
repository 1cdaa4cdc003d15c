//! What belongs to credentials: types, folders, versions, sealed secrets.

use passportal_client::wire::{CredentialType, Failure, PasswordVersion, SealedSecrets, Success};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::At;

#[utoipa::path(get, path = "/api/v2/vault/credential-types", tag = "vault",
    responses((status = 200, body = Success<Vec<CredentialType>>), (status = 401, body = Failure)))]
pub(super) async fn types(caller: PersonCaller) -> Answer<Vec<CredentialType>> {
    Ok(Results(caller.vault().credential_types().await?))
}

#[utoipa::path(get, path = "/api/v2/vault/clients/{id}/folders", tag = "vault",
    params(("id" = Uuid, Path, description = "The client")),
    responses((status = 200, body = Success<Vec<String>>), (status = 404, body = Failure)))]
pub(super) async fn folders(caller: PersonCaller, At(client): At<Uuid>) -> Answer<Vec<String>> {
    Ok(Results(caller.vault().folders(client).await?))
}

#[utoipa::path(get, path = "/api/v2/vault/credentials/{id}/versions", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential")),
    responses((status = 200, description = "The latest first", body = Success<Vec<PasswordVersion>>),
        (status = 404, body = Failure)))]
pub(super) async fn versions(
    caller: PersonCaller,
    At(id): At<Uuid>,
) -> Answer<Vec<PasswordVersion>> {
    Ok(Results(caller.vault().password_versions(id).await?))
}

#[utoipa::path(post, path = "/api/v2/vault/credentials/{id}/secrets", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential")),
    responses((status = 200, description = "Sealed; audited as a reveal", body = Success<SealedSecrets>),
        (status = 404, body = Failure)))]
pub(super) async fn secrets(caller: PersonCaller, At(id): At<Uuid>) -> Answer<SealedSecrets> {
    let what = "fetched the sealed secrets";
    let secrets = caller.vault().sealed_secrets(id, what).await?;
    Ok(Results(secrets))
}
