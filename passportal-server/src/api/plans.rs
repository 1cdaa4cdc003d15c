//! Held plans, for a person: what waits, its writes, and one word about it.

use passportal_client::wire::{Failure, Plan, PlanDetails, PlanQuery, Ruling, Success};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::{Asked, At};
use crate::vault::Part;

#[utoipa::path(get, path = "/api/v2/plans", tag = "plans",
    params(("client" = Option<Uuid>, Query, description = "Of this client only")),
    responses((status = 200, description = "What agents show now, those that wait first",
        body = Success<Vec<Plan>>), (status = 401, body = Failure)))]
pub(super) async fn list(
    caller: PersonCaller,
    Asked(query): Asked<PlanQuery>,
) -> Answer<Vec<Plan>> {
    Ok(Results(caller.vault().plans(&query).await?))
}

#[utoipa::path(get, path = "/api/v2/plans/{id}", tag = "plans",
    params(("id" = Uuid, Path, description = "The plan")),
    responses((status = 200, body = Success<PlanDetails>), (status = 404, body = Failure)))]
pub(super) async fn read(caller: PersonCaller, At(id): At<Uuid>) -> Answer<PlanDetails> {
    Ok(Results(caller.vault().plan(id, Part::ALL).await?))
}

#[utoipa::path(post, path = "/api/v2/plans/{id}/approval", tag = "plans",
    params(("id" = Uuid, Path, description = "The plan: exactly its writes may be made")),
    responses((status = 200, body = Success<Plan>), (status = 404, body = Failure),
        (status = 409, description = "It expired, or was ruled on already (4009)", body = Failure)))]
pub(super) async fn approve(caller: PersonCaller, At(id): At<Uuid>) -> Answer<Plan> {
    rule(&caller, id, Ruling::Approve).await
}

#[utoipa::path(post, path = "/api/v2/plans/{id}/rejection", tag = "plans",
    params(("id" = Uuid, Path, description = "The plan: none of its writes may be made")),
    responses((status = 200, body = Success<Plan>), (status = 404, body = Failure),
        (status = 409, description = "It expired, or was ruled on already (4009)", body = Failure)))]
pub(super) async fn reject(caller: PersonCaller, At(id): At<Uuid>) -> Answer<Plan> {
    rule(&caller, id, Ruling::Reject).await
}

async fn rule(caller: &PersonCaller, id: Uuid, ruling: Ruling) -> Answer<Plan> {
    Ok(Results(caller.vault().rule(id, ruling).await?))
}
