//! Notice channels, for an administrator.

use axum::extract::State;
use passportal_client::wire::{
    Failure, NewNoticeChannel, NewNoticeChannelAnswer, NoticeChannel, NoticeSettings, Success,
};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, ApiError, Done, Results};
use super::reading::{At, Body};
use crate::notices::{self, NoticeError};
use crate::state::AppState;

#[utoipa::path(get, path = "/api/v2/vault/notice-channels", tag = "notices",
    responses((status = 200, body = Success<Vec<NoticeChannel>>), (status = 403, body = Failure)))]
pub(super) async fn list(caller: PersonCaller) -> Answer<Vec<NoticeChannel>> {
    Ok(Results(caller.vault().notice_channels().await?))
}

#[utoipa::path(post, path = "/api/v2/vault/notice-channels", tag = "notices", request_body = NewNoticeChannel,
    responses((status = 200, description = "With the signing secret of a webhook, this once",
        body = Success<NewNoticeChannelAnswer>), (status = 403, body = Failure),
        (status = 422, description = "The message says what does not fit (4022)", body = Failure)))]
pub(super) async fn add(
    caller: PersonCaller,
    Body(new): Body<NewNoticeChannel>,
) -> Answer<NewNoticeChannelAnswer> {
    Ok(Results(caller.vault().add_notice_channel(&new).await?))
}

#[utoipa::path(put, path = "/api/v2/vault/notice-channels/{id}", tag = "notices", request_body = NoticeSettings,
    params(("id" = Uuid, Path, description = "The channel")),
    responses((status = 200, body = Success<NoticeChannel>), (status = 404, body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn change(
    caller: PersonCaller,
    At(id): At<Uuid>,
    Body(settings): Body<NoticeSettings>,
) -> Answer<NoticeChannel> {
    let vault = caller.vault();
    Ok(Results(vault.change_notice_channel(id, &settings).await?))
}

#[utoipa::path(delete, path = "/api/v2/vault/notice-channels/{id}", tag = "notices",
    params(("id" = Uuid, Path, description = "The channel")),
    responses((status = 200, body = Success<Done>), (status = 404, body = Failure)))]
pub(super) async fn remove(caller: PersonCaller, At(id): At<Uuid>) -> Answer<Done> {
    caller.vault().remove_notice_channel(id).await?;
    Ok(Results(Done {}))
}

#[utoipa::path(post, path = "/api/v2/vault/notice-channels/{id}/test", tag = "notices",
    params(("id" = Uuid, Path, description = "The channel")),
    responses((status = 200, description = "It was sent", body = Success<Done>), (status = 404, body = Failure),
        (status = 422, description = "It was not; the message says why (4022)", body = Failure)))]
pub(super) async fn test(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(id): At<Uuid>,
) -> Answer<Done> {
    let organization = &state.vault.organization().name;
    let sent = notices::send_test(caller.vault(), id, organization, &state.dashboard).await;
    match sent {
        Ok(()) => Ok(Results(Done {})),
        Err(NoticeError::Vault(error)) => Err(error.into()),
        Err(error) => Err(ApiError::invalid(error.chain())),
    }
}
