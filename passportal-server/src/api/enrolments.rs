//! Enrolling and revoking agents, for a person.

use passportal_client::wire::{EnrolRequest, Enrolled, Failure, Success};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Done, Results};
use super::reading::{At, Body};

#[utoipa::path(post, path = "/api/v2/agent/enrolments", tag = "agent", request_body = EnrolRequest,
    responses((status = 200, description = "The token is shown this once", body = Success<Enrolled>),
        (status = 404, body = Failure),
        (status = 422, description = "The client's Microsoft sync is off", body = Failure)))]
pub(super) async fn enrol(
    caller: PersonCaller,
    Body(request): Body<EnrolRequest>,
) -> Answer<Enrolled> {
    Ok(Results(caller.vault().enrol(&request).await?))
}

#[utoipa::path(delete, path = "/api/v2/agent/enrolments/{agent}", tag = "agent",
    params(("agent" = Uuid, Path, description = "The agent")),
    responses((status = 200, body = Success<Done>), (status = 404, body = Failure)))]
pub(super) async fn revoke(caller: PersonCaller, At(agent): At<Uuid>) -> Answer<Done> {
    caller.vault().revoke_agent(agent).await?;
    Ok(Results(Done::default()))
}
