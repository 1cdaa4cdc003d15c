//! Begins a person's sign-in with a password: one request, written down before and told of after, never repeated.

use std::sync::Arc;

use sync_engine::model::{EdgeWhitespace, SignIn, TenantId};

use super::endpoint::Refreshed;
use super::{AppIdentity, ClaimsChallenge, TokenEndpoint, TokenFault, sign_in_ends};
use crate::service_clock::ServiceClock;
use crate::{GraphError, PasswordFault, PersonPassword, SignInEnd, VerdictTable, verify};

/// A sign-in by password of one tenant.
pub(crate) struct ByPassword {
    pub(crate) endpoint: Arc<TokenEndpoint>,
    pub(crate) app: AppIdentity,
    pub(crate) scope: String,
    pub(crate) tenant: TenantId,
    pub(crate) clock: Arc<ServiceClock>,
    pub(crate) table: VerdictTable,
    pub(crate) password: Arc<dyn PersonPassword>,
}

impl ByPassword {
    /// A token on the person's behalf, and the refresh token of the new sign-in.
    pub(crate) async fn sign_in(
        &self,
        end: Option<SignInEnd>,
        challenge: Option<&ClaimsChallenge>,
    ) -> Result<Refreshed, GraphError> {
        let given = self.password.next(end).await?;
        if given.password.facts().edge_whitespace == EdgeWhitespace::Present {
            let outcome = verify::not_sent();
            self.password.ended(given.attempt, &outcome).await;
            return Err(GraphError::PasswordRefused {
                fault: PasswordFault::EdgeWhitespace,
                code: None,
            });
        }
        let answer = self
            .endpoint
            .person_by_password(&self.app, &self.scope, &given, challenge)
            .await;
        let outcome = verify::outcome(answer.as_ref().err(), &self.table);
        self.password.ended(given.attempt, &outcome).await;
        answer.map_err(|fault| self.explain(fault, &outcome))
    }

    fn explain(&self, fault: TokenFault, outcome: &SignIn) -> GraphError {
        fault.explain(&self.endpoint, |refusal| {
            let client_id = self.app.client_id();
            let off_by = self.clock.off_by();
            let error = sign_in_ends::explain(refusal, &self.tenant, client_id, off_by);
            let end = match error {
                GraphError::SignInEnded { end, .. } => Some(end),
                _ => None,
            };
            PasswordFault::of(&outcome.verdict, end).map_or(error, |fault| {
                GraphError::PasswordRefused {
                    fault,
                    code: outcome.code,
                }
            })
        })
    }
}
