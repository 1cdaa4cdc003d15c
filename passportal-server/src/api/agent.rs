//! What agents call. An agent sees its own client and nothing else.

use axum::extract::State;
use passportal_client::wire::{
    Attempts, Changes, ChangesQuery, Failure, Heartbeat, LeaseAnswer, Report, ReportAccepted,
    RotatedToken, SecretAnswer, SecretQuery, ShownPlans, Success, WrappedKey,
};
use uuid::Uuid;

use super::access::AgentCaller;
use super::answer::{Answer, ApiError, Done, Results};
use super::reading::{Asked, At, Body};
use crate::state::AppState;

/// Entries of one report, or notices of one request, at the most.
const BATCH_MOST: usize = 1000;

#[utoipa::path(post, path = "/api/v2/agent/heartbeat", tag = "agent", request_body = Heartbeat,
    responses((status = 200, body = Success<LeaseAnswer>), (status = 401, body = Failure)))]
pub(super) async fn heartbeat(
    State(state): State<AppState>,
    caller: AgentCaller,
    Body(heartbeat): Body<Heartbeat>,
) -> Answer<LeaseAnswer> {
    let answer = state
        .vault
        .heartbeat(caller.agent, caller.client, &caller.token, &heartbeat)
        .await?;
    Ok(Results(answer))
}

#[utoipa::path(get, path = "/api/v2/agent/changes", tag = "agent",
    params(("cursor" = Option<String>, Query, description = "From an earlier answer; everything without one"),
        ("wait" = Option<u32>, Query, description = "Seconds to wait for a change at the most (0 to 60)"),
        ("limit" = Option<u32>, Query, description = "Credentials in one answer at the most (1 to 1000)"),
        ("instance" = Option<Uuid>, Query, description = "The process that acts on the answer, as its heartbeats name it: people's words about plans count as heard where it holds the client's lease. A dry run names none")),
    responses((status = 200, body = Success<Changes>), (status = 401, body = Failure)))]
pub(super) async fn changes(
    State(state): State<AppState>,
    caller: AgentCaller,
    Asked(query): Asked<ChangesQuery>,
) -> Answer<Changes> {
    let changes = state
        .vault
        .changes(
            caller.agent,
            caller.client,
            &caller.token,
            &query,
            &state.closing,
        )
        .await?;
    Ok(Results(changes))
}

#[utoipa::path(get, path = "/api/v2/agent/credentials/{id}/secret", tag = "agent",
    params(("id" = Uuid, Path, description = "The credential"),
        ("version" = u64, Query, description = "The version that the agent means"),
        ("purpose" = Option<String>, Query, description = "`sync`, or `sign_in`: to sign in as the client's administrator")),
    responses((status = 200, body = Success<SecretAnswer>), (status = 404, body = Failure),
        (status = 409, description = "Another version is current, or the credential is disabled (4009)",
            body = Failure)))]
pub(super) async fn secret(
    State(state): State<AppState>,
    caller: AgentCaller,
    At(id): At<Uuid>,
    Asked(query): Asked<SecretQuery>,
) -> Answer<SecretAnswer> {
    let secret = state
        .vault
        .secret_for_agent(caller.client, id, query.version, query.purpose)
        .await?;
    Ok(Results(secret))
}

#[utoipa::path(get, path = "/api/v2/agent/key", tag = "agent",
    responses((status = 200, description = "The client's data key, which the organization key opens", body = Success<WrappedKey>),
        (status = 401, body = Failure)))]
pub(super) async fn key(State(state): State<AppState>, caller: AgentCaller) -> Answer<WrappedKey> {
    Ok(Results(state.vault.wrapped_key(caller.client).await?))
}

#[utoipa::path(post, path = "/api/v2/agent/attempts", tag = "agent", request_body = Attempts,
    responses((status = 200, description = "Written down", body = Success<Done>),
        (status = 404, body = Failure), (status = 422, body = Failure)))]
pub(super) async fn attempts(
    State(state): State<AppState>,
    caller: AgentCaller,
    Body(attempts): Body<Attempts>,
) -> Answer<Done> {
    check_size(attempts.notices.len())?;
    state
        .vault
        .note_attempts(caller.client, &attempts.notices)
        .await?;
    Ok(Results(Done::default()))
}

#[utoipa::path(post, path = "/api/v2/agent/reports", tag = "agent", request_body = Report,
    responses((status = 200, body = Success<ReportAccepted>),
        (status = 409, description = "Another process holds the lease (4009)", body = Failure),
        (status = 422, body = Failure)))]
pub(super) async fn report(
    State(state): State<AppState>,
    caller: AgentCaller,
    Body(report): Body<Report>,
) -> Answer<ReportAccepted> {
    check_size(report.entries.len())?;
    let accepted = state
        .vault
        .take_report(caller.agent, caller.client, &report)
        .await?;
    Ok(Results(accepted))
}

#[utoipa::path(put, path = "/api/v2/agent/plans", tag = "agent", request_body = ShownPlans,
    responses((status = 200, description = "People see these plans and no others", body = Success<Done>),
        (status = 409, description = "Another agent holds the lease (4009)", body = Failure),
        (status = 422, description = "Too many, or an id that stood for other writes", body = Failure)))]
pub(super) async fn show_plans(
    State(state): State<AppState>,
    caller: AgentCaller,
    Body(shown): Body<ShownPlans>,
) -> Answer<Done> {
    state
        .vault
        .show_plans(caller.agent, caller.client, &shown)
        .await?;
    Ok(Results(Done::default()))
}

#[utoipa::path(post, path = "/api/v2/agent/token", tag = "agent",
    responses((status = 200, description = "The old token lives until the new one is first used",
        body = Success<RotatedToken>), (status = 401, body = Failure)))]
pub(super) async fn rotate_token(
    State(state): State<AppState>,
    caller: AgentCaller,
) -> Answer<RotatedToken> {
    let rotated = state
        .vault
        .rotate_token(caller.agent, caller.client)
        .await?;
    Ok(Results(rotated))
}

fn check_size(entries: usize) -> Result<(), ApiError> {
    if entries > BATCH_MOST {
        return Err(ApiError::invalid(format!(
            "one request has at most {BATCH_MOST} entries"
        )));
    }
    Ok(())
}
