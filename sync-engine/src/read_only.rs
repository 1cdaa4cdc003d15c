//! A dry run, as decorators over the ports: a write cannot slip through a forgotten `if`.

use std::sync::Arc;

use async_trait::async_trait;

use crate::engine::Ports;
use crate::model::{
    Account, AttemptNotice, ClientMemory, CredentialId, CredentialMemory, Cursor, DeltaLink,
    DirectoryChanges, Domains, JournalEntry, Memory, ObjectId, Password, PlanId, Report, ReportId,
    ResetRights, SignIn, UnknownReason, UserPrincipalName, VaultChanges, VaultVersion, Verdict,
};
use crate::plan::HeldPlan;
use crate::ports::{
    Clock, CredentialVault, Directory, DirectoryError, Lease, PasswordAnswer, SetPassword,
    StateStore, StoreError, VaultError, Wait,
};

/// A port that can be read and not written. Passwords are not handed out at all.
pub struct ReadOnly<P: ?Sized> {
    inner: Arc<P>,
    clock: Arc<dyn Clock>,
}

impl Ports {
    /// The same world, where nothing can be changed.
    #[must_use]
    pub fn read_only(&self) -> Self {
        let clock = &self.clock;
        Self {
            vault: Arc::new(ReadOnly::new(&self.vault, clock)),
            directory: Arc::new(ReadOnly::new(&self.directory, clock)),
            store: Arc::new(ReadOnly::new(&self.store, clock)),
            clock: Arc::clone(clock),
        }
    }
}

impl<P: ?Sized> ReadOnly<P> {
    fn new(inner: &Arc<P>, clock: &Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::clone(inner),
            clock: Arc::clone(clock),
        }
    }
}

#[async_trait]
impl CredentialVault for ReadOnly<dyn CredentialVault> {
    /// Never takes the lease: another agent may be at work.
    async fn lease(&self) -> Result<Lease, VaultError> {
        Ok(Lease::Elsewhere {
            holder: "nobody: this is a dry run".to_owned(),
            until: self.clock.now(),
        })
    }

    async fn changes(
        &self,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        self.inner.changes(since, wait).await
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

    async fn show_plans(&self, _plans: &[HeldPlan]) -> Result<(), VaultError> {
        Ok(())
    }
}

#[async_trait]
impl Directory for ReadOnly<dyn Directory> {
    async fn changes(&self, since: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError> {
        self.inner.changes(since).await
    }

    async fn domains(&self) -> Result<Domains, DirectoryError> {
        self.inner.domains().await
    }

    async fn reset_rights(&self) -> Result<ResetRights, DirectoryError> {
        self.inner.reset_rights().await
    }

    async fn account(&self, id: ObjectId) -> Result<Option<Account>, DirectoryError> {
        self.inner.account(id).await
    }

    /// Never signs in: a test can count towards a lockout.
    async fn verify(&self, _user_name: &UserPrincipalName, _password: &Password) -> SignIn {
        SignIn {
            verdict: Verdict::Unknown(UnknownReason::SwitchedOff),
            counted: false,
            code: None,
            retry_at: None,
        }
    }

    async fn set_password(&self, _id: ObjectId, _password: &Password) -> SetPassword {
        SetPassword::NotNow {
            retry_at: self.clock.now(),
        }
    }
}

#[async_trait]
impl StateStore for ReadOnly<dyn StateStore> {
    async fn load(&self) -> Result<Memory, StoreError> {
        self.inner.load().await
    }

    async fn save_client(&self, _memory: &ClientMemory) -> Result<(), StoreError> {
        Ok(())
    }

    async fn save_credentials(&self, _memories: &[CredentialMemory]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn record(
        &self,
        _entries: &[JournalEntry],
        _memories: &[CredentialMemory],
    ) -> Result<(), StoreError> {
        Ok(())
    }

    async fn journal(
        &self,
        credential: Option<CredentialId>,
        most: u32,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        self.inner.journal(credential, most).await
    }

    async fn keep_report(&self, _report: &Report) -> Result<(), StoreError> {
        Ok(())
    }

    async fn kept_reports(&self) -> Result<Vec<Report>, StoreError> {
        Ok(Vec::new())
    }

    async fn drop_report(&self, _id: ReportId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn keep_plan(&self, _plan: &HeldPlan) -> Result<(), StoreError> {
        Ok(())
    }

    async fn drop_plan(&self, _id: PlanId) -> Result<(), StoreError> {
        Ok(())
    }
}
