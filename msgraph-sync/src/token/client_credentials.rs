//! Signs the agent in as its app: the client credentials grant, whatever proves who it is.

use std::sync::Arc;

use async_trait::async_trait;
use sync_engine::model::TenantId;

use super::certificate_watch::CertificateWatch;
use super::{
    AppIdentity, ClaimsChallenge, Granted, TokenEndpoint, TokenFault, TokenSource, refusals,
};
use crate::GraphError;
use crate::service_clock::ServiceClock;

/// The client credentials grant.
pub(crate) struct ClientCredentialsSource {
    pub(crate) endpoint: Arc<TokenEndpoint>,
    pub(crate) app: AppIdentity,
    pub(crate) scope: String,
    pub(crate) tenant: TenantId,
    pub(crate) clock: Arc<ServiceClock>,
    pub(crate) watch: CertificateWatch,
}

#[async_trait]
impl TokenSource for ClientCredentialsSource {
    async fn acquire(&self, challenge: Option<&ClaimsChallenge>) -> Result<Granted, GraphError> {
        if let Some(certificate) = self.app.certificate() {
            self.watch.look(certificate.life(), self.app.client_id());
        }
        let granted = self
            .endpoint
            .client_credentials(&self.app, &self.scope, challenge)
            .await;
        granted.map_err(|fault| self.explain(fault))
    }
}

impl ClientCredentialsSource {
    fn explain(&self, fault: TokenFault) -> GraphError {
        fault.explain(&self.endpoint, |refusal| {
            // Only an assertion of our own has this machine's time in it.
            let clock = self.app.certificate().and(self.clock.off_by());
            refusals::explain(refusal, &self.tenant, self.app.client_id(), clock)
        })
    }
}
