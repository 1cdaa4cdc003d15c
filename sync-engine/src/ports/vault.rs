//! The vault's side: what changed, one password at a time, and what came of it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Cause;
use crate::model::{
    AttemptNotice, CredentialId, Cursor, Password, Report, VaultChanges, VaultVersion,
};
use crate::plan::HeldPlan;

/// How long a reading of changes may wait for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Answer at once.
    No,
    /// Answer when something changes, at the latest after this long.
    UpTo(Duration),
}

/// Permission to write, for one agent at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// This agent may write until then.
    Granted {
        /// The end, by this machine's clock.
        until: Timestamp,
        /// Where another agent held the lease before: no write before this time, because one of
        /// its requests may still be under way.
        writes_from: Option<Timestamp>,
    },
    /// Another agent may.
    Elsewhere {
        /// Who, in words for a technician.
        holder: String,
        /// Until when, by this machine's clock.
        until: Timestamp,
    },
}

impl Lease {
    /// For a vault that no second agent ever writes for.
    pub fn unshared() -> Self {
        Self::Granted {
            until: Timestamp::MAX,
            writes_from: None,
        }
    }
}

/// The vault's answer to "the password of this version?".
#[derive(Clone, Debug)]
pub enum PasswordAnswer {
    /// It is the current one.
    Current(Password),
    /// The credential has moved on: another version, disabled, or gone.
    Superseded,
}

/// A client's vault.
#[async_trait]
pub trait CredentialVault: Send + Sync {
    /// Takes or renews the lease, and tells the vault that this agent is alive.
    async fn lease(&self) -> Result<Lease, VaultError>;

    /// What changed since the cursor; everything when there is no cursor, or when the vault's
    /// history is another one. Every page is read before this returns.
    async fn changes(&self, since: Option<&Cursor>, wait: Wait)
    -> Result<VaultChanges, VaultError>;

    /// The password of exactly this version.
    async fn password(
        &self,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError>;

    /// Writes down sign-in tests. Returns only once the vault has them.
    async fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError>;

    /// Tells what happened. Sending the same report again changes nothing.
    async fn report(&self, report: &Report) -> Result<(), VaultError>;

    /// Shows people the plans that the breaker held, in place of those shown before. What they say
    /// comes back in [`VaultChanges::rulings`]. A vault that nobody looks at may leave this alone.
    async fn show_plans(&self, _plans: &[HeldPlan]) -> Result<(), VaultError> {
        Ok(())
    }
}

/// Why the vault could not do it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No answer, or one that says "later".
    #[error("the vault is not available")]
    Unavailable(#[source] Cause),
    /// The agent's token is revoked, or the person is not allowed.
    #[error("the vault does not accept this agent")]
    NotAuthorised(#[source] Cause),
    /// The client's data key does not open what the vault sent.
    #[error("the vault's data cannot be opened with this client's key")]
    Sealed(#[source] Cause),
    /// The vault answered something that this version does not understand.
    #[error("the vault's answer was not understood")]
    Protocol(#[source] Cause),
}
