//! Flags, for a person.

use passportal_client::wire::{
    Failure, FlagCleared, FlagKind, FlagQuery, FlaggedCredential, Success,
};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{Asked, At};

#[utoipa::path(get, path = "/api/v2/vault/flags", tag = "vault",
    params(("client" = Option<Uuid>, Query, description = "Of this client only"),
        ("kind" = Option<FlagKind>, Query, description = "Of this kind only")),
    responses((status = 200, body = Success<Vec<FlaggedCredential>>),
        (status = 401, body = Failure)))]
pub(super) async fn list(
    caller: PersonCaller,
    Asked(query): Asked<FlagQuery>,
) -> Answer<Vec<FlaggedCredential>> {
    Ok(Results(caller.vault().flags(&query).await?))
}

#[utoipa::path(delete, path = "/api/v2/vault/credentials/{id}/flags/{kind}", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential"),
        ("kind" = FlagKind, Path, description = "The flag")),
    responses((status = 200, body = Success<FlagCleared>), (status = 404, body = Failure)))]
pub(super) async fn clear(
    caller: PersonCaller,
    At((credential, kind)): At<(Uuid, FlagKind)>,
) -> Answer<FlagCleared> {
    Ok(Results(caller.vault().clear_flag(credential, kind).await?))
}
