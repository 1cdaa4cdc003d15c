//! What becomes of flags by the time alone: snoozes end, passwords expire, and the standing ones are counted.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::error;

use crate::vault::{Vault, VaultError};

pub(crate) async fn look_at_flags_every(pause: Duration, vault: Arc<Vault>) {
    loop {
        tokio::time::sleep(pause).await;
        if let Err(error) = look_at_flags(&vault, Timestamp::now()).await {
            let error: &dyn std::error::Error = &error;
            error!(error, "flags that depend on the time could not be raised");
        }
    }
}

/// Raises what a snooze put off until now, and flags passwords whose last day is over.
pub(crate) async fn look_at_flags(vault: &Vault, now: Timestamp) -> Result<(), VaultError> {
    vault.end_snoozes(now).await?;
    vault.flag_expired(now).await
}

pub(crate) async fn count_flags_every(pause: Duration, vault: Arc<Vault>) {
    loop {
        if let Err(error) = vault.count_flags(Timestamp::now()).await {
            let error: &dyn std::error::Error = &error;
            error!(error, "the standing flags could not be counted");
        }
        tokio::time::sleep(pause).await;
    }
}
