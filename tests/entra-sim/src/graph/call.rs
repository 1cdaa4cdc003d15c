//! One Graph call, of its own or inside a batch, and who makes it.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::{self, GraphError};
use super::odata::Query;
use crate::directory::tenant::Tenant;
use crate::edge::RequestIds;
use crate::entra::access_token::{Grant, Subject};
use crate::entra::claims_request::ClaimsRequest;
use crate::world::{TenantIndex, World};

/// What surrounds every call of one request.
pub(super) struct Context<'a> {
    pub(super) origin: &'a str,
    pub(super) ids: &'a RequestIds,
    pub(super) now: Timestamp,
    pub(super) epoch: Uuid,
}

/// Method, path below the version, query, headers and body.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    segments: Vec<String>,
}

/// Who calls, in which tenant, with which rights.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) tenant: TenantIndex,
    pub(super) subject: Subject,
    pub(super) roles: Vec<String>,
    permissions: Vec<String>,
    /// With which its token was asked for.
    claims: ClaimsRequest,
}

impl Context<'_> {
    /// A URL below the version, as links state it.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/v1.0/{path}", self.origin)
    }
}

impl Call {
    pub(super) fn new(
        method: Method,
        path: &str,
        query: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Self {
        let segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(percent_decoded)
            .collect();
        Self {
            method,
            query: Query::parse(query),
            headers,
            body,
            segments,
        }
    }

    /// The decoded parts of the path.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// `Prefer: odata.maxpagesize=N`.
    pub(super) fn preferred_page_size(&self) -> Option<usize> {
        let preferences = self.headers.get("prefer")?.to_str().ok()?;
        let size = preferences
            .split([',', ';'])
            .find_map(|one| one.trim().strip_prefix("odata.maxpagesize="))?;
        size.trim().parse().ok()
    }
}

impl Caller {
    /// Refuses a caller that holds none of these permissions.
    pub(super) fn need_one_of(&self, permissions: &[&str]) -> Result<(), GraphError> {
        if self
            .permissions
            .iter()
            .any(|held| permissions.contains(&held.as_str()))
        {
            return Ok(());
        }
        Err(GraphError::insufficient_privileges())
    }

    /// Refuses a caller whose token was not asked for with the claims that the tenant demands.
    pub(super) fn meet_demand(&self, tenant: &Tenant) -> Result<(), GraphError> {
        match &tenant.demanded_claims {
            Some(demand) if !self.claims.meets(demand) => {
                Err(challenge(self.claims.understands_challenges(), demand))
            }
            _ => Ok(()),
        }
    }
}

/// Finds out who calls, from the bearer token.
pub(super) fn authenticate(
    world: &World,
    context: &Context,
    call: &Call,
) -> Result<Caller, GraphError> {
    let header = call
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let token = header
        .strip_prefix("Bearer ")
        .or_else(|| header.strip_prefix("bearer "))
        .unwrap_or_default()
        .trim();
    if token.is_empty() {
        return Err(GraphError::unauthorized("Access token is empty."));
    }
    let grant = world
        .tokens
        .find(token)
        .ok_or_else(|| GraphError::unauthorized(complaint_about(token)))?;
    if grant.expires <= context.now {
        return Err(GraphError::unauthorized(
            "Lifetime validation failed, the token is expired.",
        ));
    }
    check_revocation(world, grant)?;
    Ok(caller(world, grant))
}

/// A client that understands challenges learns at once that the user's sign-ins were revoked; the token of any other
/// stays good until it expires.
fn check_revocation(world: &World, grant: &Grant) -> Result<(), GraphError> {
    let Subject::User(user) = grant.subject else {
        return Ok(());
    };
    let account = world.tenant(grant.tenant).get(user);
    let valid_from = account.map(|account| account.sign_ins_valid_from);
    match valid_from {
        Some(from) if grant.signed_in < from && grant.claims.understands_challenges() => {
            let value = from.as_second().to_string();
            let claims =
                json!({ "access_token": { "nbf": { "essential": true, "value": value } } });
            Err(challenged(error::REVOKED_SIGN_IN, &claims))
        }
        _ => Ok(()),
    }
}

fn challenged(message: &str, claims: &Value) -> GraphError {
    GraphError::insufficient_claims(message, &STANDARD.encode(claims.to_string()))
}

/// Only a client that declared to understand a challenge is told what to ask for.
fn challenge(is_understood: bool, demand: &Map<String, Value>) -> GraphError {
    if is_understood {
        challenged(error::OUTDATED_POLICIES, &Value::Object(demand.clone()))
    } else {
        GraphError::unauthorized(error::OUTDATED_POLICIES)
    }
}

fn caller(world: &World, grant: &Grant) -> Caller {
    let tenant = world.tenant(grant.tenant);
    let roles = match grant.subject {
        Subject::App(client) => Some(tenant.roles_of_app(client)),
        Subject::User(user) => tenant
            .get(user)
            .map(|account| tenant.roles_of_user(account)),
    };
    Caller {
        tenant: grant.tenant,
        subject: grant.subject,
        roles: roles.unwrap_or_default(),
        permissions: grant.permissions.clone(),
        claims: grant.claims.clone(),
    }
}

fn complaint_about(token: &str) -> &'static str {
    if token.contains('.') {
        "Access token validation failure. Signature is invalid."
    } else {
        "IDX14100: JWT is not well formed, there are no dots (.). The token needs to be in JWS or JWE Compact \
         Serialization Format."
    }
}

fn percent_decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        let (byte, used) = escaped.map_or((*first, 1), |(high, low)| (high * 16 + low, 3));
        bytes.push(byte);
        rest = rest.get(used..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_name_survives_its_escaped_hash_and_plus() {
        assert_eq!(
            percent_decoded("a+b_x.com%23EXT%23@contoso.com"),
            "a+b_x.com#EXT#@contoso.com"
        );
        assert_eq!(percent_decoded("100%"), "100%");
    }

    #[test]
    fn the_page_size_is_read_among_other_preferences() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "prefer",
            "return=minimal, odata.maxpagesize=50".parse().unwrap(),
        );
        assert_eq!(
            Call::new(Method::GET, "/users", "", headers, Vec::new()).preferred_page_size(),
            Some(50)
        );
    }
}
