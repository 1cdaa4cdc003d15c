//! Access tokens for Graph: where they come from, and how long one is used.

mod assertion;
mod bridge;
mod by_password;
mod cache;
mod certificate_watch;
mod claims;
mod client_credentials;
mod device_code;
mod endpoint;
mod facts;
mod identity;
mod person;
mod refusals;
pub(crate) mod sign_in_ends;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::GraphError;

pub(crate) use bridge::TokenBridge;
pub(crate) use by_password::ByPassword;
pub(crate) use cache::TokenCache;
pub(crate) use certificate_watch::CertificateWatch;
pub(crate) use claims::ClaimsChallenge;
pub(crate) use client_credentials::ClientCredentialsSource;
pub(crate) use device_code::DeviceFault;
pub(crate) use endpoint::{Refusal, TokenEndpoint, TokenFault, refusal};
pub(crate) use facts::TokenFacts;
pub(crate) use identity::AppIdentity;
pub(crate) use person::PersonSource;

/// One way for the agent to sign in. Each call asks Entra ID anew.
#[async_trait]
pub(crate) trait TokenSource: Send + Sync {
    /// A new token, with the claims that a challenge demands.
    async fn acquire(&self, challenge: Option<&ClaimsChallenge>) -> Result<Granted, GraphError>;
}

/// A token as it was granted.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) token: AccessToken,
    /// From when it was asked for.
    pub(crate) lifetime: Duration,
}

/// A bearer token.
#[derive(Clone)]
pub(crate) struct AccessToken(SecretString);

impl AccessToken {
    pub(crate) fn new(token: &str) -> Self {
        Self(SecretString::from(token))
    }

    /// For the one line that puts it into a header.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(redacted)")
    }
}
