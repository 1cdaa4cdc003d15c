//! Access tokens: shaped and signed like Entra's, and known by a ledger.
//!
//! The signature is for whoever wants to verify it by the published keys; Graph here knows a token because it was
//! issued here.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::claims_request::ClaimsRequest;
use super::client::ClientProof;
use super::resource::GRAPH_APP_ID;
use super::signing;
use crate::directory::roles::{NO_ROLE, template_id};
use crate::directory::tenant::Tenant;
use crate::reply::with_member;
use crate::scenario::AppSpec;
use crate::world::TenantIndex;

/// What a token allows.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) tenant: TenantIndex,
    pub(crate) subject: Subject,
    /// When whoever acts proved who it is.
    pub(crate) signed_in: Timestamp,
    pub(crate) permissions: Vec<String>,
    pub(crate) expires: Timestamp,
    pub(crate) claims: ClaimsRequest,
}

/// The application that gets a token, and how it proved who it is.
#[derive(Clone, Copy)]
pub(super) struct Holder<'a> {
    pub(super) app: &'a AppSpec,
    pub(super) proof: &'a ClientProof,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// An application, by client id.
    App(Uuid),
    /// A user, by object id.
    User(Uuid),
}

/// How long an expired token is still recognised as one.
const REMEMBER_EXPIRED: SignedDuration = SignedDuration::from_hours(24);

/// Every token that was issued.
#[derive(Debug, Default)]
pub(crate) struct TokenLedger {
    grants: HashMap<String, Grant>,
    prune_at: usize,
}

impl TokenLedger {
    pub(crate) fn issue(&mut self, claims: &Value, grant: Grant, now: Timestamp) -> String {
        let token = signing::sign(claims);
        self.prune(now);
        self.grants.insert(token.clone(), grant);
        token
    }

    pub(crate) fn find(&self, token: &str) -> Option<&Grant> {
        self.grants.get(token)
    }

    /// Forgets long-expired tokens, each time the ledger has doubled.
    fn prune(&mut self, now: Timestamp) {
        if self.grants.len() < self.prune_at.max(1_024) {
            return;
        }
        self.grants.retain(|_, grant| {
            grant
                .expires
                .checked_add(REMEMBER_EXPIRED)
                .is_ok_and(|end| now < end)
        });
        self.prune_at = self.grants.len() * 2;
    }
}

/// Claims of an application's token, named as in a captured one.
pub(super) fn app_claims(
    tenant: &Tenant,
    holder: Holder<'_>,
    origin: &str,
    now: Timestamp,
    grant: &Grant,
) -> Value {
    let client_id = holder.app.client_id;
    let object = tenant.service_principal(client_id);
    let claims = common_claims(tenant, holder, object, origin, now, grant);
    let claims = with_member(claims, "wids", role_ids(&tenant.roles_of_app(client_id)));
    // An application to whose permissions nobody consented has no such claim.
    if grant.permissions.is_empty() {
        claims
    } else {
        with_member(claims, "roles", &grant.permissions)
    }
}

/// Claims of a user's token.
pub(super) fn user_claims(
    tenant: &Tenant,
    holder: Holder<'_>,
    user: Uuid,
    origin: &str,
    now: Timestamp,
    grant: &Grant,
) -> Value {
    let roles = tenant
        .get(user)
        .map(|account| tenant.roles_of_user(account));
    let claims = common_claims(tenant, holder, user, origin, now, grant);
    let claims = with_member(claims, "wids", role_ids(&roles.unwrap_or_default()));
    with_member(claims, "scp", grant.permissions.join(" "))
}

/// The tenant-wide roles of whoever the token is for. Source: Access token claims reference, `wids`.
fn role_ids(roles: &[String]) -> Vec<Uuid> {
    if roles.is_empty() {
        return vec![NO_ROLE];
    }
    roles.iter().map(|role| template_id(role)).collect()
}

/// The `OpenID` Connect token that tells a client who signed in.
pub(crate) fn id_token(
    tenant: &Tenant,
    app: &AppSpec,
    user: Uuid,
    origin: &str,
    now: Timestamp,
) -> String {
    let account = tenant.get(user);
    let expires = now.checked_add(tenant.token_lifetime).unwrap_or(now);
    signing::sign(&json!({
        "aud": app.client_id,
        "iss": format!("{origin}/{}/v2.0", tenant.id),
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "exp": expires.as_second(),
        "name": account.map(|account| account.display_name.as_str()),
        "preferred_username": account.map(|account| account.user_principal_name.as_str()),
        "oid": user,
        "sub": user,
        "tid": tenant.id,
        "uti": random_text(16),
        "ver": "2.0",
    }))
}

fn common_claims(
    tenant: &Tenant,
    holder: Holder<'_>,
    object: Uuid,
    origin: &str,
    now: Timestamp,
    grant: &Grant,
) -> Value {
    let claims = json!({
        "aud": GRAPH_APP_ID,
        "iss": format!("{origin}/{}/v2.0", tenant.id),
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "exp": grant.expires.as_second(),
        "aio": random_text(36),
        "azp": holder.app.client_id,
        "azpacr": holder.proof.azpacr(),
        "oid": object,
        "rh": random_text(24),
        "sub": object,
        "tid": tenant.id,
        "uti": random_text(16),
        "ver": "2.0",
        "xms_ftd": random_text(24),
    });
    if grant.claims.understands_challenges() {
        with_member(claims, "xms_cc", ["cp1"])
    } else {
        claims
    }
}

pub(super) fn random_text(bytes: usize) -> String {
    let mut buffer = vec![0_u8; bytes];
    rand::fill(buffer.as_mut_slice());
    URL_SAFE_NO_PAD.encode(buffer)
}
