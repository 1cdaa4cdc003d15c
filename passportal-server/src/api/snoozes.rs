//! Snoozed flags, for a person.

use passportal_client::wire::{
    Failure, FlagCleared, FlagKind, NewSnooze, SnoozeEnded, SnoozedFlag, Success,
};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{At, Body};

#[utoipa::path(get, path = "/api/v2/vault/snoozes", tag = "vault",
    responses((status = 200, description = "The one that ends first first",
        body = Success<Vec<SnoozedFlag>>), (status = 401, body = Failure)))]
pub(super) async fn list(caller: PersonCaller) -> Answer<Vec<SnoozedFlag>> {
    Ok(Results(caller.vault().snoozes().await?))
}

#[utoipa::path(put, path = "/api/v2/vault/credentials/{id}/flags/{kind}/snooze", tag = "vault",
    request_body = NewSnooze,
    params(("id" = Uuid, Path, description = "The credential"),
        ("kind" = FlagKind, Path, description = "The flag")),
    responses((status = 200, body = Success<FlagCleared>), (status = 404, body = Failure),
        (status = 422, description = "Without a reason, or not within a year (4022)", body = Failure)))]
pub(super) async fn snooze(
    caller: PersonCaller,
    At(which): At<(Uuid, FlagKind)>,
    Body(new): Body<NewSnooze>,
) -> Answer<FlagCleared> {
    let count = caller.vault().snooze_flags(&[which], &new).await?;
    Ok(Results(FlagCleared { stood: count > 0 }))
}

#[utoipa::path(delete, path = "/api/v2/vault/credentials/{id}/flags/{kind}/snooze", tag = "vault",
    params(("id" = Uuid, Path, description = "The credential"),
        ("kind" = FlagKind, Path, description = "The flag")),
    responses((status = 200, body = Success<SnoozeEnded>), (status = 404, body = Failure)))]
pub(super) async fn end(
    caller: PersonCaller,
    At((credential, kind)): At<(Uuid, FlagKind)>,
) -> Answer<SnoozeEnded> {
    Ok(Results(caller.vault().end_snooze(credential, kind).await?))
}
