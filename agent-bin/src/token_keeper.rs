//! Keeps a rotated agent token beside the rest of the enrolment.

use async_trait::async_trait;
use passportal_client::TokenKeeper;
use secrecy::SecretString;
use sync_engine::model::ClientId;
use sync_engine::ports::Cause;

use crate::secrets::SecretFiles;

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
