//! The directory's side: accounts, sign-in tests, and the one write there is.

use async_trait::async_trait;
use futures::future::join_all;
use jiff::Timestamp;

use super::Cause;
use crate::model::{
    Accepted, Account, BlockedReason, DeltaLink, DirectoryChanges, Domains, ObjectId, Password,
    ResetRights, SignIn, UserPrincipalName,
};

/// What came of setting a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetPassword {
    /// The service took it (204). Not proof yet: the new stamp is.
    Accepted(Accepted),
    /// The service refused it for good: policy, role, hybrid account.
    Refused(BlockedReason),
    /// The account is gone.
    Gone,
    /// It was certainly not done, and may be tried again from then on.
    NotNow {
        /// The earliest time for another try.
        retry_at: Timestamp,
    },
    /// The answer was lost: it may have been done.
    Ambiguous,
}

/// A write that is due.
#[derive(Clone, Debug)]
pub struct PasswordWrite {
    /// The account.
    pub object: ObjectId,
    /// Its new password.
    pub password: Password,
}

/// A tenant's directory.
#[async_trait]
pub trait Directory: Send + Sync {
    /// What changed since the link; everything when there is no link, or when the link expired.
    /// Every page is read before this returns.
    async fn changes(&self, since: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError>;

    /// The tenant's verified domains.
    async fn domains(&self) -> Result<Domains, DirectoryError>;

    /// The roles that the agent lacks for resetting accounts; a directory that cannot tell knows of
    /// none.
    async fn reset_rights(&self) -> Result<ResetRights, DirectoryError> {
        Ok(ResetRights::default())
    }

    /// One account as it is now; `None` when there is none with this id. Reads all of them, where
    /// there is no shorter way.
    async fn account(&self, id: ObjectId) -> Result<Option<Account>, DirectoryError> {
        let accounts = self.changes(None).await?.accounts;
        Ok(accounts.into_iter().find(|account| account.id == id))
    }

    /// Tests a password by signing in with it, once. Never retried: each try may count towards a
    /// lockout. A fault is [`UnknownReason`](crate::model::UnknownReason), not an error.
    async fn verify(&self, user_name: &UserPrincipalName, password: &Password) -> SignIn;

    /// Sets a password, once. Never retried here after it may have had an effect.
    async fn set_password(&self, id: ObjectId, password: &Password) -> SetPassword;

    /// Sets passwords of different accounts, each as [`set_password`](Self::set_password) does, and answers for each
    /// in their order. A directory that takes several in one request does so here; an answer that is lost, or that
    /// leaves an account out, is [`SetPassword::Ambiguous`] for every account that it was to tell of.
    async fn set_passwords(&self, writes: &[PasswordWrite]) -> Vec<SetPassword> {
        let each = writes.iter();
        join_all(each.map(|write| self.set_password(write.object, &write.password))).await
    }
}

/// Why the directory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// No answer, or one that says "later".
    #[error("Entra ID is not available")]
    Unavailable(#[source] Cause),
    /// The service asked for patience.
    #[error("Entra ID asked to wait until {retry_at}")]
    Throttled {
        /// The earliest time for another try.
        retry_at: Timestamp,
    },
    /// The agent's own sign-in failed.
    #[error("the agent cannot sign in to Entra ID")]
    SignIn(#[source] Cause),
    /// The agent's identity lacks a permission.
    #[error("the agent lacks a permission in Entra ID")]
    NotAuthorised(#[source] Cause),
    /// The service answered something that this version does not understand.
    #[error("Entra ID's answer was not understood")]
    Protocol(#[source] Cause),
}
