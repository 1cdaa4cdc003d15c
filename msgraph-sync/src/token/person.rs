//! Signs the agent in on behalf of a person: the refresh token grant, with a new refresh token each time; and once more by
//! password, where that ended and the password can be had.
//!
//! Source: Refresh tokens in the Microsoft identity platform. A refresh token replaces itself with each use, and the old one
//! stays good for a while.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sync_engine::model::TenantId;
use tokio::sync::Mutex;

use super::endpoint::Refreshed;
use super::{
    AppIdentity, ByPassword, ClaimsChallenge, Granted, TokenEndpoint, TokenFault, TokenSource,
    sign_in_ends,
};
use crate::service_clock::ServiceClock;
use crate::{GraphError, RefreshTokenKeeper, SignedInPerson, VerdictTable};

/// The refresh token grant.
pub(crate) struct PersonSource {
    endpoint: Arc<TokenEndpoint>,
    app: AppIdentity,
    scope: String,
    tenant: TenantId,
    clock: Arc<ServiceClock>,
    keeper: Arc<dyn RefreshTokenKeeper>,
    by_password: Option<ByPassword>,
    current: Mutex<Current>,
}

struct Current {
    token: SecretString,
    /// What the keeper had when it was heard of last; another than `token` where that could not be kept.
    kept: SecretString,
}

impl Current {
    fn of(kept: SecretString) -> Self {
        Self {
            token: kept.clone(),
            kept,
        }
    }

    fn is_kept(&self) -> bool {
        self.token.expose_secret() == self.kept.expose_secret()
    }
}

impl PersonSource {
    pub(crate) fn new(
        endpoint: Arc<TokenEndpoint>,
        app: AppIdentity,
        scope: String,
        tenant: TenantId,
        clock: Arc<ServiceClock>,
        person: SignedInPerson,
        table: VerdictTable,
    ) -> Self {
        let by_password = person.password.map(|password| ByPassword {
            endpoint: Arc::clone(&endpoint),
            app: app.clone(),
            scope: scope.clone(),
            tenant: tenant.clone(),
            clock: Arc::clone(&clock),
            table,
            password,
        });
        Self {
            endpoint,
            app,
            scope,
            tenant,
            clock,
            keeper: person.keeper,
            by_password,
            current: Mutex::new(Current::of(person.refresh_token)),
        }
    }

    async fn redeem(
        &self,
        token: &SecretString,
        challenge: Option<&ClaimsChallenge>,
    ) -> Result<Refreshed, GraphError> {
        let answer = self
            .endpoint
            .refresh(&self.app, &self.scope, token, challenge)
            .await;
        answer.map_err(|fault| self.explain(fault))
    }

    /// The kept token is the one that counts: the person may have signed in anew, in another process. One that could not
    /// be kept comes before it.
    async fn redeem_any(
        &self,
        current: &mut Current,
        challenge: Option<&ClaimsChallenge>,
    ) -> Result<Refreshed, GraphError> {
        if !current.is_kept() {
            match self.redeem(&current.token, challenge).await {
                Err(GraphError::SignInEnded { .. }) => {}
                answer => return answer,
            }
        }
        if let Ok(kept) = self.keeper.kept().await {
            *current = Current::of(kept);
        }
        self.redeem(&current.token, challenge).await
    }

    /// A token that could not be kept is used nevertheless: the one that is kept stays good, and the next one is kept
    /// in its place.
    async fn keep(&self, current: &mut Current, rotated: SecretString) {
        match self.keeper.keep(&current.kept, &rotated).await {
            Ok(()) => *current = Current::of(rotated),
            Err(error) => {
                tracing::error!(
                    error = &*error as &dyn std::error::Error,
                    "the administrator's new refresh token could not be kept; the agent goes on with it, and after a \
                     restart with the one before"
                );
                current.token = rotated;
            }
        }
    }

    fn explain(&self, fault: TokenFault) -> GraphError {
        fault.explain(&self.endpoint, |refusal| {
            let client_id = self.app.client_id();
            sign_in_ends::explain(refusal, &self.tenant, client_id, self.clock.off_by())
        })
    }
}

#[async_trait]
impl TokenSource for PersonSource {
    async fn acquire(&self, challenge: Option<&ClaimsChallenge>) -> Result<Granted, GraphError> {
        let mut current = self.current.lock().await;
        let refreshed = match (
            self.redeem_any(&mut current, challenge).await,
            &self.by_password,
        ) {
            (Err(GraphError::SignInEnded { end, code }), Some(by_password))
                if end.is_mended_by_password() =>
            {
                tracing::info!("the administrator's sign-in has ended: {end} (AADSTS{code})");
                by_password.sign_in(Some(end), challenge).await?
            }
            (answer, _) => answer?,
        };
        if let Some(rotated) = refreshed.rotated {
            self.keep(&mut current, rotated).await;
        }
        Ok(refreshed.granted)
    }
}

#[cfg(test)]
mod tests;
