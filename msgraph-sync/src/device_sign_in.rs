//! Signs a person in by device code: here a code is shown, elsewhere the person enters it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oauth2::StandardDeviceAuthorizationResponse;
use secrecy::SecretString;

use crate::directory::Entrance;
use crate::service_clock::ServiceClock;
use crate::tenant::Connection;
use crate::token::{DeviceFault, TokenEndpoint, sign_in_ends};
use crate::{GraphError, GraphSetupError};

/// A sign-in that waits for a person.
pub struct DeviceSignIn {
    connection: Connection,
    endpoint: Arc<TokenEndpoint>,
    clock: Arc<ServiceClock>,
    codes: StandardDeviceAuthorizationResponse,
}

/// What a person needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCodeNotice {
    /// The page to open, on any machine.
    pub address: String,
    /// What to enter there.
    pub user_code: String,
    /// How long the code is good for.
    pub expires_in: Duration,
}

/// Why nobody is signed in.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceSignInError {
    /// The configuration.
    #[error(transparent)]
    Setup(Arc<GraphSetupError>),
    /// The person said no.
    #[error("the sign-in was declined")]
    Declined,
    /// Nobody entered the code.
    #[error("nobody entered the code in time")]
    Expired,
    /// Entra ID did not go along, or could not be reached.
    #[error("Entra ID did not sign anybody in")]
    Entra(#[source] GraphError),
}

impl DeviceSignInError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Setup(_) => None,
            Self::Declined | Self::Expired => {
                Some("run it again, and enter the new code with an administrator's account")
            }
            Self::Entra(source) => source.hint(),
        }
    }
}

impl DeviceSignIn {
    /// Asks for a code.
    ///
    /// # Errors
    /// What is wrong with the configuration, or what Entra ID says against it.
    pub async fn begin(connection: Connection) -> Result<Self, DeviceSignInError> {
        let setup = |error| DeviceSignInError::Setup(Arc::new(error));
        let Entrance {
            connection,
            clock,
            endpoint,
            ..
        } = Entrance::of(connection).map_err(setup)?;
        let code_url = connection.oauth_url("devicecode").map_err(setup)?;
        let scope = connection.endpoints.scope();
        let codes = endpoint
            .device_code(&code_url, &connection.client_id, &scope)
            .await;
        let codes = codes.map_err(|fault| {
            let fault = DeviceFault::Token(fault);
            explain(fault, &connection, &endpoint, &clock)
        })?;
        Ok(Self {
            connection,
            endpoint,
            clock,
            codes,
        })
    }

    /// What to show.
    pub fn notice(&self) -> DeviceCodeNotice {
        DeviceCodeNotice {
            address: self.codes.verification_uri().to_string(),
            user_code: self.codes.user_code().secret().clone(),
            expires_in: self.codes.expires_in(),
        }
    }

    /// Waits for the person, at the pace that Entra ID asks for. The answer is the person's first refresh token.
    ///
    /// # Errors
    /// When the person declines, does not come, or is not let in.
    pub async fn wait(self) -> Result<SecretString, DeviceSignInError> {
        self.wait_with(tokio::time::sleep).await
    }

    async fn wait_with<P: Future<Output = ()>>(
        self,
        pause: impl Fn(Duration) -> P,
    ) -> Result<SecretString, DeviceSignInError> {
        let client_id = &self.connection.client_id;
        let answer = self
            .endpoint
            .poll_device_code(client_id, &self.codes, pause)
            .await;
        answer.map_err(|fault| explain(fault, &self.connection, &self.endpoint, &self.clock))
    }
}

impl fmt::Debug for DeviceSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceSignIn").finish_non_exhaustive()
    }
}

fn explain(
    fault: DeviceFault,
    connection: &Connection,
    endpoint: &TokenEndpoint,
    clock: &ServiceClock,
) -> DeviceSignInError {
    match fault {
        DeviceFault::Declined => DeviceSignInError::Declined,
        DeviceFault::Expired => DeviceSignInError::Expired,
        DeviceFault::Token(fault) => DeviceSignInError::Entra(fault.explain(endpoint, |refusal| {
            let (tenant, client_id) = (&connection.tenant, &connection.client_id);
            sign_in_ends::explain(refusal, tenant, client_id, clock.off_by())
        })),
    }
}

#[cfg(test)]
mod tests;
