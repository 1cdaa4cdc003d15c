//! Client assertions: a JWT that proves who the application is, signed by its certificate or by another issuer.
//!
//! Source: Microsoft identity platform certificate credentials; workload identity federation; RFC 7523.

mod certificate;
mod federated;
mod jws;

use jiff::{SignedDuration, Timestamp};

use super::refusal::{self, Refusal};
use super::request::TokenRequest;
use crate::clock::token_error_time;
use crate::directory::tenant::Tenant;
use crate::scenario::AppSpec;
use jws::Jws;

pub(crate) use certificate::readable as readable_certificate;
pub(crate) use federated::readable as readable_public_key;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far the clocks of client and service may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// An assertion that was accepted, by what makes it one of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The `jti` of a certificate's assertion; another issuer's token may be used until it expires.
    pub(crate) id: Option<String>,
}

/// Verifies the request's assertion.
pub(super) fn verify(
    tenant: &Tenant,
    app: &AppSpec,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<Accepted, Refusal> {
    if request.require("client_assertion_type")? != JWT_BEARER {
        return Err(Refusal::of(&refusal::INVALID_REQUEST));
    }
    let jws = Jws::parse(request.require("client_assertion")?)
        .ok_or_else(|| Refusal::of(&refusal::MALFORMED_ASSERTION))?;
    let is_the_app_s = jws.claims.iss == app.client_id.to_string();
    if is_the_app_s || jws.header.names_a_certificate() {
        certificate::verify(tenant, app, request, &jws, now)
    } else {
        federated::verify(app, &jws, now)
    }
}

/// Refuses an assertion before its time and after it.
fn check_time(jws: &Jws<'_>, now: Timestamp) -> Result<(), Refusal> {
    let claims = &jws.claims;
    let moment = |seconds| {
        SignedDuration::try_from_secs_f64(seconds)
            .and_then(Timestamp::from_duration)
            .map_err(|_| Refusal::of(&refusal::MALFORMED_ASSERTION))
    };
    let (begins, ends) = (moment(claims.nbf.unwrap_or_default())?, moment(claims.exp)?);
    if begins.duration_since(now) <= SKEW && now.duration_since(ends) <= SKEW {
        return Ok(());
    }
    let (now, begins, ends) = (
        token_error_time(now),
        token_error_time(begins),
        token_error_time(ends),
    );
    Err(Refusal::with(
        &refusal::ASSERTION_TIME,
        &[&now, &begins, &ends],
    ))
}
