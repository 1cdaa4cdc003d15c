//! Scopes: which resource a token is asked for.

use super::refusal::{self, Refusal};

/// Microsoft Graph's own application id.
pub(super) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// Names of Graph in Microsoft's clouds. Source: Microsoft Graph national cloud deployments.
const GRAPH_RESOURCES: [&str; 5] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
    GRAPH_APP_ID,
];

/// Scopes of `OpenID` Connect, which belong to no resource.
const OIDC_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Refuses a scope whose resource is not Graph.
pub(super) fn check_delegated(scopes: &[&str], tenant_id: &str) -> Result<(), Refusal> {
    for scope in scopes.iter().filter(|scope| !OIDC_SCOPES.contains(scope)) {
        if let Some((resource, _)) = split(scope) {
            check_resource(resource, tenant_id)?;
        }
    }
    Ok(())
}

/// Refuses everything but one `…/.default` of Graph, as the client credentials grant does.
pub(super) fn check_app_only(scopes: &[&str], tenant_id: &str) -> Result<(), Refusal> {
    match scopes {
        [scope] => match split(scope) {
            Some((resource, ".default")) => check_resource(resource, tenant_id),
            _ => Err(Refusal::with(&refusal::SCOPE_WITHOUT_DEFAULT, &[scope])),
        },
        _ => Err(Refusal::with(
            &refusal::SCOPE_WITHOUT_DEFAULT,
            &[&scopes.join(" ")],
        )),
    }
}

/// `https://graph.microsoft.com/User.Read` in its two parts; a bare `User.Read` is Graph's.
fn split(scope: &str) -> Option<(&str, &str)> {
    scope
        .rsplit_once('/')
        .map(|(resource, permission)| (resource.trim_end_matches('/'), permission))
}

fn check_resource(resource: &str, tenant_id: &str) -> Result<(), Refusal> {
    if GRAPH_RESOURCES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(resource))
    {
        return Ok(());
    }
    Err(Refusal::with(
        &refusal::UNKNOWN_RESOURCE,
        &[resource, tenant_id],
    ))
}
