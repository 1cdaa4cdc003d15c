//! Documents by which clients find the endpoints: `OpenID` configuration, instance discovery, user realm.
//!
//! Source: Microsoft's published discovery document, field by field.

use serde_json::{Value, json};

use crate::scenario::Authentication;

/// Tenant segments that stand for no tenant in particular.
pub(super) fn is_shared(segment: &str) -> bool {
    ["common", "organizations", "consumers"].contains(&segment)
}

/// The `OpenID` configuration for a tenant segment, issued by a tenant id or its placeholder.
pub(super) fn document(origin: &str, segment: &str, issuer_tenant: &str) -> Value {
    let endpoint = |path: &str| format!("{origin}/{segment}/{path}");
    json!({
        "issuer": format!("{origin}/{issuer_tenant}/v2.0"),
        "authorization_endpoint": endpoint("oauth2/v2.0/authorize"),
        "token_endpoint": endpoint("oauth2/v2.0/token"),
        "device_authorization_endpoint": endpoint("oauth2/v2.0/devicecode"),
        "end_session_endpoint": endpoint("oauth2/v2.0/logout"),
        "jwks_uri": endpoint("discovery/v2.0/keys"),
        "userinfo_endpoint": format!("{origin}/oidc/userinfo"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
            "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid",
            "ver", "at_hash", "c_hash", "email"
        ],
        "request_uri_parameter_supported": false,
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

/// Instance discovery: this host is a cloud of its own.
pub(super) fn instance(origin: &str, segment: &str) -> Value {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    json!({
        "tenant_discovery_endpoint": format!("{origin}/{segment}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    })
}

/// Who authenticates a user's domain.
pub(super) fn realm(
    origin: &str,
    user: &str,
    domain: &str,
    authentication: Option<Authentication>,
) -> Value {
    match authentication {
        None => json!({ "ver": "1.0", "account_type": "Unknown", "login": user }),
        Some(Authentication::Managed) => json!({
            "ver": "1.0",
            "account_type": "Managed",
            "domain_name": domain,
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }),
        Some(Authentication::Federated) => json!({
            "ver": "1.0",
            "account_type": "Federated",
            "domain_name": domain,
            "federation_protocol": "WSTrust",
            "federation_metadata_url": format!("{origin}/adfs/services/trust/mex"),
            "federation_active_auth_url": format!("{origin}/adfs/services/trust/2005/usernamemixed"),
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }),
    }
}
