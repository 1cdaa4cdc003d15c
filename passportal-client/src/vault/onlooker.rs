//! The vault port for a dry run: what people said is read, and does not count as heard.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sync_engine::model::{AttemptNotice, CredentialId, Cursor, Report, VaultChanges, VaultVersion};
use sync_engine::ports::{CredentialVault, Lease, PasswordAnswer, VaultError, Wait};

use super::{PassportalVault, Reader};

/// Reads a client's vault beside whoever acts for it. It hands out no password and tells the vault nothing.
pub struct Onlooker(Arc<PassportalVault>);

impl Onlooker {
    /// Looks at this vault.
    pub fn new(vault: Arc<PassportalVault>) -> Self {
        Self(vault)
    }
}

#[async_trait]
impl CredentialVault for Onlooker {
    /// Never takes the lease.
    async fn lease(&self) -> Result<Lease, VaultError> {
        Ok(Lease::Elsewhere {
            holder: "nobody: this only looks".to_owned(),
            until: Timestamp::now(),
        })
    }

    async fn changes(
        &self,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        self.0.read_as(Reader::Looks, since, wait).await
    }

    async fn password(
        &self,
        _credential: CredentialId,
        _version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        Ok(PasswordAnswer::Superseded)
    }

    async fn note_attempts(&self, _notices: &[AttemptNotice]) -> Result<(), VaultError> {
        Ok(())
    }

    async fn report(&self, _report: &Report) -> Result<(), VaultError> {
        Ok(())
    }
}
