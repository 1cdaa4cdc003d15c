//! What the agent's own token says of the agent, without a call and without a permission.
//!
//! Nothing is allowed or verified by it: Graph decides. It only tells beforehand what Graph will say,
//! and where it cannot be read, nothing is concluded.
//! Source: Microsoft identity platform, "Access token claims reference" (`oid`, `tid`, `roles`, `scp`,
//! `wids`).

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sync_engine::model::ObjectId;
use uuid::Uuid;

use super::AccessToken;

/// What a token says of whoever holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenFacts {
    /// The object id of the service principal, or of the signed-in user.
    pub(crate) object: Option<ObjectId>,
    /// The tenant's id.
    pub(crate) tenant: Option<Uuid>,
    /// What was consented to: application permissions, or a signed-in user's scopes.
    pub(crate) permissions: BTreeSet<String>,
    /// Template ids of the tenant-wide directory roles; `None` where the token does not list them.
    pub(crate) roles: Option<BTreeSet<Uuid>>,
}

#[derive(Deserialize)]
struct Wire {
    oid: Option<Uuid>,
    tid: Option<Uuid>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    scp: String,
    wids: Option<Vec<String>>,
}

impl TokenFacts {
    /// `None` for a token that cannot be read: its form is the service's own affair.
    pub(crate) fn of(token: &AccessToken) -> Option<Self> {
        let payload = token.expose().split('.').nth(1)?;
        let bytes = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let wire: Wire = serde_json::from_slice(&bytes).ok()?;
        let scopes = wire.scp.split_whitespace().map(str::to_owned);
        let roles = wire.wids.map(|ids| {
            let parsed = ids.iter().filter_map(|id| Uuid::parse_str(id).ok());
            parsed.collect()
        });
        Some(Self {
            object: wire.oid.map(ObjectId),
            tenant: wire.tid,
            permissions: wire.roles.into_iter().chain(scopes).collect(),
            roles,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claims(payload: &Value) -> Option<TokenFacts> {
        let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
        TokenFacts::of(&AccessToken::new(&format!("head.{payload}.signature")))
    }

    #[test]
    fn an_application_s_token_tells_its_permissions_and_roles() {
        let role = Uuid::from_u128(7);
        let told = claims(&json!({
            "oid": Uuid::from_u128(1),
            "tid": Uuid::from_u128(2),
            "roles": ["User.Read.All", "Domain.Read.All"],
            "wids": [role, "not a GUID"],
        }));
        let told = told.unwrap();
        assert_eq!(told.object, Some(ObjectId(Uuid::from_u128(1))));
        assert_eq!(told.tenant, Some(Uuid::from_u128(2)));
        assert_eq!(told.roles, Some([role].into()));
        assert!(told.permissions.contains("Domain.Read.All"));
    }

    #[test]
    fn a_user_s_token_tells_scopes() {
        let told = claims(&json!({ "scp": "openid User.Read.All" })).unwrap();
        let expected = ["User.Read.All", "openid"].map(str::to_owned);
        assert_eq!(told.permissions, expected.into());
        assert_eq!(told.roles, None);
    }

    #[test]
    fn an_opaque_token_tells_nothing() {
        for text in ["token-1", "a.b.c", "", "a.bm90IGpzb24.c"] {
            assert_eq!(TokenFacts::of(&AccessToken::new(text)), None, "{text}");
        }
    }
}
