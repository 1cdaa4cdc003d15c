//! Which application asks, and whether it proves it.

use uuid::Uuid;

use super::refusal::{self, Refusal};
use super::request::TokenRequest;
use crate::directory::tenant::Tenant;
use crate::scenario::{AppSpec, ClearText};

/// The application that the request names.
pub(super) fn identify<'t>(
    tenant: &'t Tenant,
    request: &TokenRequest,
) -> Result<&'t AppSpec, Refusal> {
    let given = request.require("client_id")?;
    let id =
        Uuid::try_parse(given).map_err(|_| Refusal::with(&refusal::MALFORMED_CLIENT, &[given]))?;
    tenant
        .apps
        .get(&id)
        .ok_or_else(|| Refusal::with(&refusal::UNKNOWN_CLIENT, &[given, &tenant.name]))
}

/// Demands the application's secret.
pub(super) fn authenticate(app: &AppSpec, request: &TokenRequest) -> Result<(), Refusal> {
    if request.get("client_assertion").is_some() {
        return Err(Refusal::of(&refusal::BAD_ASSERTION));
    }
    let given = request
        .get("client_secret")
        .ok_or_else(|| Refusal::of(&refusal::MISSING_SECRET))?;
    if app.secret.as_ref().map(ClearText::expose) == Some(given) {
        return Ok(());
    }
    Err(Refusal::with(
        &refusal::WRONG_SECRET,
        &[&app.client_id.to_string()],
    ))
}

/// Demands the secret unless the application is a public client.
pub(super) fn authenticate_unless_public(
    app: &AppSpec,
    request: &TokenRequest,
) -> Result<(), Refusal> {
    let presents =
        request.get("client_secret").is_some() || request.get("client_assertion").is_some();
    match (app.public_client, presents) {
        (true, false) => Ok(()),
        (true, true) if app.secret.is_none() => {
            Err(Refusal::of(&refusal::PUBLIC_CLIENT_WITH_SECRET))
        }
        _ => authenticate(app, request),
    }
}
