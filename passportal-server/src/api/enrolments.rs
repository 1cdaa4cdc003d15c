//! Enrolling and revoking agents, for a person.

use axum::extract::State;
use passportal_client::wire::{EnrolRequest, Enrolled, Failure, Success};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Done, Results};
use super::reading::{At, Body};
use crate::state::AppState;

#[utoipa::path(post, path = "/api/v2/agent/enrolments", tag = "agent", request_body = EnrolRequest,
    responses((status = 200, description = "The token is shown this once", body = Success<Enrolled>),
        (status = 404, body = Failure),
        (status = 422, description = "The client's Microsoft sync is off", body = Failure)))]
pub(super) async fn enrol(
    State(state): State<AppState>,
    caller: PersonCaller,
    Body(request): Body<EnrolRequest>,
) -> Answer<Enrolled> {
    Ok(Results(state.vault.enrol(&caller.actor(), &request).await?))
}

#[utoipa::path(delete, path = "/api/v2/agent/enrolments/{agent}", tag = "agent",
    params(("agent" = Uuid, Path, description = "The agent")),
    responses((status = 200, body = Success<Done>), (status = 404, body = Failure)))]
pub(super) async fn revoke(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(agent): At<Uuid>,
) -> Answer<Done> {
    state.vault.revoke_agent(&caller.actor(), agent).await?;
    Ok(Results(Done::default()))
}
