//! Which application asks, and whether it proves it.

use jiff::Timestamp;
use uuid::Uuid;

use super::assertion::{self, Accepted};
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

/// How an application proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientProof {
    /// It is a public client.
    None,
    /// By its secret.
    Secret,
    /// By an assertion.
    Assertion(Accepted),
}

impl ClientProof {
    /// The claim `azpacr` of a token. Source: Microsoft identity platform access token claims.
    pub(super) fn azpacr(&self) -> &'static str {
        match self {
            Self::None => "0",
            Self::Secret => "1",
            Self::Assertion(_) => "2",
        }
    }
}

/// Demands the application's secret or an assertion.
pub(super) fn authenticate(
    tenant: &Tenant,
    app: &AppSpec,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<ClientProof, Refusal> {
    if request.get("client_assertion").is_some() {
        let accepted = assertion::verify(tenant, app, request, now)?;
        if app.single_use_assertions && tenant.has_seen(&accepted) {
            return Err(Refusal::of(&refusal::REPLAYED_ASSERTION));
        }
        return Ok(ClientProof::Assertion(accepted));
    }
    let given = request
        .get("client_secret")
        .ok_or_else(|| Refusal::of(&refusal::MISSING_SECRET))?;
    let row = match app.secret.as_ref().map(ClearText::expose) {
        Some(secret) if secret != given => &refusal::WRONG_SECRET,
        None => &refusal::WRONG_SECRET,
        Some(_) if app.secret_expires.is_some_and(|end| end <= now) => &refusal::EXPIRED_SECRET,
        Some(_) => return Ok(ClientProof::Secret),
    };
    Err(Refusal::with(row, &[&app.client_id.to_string()]))
}

/// Demands a proof unless the application is a public client.
pub(super) fn authenticate_unless_public(
    tenant: &Tenant,
    app: &AppSpec,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<ClientProof, Refusal> {
    let presents =
        request.get("client_secret").is_some() || request.get("client_assertion").is_some();
    match (app.public_client, presents) {
        (true, false) => Ok(ClientProof::None),
        (true, true) if app.has_no_proof() => Err(Refusal::of(&refusal::PUBLIC_CLIENT_WITH_SECRET)),
        _ => authenticate(tenant, app, request, now),
    }
}
