//! Imports, for a person. Passwords come sealed.

use passportal_client::wire::{Failure, Import, Imported, Success};

use super::access::PersonCaller;
use super::answer::{Answer, Results};
use super::reading::Body;

#[utoipa::path(post, path = "/api/v2/vault/imports", tag = "vault", request_body = Import,
    responses((status = 200, body = Success<Imported>),
        (status = 404, description = "Nothing was stored", body = Failure),
        (status = 409, description = "Nothing was stored (4009)", body = Failure),
        (status = 422, description = "Nothing was stored", body = Failure)))]
pub(super) async fn import(caller: PersonCaller, Body(import): Body<Import>) -> Answer<Imported> {
    Ok(Results(caller.vault().import(&import).await?))
}
