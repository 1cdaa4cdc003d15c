//! Signs the agent in with its app's client secret.

use std::sync::Arc;

use async_trait::async_trait;
use sync_engine::model::TenantId;

use super::{AppIdentity, Granted, TokenEndpoint, TokenFault, TokenSource, refusals};
use crate::GraphError;
use crate::service_clock::ServiceClock;

/// The client credentials grant with a client secret.
pub(crate) struct ClientSecretSource {
    pub(crate) endpoint: Arc<TokenEndpoint>,
    pub(crate) app: AppIdentity,
    pub(crate) scope: String,
    pub(crate) tenant: TenantId,
    pub(crate) clock: Arc<ServiceClock>,
}

#[async_trait]
impl TokenSource for ClientSecretSource {
    async fn acquire(&self) -> Result<Granted, GraphError> {
        let granted = self
            .endpoint
            .client_credentials(&self.app, &self.scope)
            .await;
        granted.map_err(|fault| self.explain(fault))
    }
}

impl ClientSecretSource {
    fn explain(&self, fault: TokenFault) -> GraphError {
        match fault {
            TokenFault::Send(fault) => fault.at(self.endpoint.host()),
            TokenFault::Refused(refusal) => refusals::explain(
                &refusal,
                &self.tenant,
                self.app.client_id(),
                self.clock.off_by(),
            ),
            TokenFault::NotUnderstood => GraphError::NotUnderstood {
                call: "POST /oauth2/v2.0/token",
                source: None,
            },
        }
    }
}
