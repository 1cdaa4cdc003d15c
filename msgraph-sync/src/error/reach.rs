//! How far a failure reaches: one call, or the service; for now, or until somebody acts; and as what the engine sees it.

use std::time::Duration;

use reqwest::StatusCode;
use sync_engine::ports::DirectoryError;

use super::{GraphError, ServiceFault};
use crate::retry_after::UNNAMED;
use crate::{ProxyTrouble, service_clock};

impl GraphError {
    /// Whether it is about one call, and says nothing of the sign-in or of the service as a whole.
    pub(crate) fn is_of_one_call(&self) -> bool {
        matches!(
            self,
            Self::Forbidden { .. }
                | Self::NotFound
                | Self::LinkExpired
                | Self::TooLarge { .. }
                | Self::Unexpected(_)
                | Self::ForeignLink { .. }
                | Self::NotUnderstood { .. }
                | Self::NotBuilt { .. }
        )
    }

    /// Whether trying again may help.
    pub(crate) fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::NoAnswer { .. }
                | Self::Service(_)
                | Self::Proxy {
                    trouble: ProxyTrouble::NotReached,
                    ..
                }
        )
    }

    /// How long the service asked us to wait.
    pub(crate) fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::Service(fault) => fault.wait,
            _ => None,
        }
    }
}

impl From<GraphError> for DirectoryError {
    fn from(error: GraphError) -> Self {
        match &error {
            GraphError::Service(fault) if is_throttling(fault) => Self::Throttled {
                retry_at: service_clock::after(fault.wait.unwrap_or(UNNAMED)),
            },
            GraphError::PasswordNotSent(why) if why.passes => Self::Unavailable(Box::new(error)),
            GraphError::Unreachable { .. }
            | GraphError::Proxy { .. }
            | GraphError::NoAnswer { .. }
            | GraphError::LinkExpired
            | GraphError::Service(_) => Self::Unavailable(Box::new(error)),
            GraphError::UnknownTenant { .. }
            | GraphError::UnknownApp { .. }
            | GraphError::AppDisabled { .. }
            | GraphError::WrongSecret { .. }
            | GraphError::SecretExpired { .. }
            | GraphError::CertificateRefused { .. }
            | GraphError::CertificateExpired { .. }
            | GraphError::CertificateNotYetValid { .. }
            | GraphError::FederatedTokenFile { .. }
            | GraphError::FederatedTokenEmpty { .. }
            | GraphError::FederationRefused { .. }
            | GraphError::NotAPublicClient { .. }
            | GraphError::SignInEnded { .. }
            | GraphError::PasswordNotSent(_)
            | GraphError::PasswordRefused { .. }
            | GraphError::SignInRefused(_)
            | GraphError::ClockOff { .. }
            | GraphError::TokenRefused(_) => Self::SignIn(Box::new(error)),
            GraphError::Forbidden { .. } | GraphError::NoConsent => {
                Self::NotAuthorised(Box::new(error))
            }
            GraphError::NotFound
            | GraphError::TooLarge { .. }
            | GraphError::Unexpected(_)
            | GraphError::ForeignLink { .. }
            | GraphError::NotUnderstood { .. }
            | GraphError::NotBuilt { .. } => Self::Protocol(Box::new(error)),
        }
    }
}

/// A 503 that names a time is a request for patience too.
fn is_throttling(fault: &ServiceFault) -> bool {
    fault.status == StatusCode::TOO_MANY_REQUESTS || fault.wait.is_some()
}
