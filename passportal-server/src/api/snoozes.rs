//! Snoozed flags, for a person.

use axum::extract::State;
use passportal_client::wire::{
    Failure, FlagCleared, FlagKind, NewSnooze, SnoozeEnded, SnoozedFlag, Success,
};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{At, Body};
use crate::state::AppState;

#[utoipa::path(get, path = "/api/v2/vault/snoozes", tag = "vault",
    responses((status = 200, description = "The one that ends first first",
        body = Success<Vec<SnoozedFlag>>), (status = 401, body = Failure)))]
pub(super) async fn list(
    State(state): State<AppState>,
    _caller: PersonCaller,
) -> Answer<Vec<SnoozedFlag>> {
    Ok(Results(state.vault.snoozes().await?))
}

#[utoipa::path(put, path = "/api/v2/vault/credentials/{id}/flags/{kind}/snooze", tag = "vault",
    request_body = NewSnooze,
    params(("id" = Uuid, Path, description = "The credential"),
        ("kind" = FlagKind, Path, description = "The flag")),
    responses((status = 200, body = Success<FlagCleared>), (status = 404, body = Failure),
        (status = 422, description = "Without a reason, or not within a year (4022)", body = Failure)))]
pub(super) async fn snooze(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(which): At<(Uuid, FlagKind)>,
    Body(new): Body<NewSnooze>,
) -> Answer<FlagCleared> {
    let count = state
        .vault
        .snooze_flags(&caller.actor(), &[which], &new)
        .await?;
    Ok(Results(FlagCleared { stood: count > 0 }))
}

#[utoipa::path(delete, path = "/api/v2/vault/credentials/{id}/flags/{kind}/snooze", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential"),
        ("kind" = FlagKind, Path, description = "The flag")),
    responses((status = 200, body = Success<SnoozeEnded>), (status = 404, body = Failure)))]
pub(super) async fn end(
    State(state): State<AppState>,
    caller: PersonCaller,
    At((credential, kind)): At<(Uuid, FlagKind)>,
) -> Answer<SnoozeEnded> {
    let actor = caller.actor();
    Ok(Results(
        state.vault.end_snooze(&actor, credential, kind).await?,
    ))
}
