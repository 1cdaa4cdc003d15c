//! The credentials whose envelopes do not open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sync_engine::model::{CredentialId, VaultVersion};
use tracing::warn;

use crate::envelope::EnvelopeError;
use crate::wire::ChangedCredential;

/// The newest version of each that does not open.
#[derive(Default)]
pub(super) struct Unreadable(Mutex<BTreeMap<CredentialId, VaultVersion>>);

impl Unreadable {
    /// Notes an envelope that does not open, and logs it unless this version was logged before.
    pub(super) fn add(&self, id: CredentialId, version: VaultVersion, why: EnvelopeError) {
        if self.locked().insert(id, version) != Some(version) {
            let error = &why as &dyn std::error::Error;
            warn!(credential.id = %id, %version, error, "the password of credential {id} cannot be opened and is left alone");
        }
    }

    pub(super) fn remove(&self, id: CredentialId) {
        self.locked().remove(&id);
    }

    /// After a full reading: what is not in it does not exist.
    pub(super) fn keep_only(&self, existing: &[ChangedCredential]) {
        let existing: BTreeSet<_> = existing.iter().map(|c| CredentialId(c.id)).collect();
        self.locked().retain(|id, _| existing.contains(id));
    }

    /// Whether this version, or a newer one, does not open.
    pub(super) fn covers(&self, id: CredentialId, version: VaultVersion) -> bool {
        self.locked()
            .get(&id)
            .is_some_and(|newest| version <= *newest)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.locked().is_empty()
    }

    pub(super) fn ids(&self) -> Vec<CredentialId> {
        self.locked().keys().copied().collect()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<CredentialId, VaultVersion>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
