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
    responses((status = 200, body = Success<Vec<NoticeChannel>>), (status = 401, body = Failure)))]
pub(super) async fn list(
    State(state): State<AppState>,
    _caller: PersonCaller,
) -> Answer<Vec<NoticeChannel>> {
    Ok(Results(state.vault.notice_channels().await?))
}

#[utoipa::path(post, path = "/api/v2/vault/notice-channels", tag = "notices", request_body = NewNoticeChannel,
    responses((status = 200, description = "With the signing secret of a webhook, this once",
        body = Success<NewNoticeChannelAnswer>), (status = 401, body = Failure),
        (status = 422, description = "The message says what does not fit (4022)", body = Failure)))]
pub(super) async fn add(
    State(state): State<AppState>,
    caller: PersonCaller,
    Body(new): Body<NewNoticeChannel>,
) -> Answer<NewNoticeChannelAnswer> {
    let actor = caller.actor();
    Ok(Results(state.vault.add_notice_channel(&actor, &new).await?))
}

#[utoipa::path(put, path = "/api/v2/vault/notice-channels/{id}", tag = "notices", request_body = NoticeSettings,
    params(("id" = Uuid, Path, description = "The channel")),
    responses((status = 200, body = Success<NoticeChannel>), (status = 404, body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(id): At<Uuid>,
    Body(settings): Body<NoticeSettings>,
) -> Answer<NoticeChannel> {
    let actor = caller.actor();
    Ok(Results(
        state
            .vault
            .change_notice_channel(&actor, id, &settings)
            .await?,
    ))
}

#[utoipa::path(delete, path = "/api/v2/vault/notice-channels/{id}", tag = "notices",
    params(("id" = Uuid, Path, description = "The channel")),
    responses((status = 200, body = Success<Done>), (status = 404, body = Failure)))]
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(id): At<Uuid>,
) -> Answer<Done> {
    let actor = caller.actor();
    state.vault.remove_notice_channel(&actor, id).await?;
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
    let sent = notices::send_test(&state.vault, &caller.actor(), id, &state.dashboard).await;
    match sent {
        Ok(()) => Ok(Results(Done {})),
        Err(NoticeError::Vault(error)) => Err(error.into()),
        Err(error) => Err(ApiError::invalid(error.chain())),
    }
}
