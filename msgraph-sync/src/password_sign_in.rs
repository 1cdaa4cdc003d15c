//! Signs a person in by password for the first time.

use std::sync::Arc;

use secrecy::SecretString;

use crate::directory::Entrance;
use crate::tenant::Connection;
use crate::token::{AppIdentity, ByPassword};
use crate::{GraphError, GraphSetupError, PersonPassword, VerdictTable};

/// Why nobody is signed in.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordSignInError {
    /// The configuration.
    #[error(transparent)]
    Setup(Arc<GraphSetupError>),
    /// The password was not sent, or Entra ID did not go along.
    #[error("Entra ID did not sign the administrator in")]
    Entra(#[source] GraphError),
}

/// Sends the password once, as a public client. The answer is the person's first refresh token.
///
/// # Errors
/// When the configuration is wrong, the password is not given, or Entra ID does not accept it.
pub async fn sign_in_by_password(
    connection: Connection,
    verdict_table: Option<VerdictTable>,
    password: Arc<dyn PersonPassword>,
) -> Result<SecretString, PasswordSignInError> {
    let entrance = Entrance::of(connection);
    let entrance = entrance.map_err(|error| PasswordSignInError::Setup(Arc::new(error)))?;
    let by_password = ByPassword {
        app: AppIdentity::public(&entrance.connection.client_id),
        scope: entrance.connection.endpoints.scope(),
        tenant: entrance.connection.tenant,
        endpoint: entrance.endpoint,
        clock: entrance.clock,
        table: verdict_table.unwrap_or_else(VerdictTable::built_in),
        password,
    };
    let signed_in = by_password.sign_in(None, None).await;
    let signed_in = signed_in.map_err(PasswordSignInError::Entra)?;
    signed_in
        .rotated
        .ok_or(PasswordSignInError::Entra(GraphError::NotUnderstood {
            call: "POST /oauth2/v2.0/token",
            source: None,
        }))
}

#[cfg(test)]
mod tests;
