//! Keeps rotated tokens: the agent's, and the refresh token of the administrator whom it acts for.

use async_trait::async_trait;
use msgraph_sync::RefreshTokenKeeper;
use passportal_client::TokenKeeper;
use passportal_client::envelope::DataKey;
use secrecy::SecretString;
use sync_engine::model::ClientId;
use sync_engine::ports::Cause;

use crate::secrets::{Administrator, SecretFiles};

/// The token of one client's enrolment.
#[derive(Debug)]
pub(crate) struct KeptToken {
    secrets: SecretFiles,
    client: ClientId,
}

impl KeptToken {
    pub(crate) fn new(secrets: SecretFiles, client: ClientId) -> Self {
        Self { secrets, client }
    }
}

#[async_trait]
impl TokenKeeper for KeptToken {
    async fn keep(&self, token: &SecretString) -> Result<(), Cause> {
        Ok(self.secrets.replace_token(self.client, token.clone())?)
    }
}

/// The refresh token of one client's administrator.
#[derive(Debug)]
pub(crate) struct KeptSignIn {
    secrets: SecretFiles,
    key: DataKey,
}

impl KeptSignIn {
    pub(crate) fn new(secrets: SecretFiles, key: DataKey) -> Self {
        Self { secrets, key }
    }
}

#[async_trait]
impl RefreshTokenKeeper for KeptSignIn {
    async fn kept(&self) -> Result<SecretString, Cause> {
        Ok(self.secrets.load_administrator(&self.key)?.refresh_token)
    }

    async fn keep(&self, token: &SecretString) -> Result<(), Cause> {
        let administrator = Administrator {
            refresh_token: token.clone(),
            ..self.secrets.load_administrator(&self.key)?
        };
        Ok(self.secrets.save_administrator(&self.key, &administrator)?)
    }
}
