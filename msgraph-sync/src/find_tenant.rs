//! Finds out whether a tenant is there, and whether its services can be reached, before anybody signs in.

use reqwest::{Method, Request, StatusCode};
use serde::Deserialize;

use crate::directory::Entrance;
use crate::service_clock::Off;
use crate::tenant::Connection;
use crate::{GraphError, GraphSetupError};

/// Source: OpenID Connect on the Microsoft identity platform, "Find your app's OpenID configuration document URI".
const DISCOVERY: &str = "v2.0/.well-known/openid-configuration";

/// A call that the agent makes anyway.
const GRAPH: &str = "/v1.0/domains";

/// Why the tenant was not found.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FindTenantError {
    /// The configuration.
    #[error(transparent)]
    Setup(#[from] std::sync::Arc<GraphSetupError>),
    /// Microsoft's side.
    #[error(transparent)]
    Entra(#[from] GraphError),
}

impl FindTenantError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Setup(_) => Some("give a verified domain of the tenant or its GUID"),
            Self::Entra(source) => source.hint(),
        }
    }
}

#[derive(Deserialize)]
struct Discovery {
    issuer: url::Url,
}

/// Asks the sign-in service for the tenant by any of its names, and Graph for any answer, which is a refusal, because nobody
/// has signed in. The connection's app is not looked at. Answers with the tenant's id.
///
/// # Errors
/// When there is no such tenant, a service cannot be reached, or this machine's clock is wrong.
pub async fn find_tenant(connection: Connection) -> Result<String, FindTenantError> {
    let tenant = connection.tenant.clone();
    let entrance = Entrance::of(connection).map_err(std::sync::Arc::new)?;
    let Connection { endpoints, .. } = &entrance.connection;
    let url = entrance.connection.tenant_url(DISCOVERY);
    let url = url.map_err(std::sync::Arc::new)?;
    let answer = get(&entrance, url).await?;
    if answer.status != StatusCode::OK {
        let refusal = crate::token::refusal(&answer);
        let code = refusal.codes.first().copied();
        return Err(match code {
            Some(code) => GraphError::UnknownTenant { tenant, code },
            None => GraphError::Unexpected(refusal.fault()),
        }
        .into());
    }
    let found: Discovery =
        serde_json::from_slice(&answer.body).map_err(|error| GraphError::NotUnderstood {
            call: "GET /.well-known/openid-configuration",
            source: Some(std::sync::Arc::new(error)),
        })?;
    let mut url = endpoints.graph.clone();
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}{GRAPH}"));
    get(&entrance, url).await?;
    if let Some(off) = entrance.clock.off_by() {
        return Err(GraphError::ClockOff {
            off: Off(off).to_string(),
        }
        .into());
    }
    let id = found
        .issuer
        .path_segments()
        .and_then(|mut it| it.next().map(str::to_owned));
    Ok(id.unwrap_or_default())
}

async fn get(entrance: &Entrance, url: url::Url) -> Result<crate::transport::Answer, GraphError> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let answer = entrance
        .transport
        .send(Request::new(Method::GET, url))
        .await;
    answer.map_err(|fault| fault.at(host))
}

#[cfg(test)]
mod tests {
    use sync_engine::model::TenantId;

    use super::*;
    use crate::test_world::{PUBLIC, TENANT, World};

    #[tokio::test]
    async fn a_tenant_is_found_by_its_domain_and_told_by_its_id() {
        let world = World::start();
        let id = find_tenant(world.connection(PUBLIC)).await.unwrap();
        assert!(uuid::Uuid::try_parse(&id).is_ok(), "{id}");
        let mut by_id = world.connection(PUBLIC);
        by_id.tenant = TenantId(id.clone());
        assert_eq!(find_tenant(by_id).await.unwrap(), id);
        assert_eq!(world.simulator.counters().token_requests, 0);
    }

    #[tokio::test]
    async fn another_name_is_told_as_no_tenant_and_a_wrong_one_before_anything_is_sent() {
        let world = World::start();
        let named = |name: &str| {
            let mut connection = world.connection(PUBLIC);
            connection.tenant = TenantId(name.to_owned());
            find_tenant(connection)
        };
        let error = named("nobody.example").await.unwrap_err();
        let unknown = matches!(
            error,
            FindTenantError::Entra(GraphError::UnknownTenant { .. })
        );
        assert!(unknown, "{error}");
        assert!(error.hint().is_some());
        let requests = world.simulator.counters().requests;
        named("a/../b").await.unwrap_err();
        assert_eq!(world.simulator.counters().requests, requests);
    }

    #[tokio::test]
    async fn a_graph_that_cannot_be_reached_is_named() {
        let world = World::start();
        let mut connection = world.connection(PUBLIC);
        let nowhere = "http://127.0.0.1:9".parse().unwrap();
        connection.endpoints = connection.endpoints.with_graph(nowhere);
        assert_eq!(connection.tenant.0, TENANT);
        let error = find_tenant(connection).await.unwrap_err();
        assert!(error.to_string().contains("127.0.0.1"), "{error}");
    }
}
