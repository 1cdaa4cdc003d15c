//! What the client of a signed-in user gets: an access token and, where it asked, an ID token and a refresh token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access_token::{self, Grant, Holder, Subject};
use super::claims_request::ClaimsRequest;
use super::client::ClientProof;
use super::refresh_token::RefreshGrant;
use super::request::TokenRequest;
use crate::reply::with_member;
use crate::scenario::AppSpec;
use crate::world::{TenantIndex, World};

/// Without this scope there is no refresh token.
const OFFLINE_ACCESS: &str = "offline_access";

/// A user who signed in with a client.
pub(super) struct UserSession {
    pub(super) tenant: TenantIndex,
    pub(super) user: Uuid,
    /// When the user proved who it is; a refresh does not move it.
    pub(super) signed_in: Timestamp,
    pub(super) app: AppSpec,
    pub(super) proof: ClientProof,
    pub(super) scopes: Vec<String>,
    pub(super) claims: ClaimsRequest,
}

impl UserSession {
    /// Issues the tokens and answers with them.
    pub(super) fn answer(self, world: &mut World, request: &TokenRequest, now: Timestamp) -> Value {
        let refresh = self.refresh_grant(now);
        let mut body = self.described(world, request, now);
        let (claims, grant) = self.access(world, request, now);
        let token = world.tokens.issue(&claims, grant, now);
        body = with_member(body, "access_token", token);
        if let Some(grant) = refresh {
            let token = world.refresh_tokens.issue(grant, now);
            body = with_member(body, "refresh_token", token);
        }
        body
    }

    fn refresh_grant(&self, now: Timestamp) -> Option<RefreshGrant> {
        let is_wanted = self.scopes.iter().any(|scope| scope == OFFLINE_ACCESS);
        is_wanted.then(|| RefreshGrant {
            tenant: self.tenant,
            client: self.app.client_id,
            user: self.user,
            signed_in: self.signed_in,
            issued: now,
            scopes: self.scopes.clone(),
        })
    }

    fn described(&self, world: &World, request: &TokenRequest, now: Timestamp) -> Value {
        let tenant = world.tenant(self.tenant);
        let mut body = json!({
            "token_type": "Bearer",
            "scope": granted_scopes(&self.scopes, &self.app.permissions),
            "expires_in": tenant.token_lifetime.as_secs(),
            "ext_expires_in": tenant.token_lifetime.as_secs(),
        });
        if self.scopes.iter().any(|scope| scope == "openid") {
            let token = access_token::id_token(tenant, &self.app, self.user, &request.origin, now);
            body = with_member(body, "id_token", token);
        }
        if request.get("client_info") == Some("1") {
            body = with_member(body, "client_info", client_info(self.user, tenant.id));
        }
        body
    }

    fn access(self, world: &World, request: &TokenRequest, now: Timestamp) -> (Value, Grant) {
        let tenant = world.tenant(self.tenant);
        let grant = Grant {
            tenant: self.tenant,
            subject: Subject::User(self.user),
            signed_in: self.signed_in,
            permissions: self.app.permissions.clone(),
            expires: now.checked_add(tenant.token_lifetime).unwrap_or(now),
            claims: self.claims,
        };
        let holder = Holder {
            app: &self.app,
            proof: &self.proof,
        };
        let claims =
            access_token::user_claims(tenant, holder, self.user, &request.origin, now, &grant);
        (claims, grant)
    }
}

fn granted_scopes(asked: &[String], permissions: &[String]) -> String {
    let oidc = asked
        .iter()
        .filter(|scope| !scope.contains('/') && *scope != OFFLINE_ACCESS);
    let all: Vec<&str> = oidc.chain(permissions).map(String::as_str).collect();
    all.join(" ")
}

fn client_info(user: Uuid, tenant: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(json!({ "uid": user, "utid": tenant }).to_string())
}
