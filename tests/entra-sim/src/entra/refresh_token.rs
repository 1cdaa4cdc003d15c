//! Refresh tokens: each use gives a new one, and the old one stays good until the sign-in behind it is revoked.
//!
//! Source: Refresh tokens in the Microsoft identity platform; Microsoft Entra authentication and authorization error
//! codes; captured answers with 50034 and 50173 (`bad_token`).

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::access_token::random_text;
use super::claims_request::ClaimsRequest;
use super::client;
use super::refusal::{self, Refusal};
use super::request::TokenRequest;
use super::resource;
use super::user_session::UserSession;
use crate::clock::iso_time;
use crate::directory::tenant::Tenant;
use crate::scenario::Behaviour;
use crate::world::{TenantIndex, World};

/// How long a refresh token lives without being used.
const IDLE: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How long an expired one is still recognised.
const REMEMBER_EXPIRED: SignedDuration = SignedDuration::from_hours(24 * 365);

/// What a refresh token stands for.
#[derive(Debug, Clone)]
pub(crate) struct RefreshGrant {
    pub(super) tenant: TenantIndex,
    pub(super) client: Uuid,
    pub(super) user: Uuid,
    /// When the user proved who it is.
    pub(super) signed_in: Timestamp,
    /// When this very token was handed out.
    pub(super) issued: Timestamp,
    pub(super) scopes: Vec<String>,
}

/// Every refresh token that was issued.
#[derive(Debug, Default)]
pub(crate) struct RefreshTokens {
    grants: HashMap<String, RefreshGrant>,
    prune_at: usize,
}

impl RefreshTokens {
    pub(crate) fn all(&self) -> Vec<String> {
        self.grants.keys().cloned().collect()
    }

    pub(super) fn issue(&mut self, grant: RefreshGrant, now: Timestamp) -> String {
        let token = format!("1.{}", random_text(96));
        self.prune(now);
        self.grants.insert(token.clone(), grant);
        token
    }

    fn prune(&mut self, now: Timestamp) {
        if self.grants.len() < self.prune_at.max(1_024) {
            return;
        }
        self.grants
            .retain(|_, grant| now.duration_since(grant.issued) < REMEMBER_EXPIRED);
        self.prune_at = self.grants.len() * 2;
    }
}

/// The user's session that a refresh token goes on with.
pub(super) fn redeem(
    world: &World,
    index: TenantIndex,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<UserSession, Refusal> {
    let tenant = world.tenant(index);
    let app = client::identify(tenant, request)?;
    let token = request.require("refresh_token")?;
    let grant = world
        .refresh_tokens
        .grants
        .get(token)
        .ok_or_else(|| Refusal::of(&refusal::MALFORMED_GRANT))?;
    if grant.tenant != index || grant.client != app.client_id {
        return Err(Refusal::of(&refusal::FOREIGN_GRANT));
    }
    let proof = client::authenticate_unless_public(tenant, app, request, now)?;
    let scopes = asked_scopes(request, grant);
    let names: Vec<&str> = scopes.iter().map(String::as_str).collect();
    resource::check_delegated(&names, &tenant.id.to_string())?;
    check_user(tenant, grant)?;
    check_age(grant, now)?;
    Ok(UserSession {
        tenant: index,
        user: grant.user,
        signed_in: grant.signed_in,
        app: app.clone(),
        proof,
        scopes,
        claims: ClaimsRequest::parse(request.get("claims"))?,
    })
}

/// Without scopes, those of the sign-in.
fn asked_scopes(request: &TokenRequest, grant: &RefreshGrant) -> Vec<String> {
    request.get("scope").map_or_else(
        || grant.scopes.clone(),
        |scopes| scopes.split_whitespace().map(str::to_owned).collect(),
    )
}

/// Whether the user still stands behind the sign-in.
fn check_user(tenant: &Tenant, grant: &RefreshGrant) -> Result<(), Refusal> {
    let directory = tenant.id.to_string();
    let account = tenant
        .get(grant.user)
        .ok_or_else(|| Refusal::with(&refusal::REFRESH_OF_UNKNOWN_USER, &[&directory]))?;
    if !account.enabled {
        return Err(Refusal::of(&refusal::DISABLED));
    }
    if grant.signed_in < account.sign_ins_valid_from {
        let (issued, valid) = (
            iso_time(grant.signed_in),
            iso_time(account.sign_ins_valid_from),
        );
        return Err(Refusal::with(&refusal::REVOKED_GRANT, &[&issued, &valid]));
    }
    if account.behaviour == Behaviour::ConditionalAccess {
        return Err(Refusal::of(&refusal::CONDITIONAL_ACCESS));
    }
    Ok(())
}

fn check_age(grant: &RefreshGrant, now: Timestamp) -> Result<(), Refusal> {
    if now.duration_since(grant.issued) < IDLE {
        return Ok(());
    }
    let issued = iso_time(grant.issued);
    Err(Refusal::with(
        &refusal::IDLE_GRANT,
        &[&issued, "90.00:00:00"],
    ))
}
