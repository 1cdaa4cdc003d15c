//! The organization's people, for an Organization Admin.

use axum::extract::State;
use passportal_client::wire::{
    Failure, Invitation, InvitationLink, NewInvitation, PersonPatch, PersonRecord, Standing,
    Success,
};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Done, Results};
use super::reading::{At, Body};
use crate::dashboard::invitation_path;
use crate::state::AppState;

#[utoipa::path(get, path = "/api/v2/vault/people", tag = "people",
    responses((status = 200, description = "By e-mail address", body = Success<Vec<PersonRecord>>),
        (status = 403, body = Failure)))]
pub(super) async fn list(caller: PersonCaller) -> Answer<Vec<PersonRecord>> {
    Ok(Results(caller.vault().people().await?))
}

#[utoipa::path(patch, path = "/api/v2/vault/people/{id}", tag = "people", request_body = PersonPatch,
    params(("id" = Uuid, Path, description = "The person")),
    responses((status = 200, description = "It holds from their next request on", body = Success<PersonRecord>),
        (status = 403, body = Failure), (status = 404, body = Failure),
        (status = 422, description = "The last active Organization Admin (4022)", body = Failure)))]
pub(super) async fn change(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(id): At<Uuid>,
    Body(patch): Body<PersonPatch>,
) -> Answer<PersonRecord> {
    let changed = caller.vault().change_person(id, &patch).await?;
    if changed.standing == Standing::Disabled {
        state.sessions.end_all(id);
    }
    Ok(Results(changed))
}

#[utoipa::path(get, path = "/api/v2/vault/people/invitations", tag = "people",
    responses((status = 200, description = "Those that wait, the one that ends first first",
        body = Success<Vec<Invitation>>), (status = 403, body = Failure)))]
pub(super) async fn invitations(caller: PersonCaller) -> Answer<Vec<Invitation>> {
    Ok(Results(caller.vault().invitations().await?))
}

#[utoipa::path(post, path = "/api/v2/vault/people/invitations", tag = "people",
    request_body = NewInvitation,
    responses((status = 200, description = "The link is shown this once; it lasts seven days and is good once",
        body = Success<InvitationLink>), (status = 403, body = Failure),
        (status = 422, description = "No e-mail address, or it has an account already (4022)", body = Failure)))]
pub(super) async fn invite(
    caller: PersonCaller,
    Body(new): Body<NewInvitation>,
) -> Answer<InvitationLink> {
    let (invitation, token) = caller.vault().invite(&new).await?;
    Ok(Results(InvitationLink {
        invitation,
        path: invitation_path(&token),
    }))
}

#[utoipa::path(delete, path = "/api/v2/vault/people/invitations/{invitation}", tag = "people",
    params(("invitation" = Uuid, Path, description = "The invitation")),
    responses((status = 200, description = "Its link is worth nothing from now on", body = Success<Done>),
        (status = 403, body = Failure), (status = 404, body = Failure)))]
pub(super) async fn withdraw(caller: PersonCaller, At(invitation): At<Uuid>) -> Answer<Done> {
    caller.vault().withdraw_invitation(invitation).await?;
    Ok(Results(Done::default()))
}
