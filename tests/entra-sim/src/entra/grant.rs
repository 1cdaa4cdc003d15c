//! The token endpoint's grants: an application for itself; a user by password, by device code or by refresh token.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access_token::{self, Grant, Holder, Subject};
use super::claims_request::ClaimsRequest;
use super::refusal::{self, Refusal};
use super::request::TokenRequest;
use super::user_session::UserSession;
use super::{client, device_code, refresh_token, resource, sign_in};
use crate::directory::account::Account;
use crate::directory::diary::Deed;
use crate::directory::tenant::Tenant;
use crate::reply::Reply;
use crate::scenario::AppSpec;
use crate::world::{TenantIndex, World};

/// RFC 8628, 3.4.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Answers a token request.
pub(super) fn answer(
    world: &mut World,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    let grant_type = request.require("grant_type")?;
    let tenant = find_tenant(world, request)?;
    let body = match grant_type {
        "client_credentials" => client_credentials(world, tenant, request, now)?,
        "password" => password(world, tenant, request, now)?.answer(world, request, now),
        "refresh_token" => {
            refresh_token::redeem(world, tenant, request, now)?.answer(world, request, now)
        }
        DEVICE_CODE | "device_code" => {
            device_code::redeem(world, tenant, request, now)?.answer(world, request, now)
        }
        other => return Err(Refusal::with(&refusal::UNSUPPORTED_GRANT, &[other])),
    };
    Ok(Reply::ok(body))
}

/// The tenant of the path; over `/organizations` it follows from the user's domain.
pub(super) fn find_tenant(world: &World, request: &TokenRequest) -> Result<TenantIndex, Refusal> {
    match request.tenant.as_str() {
        "common" | "consumers" => Err(Refusal::of(&refusal::COMMON_NOT_SUPPORTED)),
        "organizations" => {
            let domain = request
                .get("username")
                .and_then(|name| name.rsplit_once('@'));
            let found = domain.and_then(|(_, domain)| world.find(domain));
            found.ok_or_else(|| Refusal::of(&refusal::NO_TENANT))
        }
        named => world
            .find(named)
            .ok_or_else(|| Refusal::with(&refusal::UNKNOWN_TENANT, &[named])),
    }
}

fn client_credentials(
    world: &mut World,
    index: TenantIndex,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let tenant = world.tenant_mut(index);
    let app = client::identify(tenant, request)?.clone();
    let proof = client::authenticate(tenant, &app, request, now)?;
    resource::check_app_only(&request.scopes()?, &tenant.id.to_string())?;
    let grant = Grant {
        tenant: index,
        subject: Subject::App(app.client_id),
        signed_in: now,
        permissions: app.permissions.clone(),
        expires: now.checked_add(tenant.token_lifetime).unwrap_or(now),
        claims: ClaimsRequest::parse(request.get("claims"))?,
    };
    tenant.spend(&proof);
    let seconds = tenant.token_lifetime.as_secs();
    let holder = Holder {
        app: &app,
        proof: &proof,
    };
    let claims = access_token::app_claims(tenant, holder, &request.origin, now, &grant);
    let token = world.tokens.issue(&claims, grant, now);
    Ok(
        json!({ "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token }),
    )
}

fn password(
    world: &mut World,
    index: TenantIndex,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<UserSession, Refusal> {
    let tenant = world.tenant_mut(index);
    let app = client::identify(tenant, request)?.clone();
    sign_in::check_tenant(tenant)?;
    let proof = client::authenticate_unless_public(tenant, &app, request, now)?;
    let claims = ClaimsRequest::parse(request.get("claims"))?;
    let scopes = request.scopes()?;
    resource::check_delegated(&scopes, &tenant.id.to_string())?;
    tenant.spend(&proof);
    let (name, password) = (request.require("username")?, request.require("password")?);
    let answer = sign_in::sign_in(tenant, name, password, now);
    note(tenant, &app, (name, password), answer.as_ref().err(), now);
    Ok(UserSession {
        tenant: index,
        user: answer?,
        signed_in: now,
        app,
        proof,
        scopes: scopes.into_iter().map(str::to_owned).collect(),
        claims,
    })
}

/// Notes a sign-in that named an account, whatever the answer.
fn note(
    tenant: &mut Tenant,
    app: &AppSpec,
    (name, password): (&str, &str),
    refusal: Option<&Refusal>,
    now: Timestamp,
) {
    let code = refusal.map(Refusal::code);
    let by = app.client_id;
    if let Some(id) = tenant.find(name).map(Account::object_id) {
        tenant.note(id, password, Deed::SignIn { by, code }, now);
    }
}
