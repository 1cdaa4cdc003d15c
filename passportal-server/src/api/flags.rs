//! Flags, for a person.

use axum::extract::State;
use passportal_client::wire::{
    Failure, FlagCleared, FlagKind, FlagQuery, FlaggedCredential, Success,
};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{Asked, At};
use crate::state::AppState;

#[utoipa::path(get, path = "/api/v2/vault/flags", tag = "vault",
    params(("client" = Option<Uuid>, Query, description = "Of this client only"),
        ("kind" = Option<FlagKind>, Query, description = "Of this kind only")),
    responses((status = 200, body = Success<Vec<FlaggedCredential>>),
        (status = 401, body = Failure)))]
pub(super) async fn list(
    State(state): State<AppState>,
    _caller: PersonCaller,
    Asked(query): Asked<FlagQuery>,
) -> Answer<Vec<FlaggedCredential>> {
    Ok(Results(state.vault.flags(&query).await?))
}

#[utoipa::path(delete, path = "/api/v2/vault/credentials/{id}/flags/{kind}", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential"),
        ("kind" = FlagKind, Path, description = "The flag")),
    responses((status = 200, body = Success<FlagCleared>), (status = 404, body = Failure)))]
pub(super) async fn clear(
    State(state): State<AppState>,
    caller: PersonCaller,
    At((credential, kind)): At<(Uuid, FlagKind)>,
) -> Answer<FlagCleared> {
    let actor = caller.actor();
    Ok(Results(
        state.vault.clear_flag(&actor, credential, kind).await?,
    ))
}
