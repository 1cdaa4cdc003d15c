//! Sealed passwords that the vault sent a moment ago, so that using one needs no further request.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::future::Cache;
use sync_engine::model::{CredentialId, VaultVersion};
use uuid::Uuid;

use crate::wire::{ChangedCredential, SealedText, Standing, SyncMode};

const MOST: u64 = 10_000;
/// Long enough for the cycle that a change woke up. Later the vault is asked again, because it may
/// have a newer password, and a stale one must not be written.
const FRESH_FOR: Duration = Duration::from_secs(15);

/// A sealed password of one version.
pub(super) struct Fresh {
    pub(super) version: VaultVersion,
    pub(super) user_name: String,
    pub(super) sealed: SealedText,
}

impl Fresh {
    pub(super) fn new(version: VaultVersion, user_name: String, sealed: SealedText) -> Self {
        Self {
            version,
            user_name,
            sealed,
        }
    }
}

/// The newest version that was seen of each credential, while it is fresh.
pub(super) struct Freshness {
    epoch: Mutex<Option<Uuid>>,
    newest: Cache<CredentialId, (Uuid, Arc<Fresh>)>,
}

impl Freshness {
    pub(super) fn new() -> Self {
        Self::lasting(FRESH_FOR)
    }

    fn lasting(fresh_for: Duration) -> Self {
        Self {
            epoch: Mutex::new(None),
            newest: Cache::builder()
                .max_capacity(MOST)
                .time_to_live(fresh_for)
                .build(),
        }
    }

    /// A reading of this history begins: what another one said counts no more. What is no longer fresh goes, which it
    /// would else do only when something new comes.
    pub(super) async fn begin(&self, epoch: Uuid) {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = Some(epoch);
        self.newest.run_pending_tasks().await;
    }

    /// Takes what the vault just sent. Nothing is taken whose password nobody will ask for.
    pub(super) async fn remember(&self, epoch: Uuid, changed: &ChangedCredential) {
        let id = CredentialId(changed.id);
        if changed.standing == Standing::Disabled || changed.mode == SyncMode::Off {
            self.newest.invalidate(&id).await;
            return;
        }
        let fresh = Arc::new(Fresh::new(
            VaultVersion(changed.version),
            changed.user_name.clone(),
            changed.sealed.clone(),
        ));
        self.newest
            .entry(id)
            .and_upsert_with(async |known| match known.map(moka::Entry::into_value) {
                Some((of, newer)) if of == epoch && newer.version > fresh.version => (of, newer),
                _ => (epoch, fresh),
            })
            .await;
    }

    /// The newest version that the vault sent of a credential, if that was a moment ago.
    pub(super) async fn newest(&self, id: CredentialId) -> Option<Arc<Fresh>> {
        let (epoch, fresh) = self.newest.get(&id).await?;
        let current = *self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        (current == Some(epoch)).then_some(fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: CredentialId = CredentialId(Uuid::from_u128(7));
    const EPOCH: Uuid = Uuid::from_u128(1);

    fn changed(version: u64, mode: SyncMode) -> ChangedCredential {
        ChangedCredential {
            id: ID.0,
            user_name: "anna@contoso.com".into(),
            credential_type: String::new(),
            version,
            changed_by: None,
            changed: None,
            mode,
            standing: Standing::Active,
            sealed: SealedText("sealed".into()),
            confirmed: None,
            attempts: Vec::new(),
            flags: std::collections::BTreeMap::new(),
            cleared: std::collections::BTreeMap::new(),
        }
    }

    async fn newest(freshness: &Freshness) -> Option<u64> {
        freshness.newest(ID).await.map(|fresh| fresh.version.0)
    }

    #[tokio::test]
    async fn only_the_newest_version_is_remembered() {
        let freshness = Freshness::new();
        freshness.begin(EPOCH).await;
        for version in [2, 3, 1] {
            let changed = changed(version, SyncMode::Enabled);
            freshness.remember(EPOCH, &changed).await;
        }
        assert_eq!(newest(&freshness).await, Some(3));
    }

    #[tokio::test]
    async fn a_restored_vault_makes_everything_stale() {
        let freshness = Freshness::new();
        freshness.begin(EPOCH).await;
        let before = changed(9, SyncMode::Enabled);
        freshness.remember(EPOCH, &before).await;
        let restored = Uuid::from_u128(2);
        freshness.begin(restored).await;
        assert_eq!(newest(&freshness).await, None);
        let after = changed(4, SyncMode::Enabled);
        freshness.remember(restored, &after).await;
        assert_eq!(newest(&freshness).await, Some(4));
    }

    #[tokio::test]
    async fn what_is_switched_off_or_no_longer_fresh_is_forgotten() {
        let freshness = Freshness::new();
        freshness.begin(EPOCH).await;
        let on = changed(1, SyncMode::Enabled);
        freshness.remember(EPOCH, &on).await;
        freshness.remember(EPOCH, &changed(1, SyncMode::Off)).await;
        assert_eq!(newest(&freshness).await, None);

        let stale = Freshness::lasting(Duration::ZERO);
        stale.begin(EPOCH).await;
        stale.remember(EPOCH, &on).await;
        assert_eq!(newest(&stale).await, None);
    }
}
