//! What moved since the last plan: only that is planned anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{
    CredentialId, DirectoryChanges, DirectoryView, Extent, ObjectId, VaultChanges, VaultView,
};

/// What moved since the last plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Whether nothing of the last plan may be relied on.
    pub(super) everything: bool,
    /// Credentials that changed, at the vault or in the memory.
    pub(super) credentials: BTreeSet<CredentialId>,
    /// Accounts that changed or are gone.
    pub(super) objects: BTreeSet<ObjectId>,
    /// User names that resolve anew, or no more.
    pub(super) names: BTreeSet<Arc<str>>,
}

impl Moved {
    /// Nothing of the last plan may be relied on.
    pub fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }

    /// These credentials changed, at the vault or in the memory.
    pub fn credentials(ids: impl IntoIterator<Item = CredentialId>) -> Self {
        Self {
            credentials: ids.into_iter().collect(),
            ..Self::default()
        }
    }

    /// What a reading of the vault is about to change in a view.
    pub fn in_vault(view: &VaultView, changes: &VaultChanges) -> Self {
        let alike = changes.extent == Extent::Changes
            && changes.client == view.client
            && changes.epoch == view.epoch;
        if !alike {
            return Self::everything();
        }
        Self::credentials(changes.credentials.iter().map(|it| it.id))
    }

    /// What a reading of the directory is about to change in a view.
    pub fn in_directory(view: &DirectoryView, changes: &DirectoryChanges) -> Self {
        if changes.extent == Extent::Full {
            return Self::everything();
        }
        let now = changes.accounts.iter();
        let objects: BTreeSet<_> = now
            .clone()
            .map(|account| account.id)
            .chain(changes.removed.iter().copied())
            .collect();
        let before = objects.iter().filter_map(|id| view.account(*id));
        let names = now.chain(before);
        Self {
            names: names.map(|it| Arc::clone(it.user_name.folded())).collect(),
            objects,
            ..Self::default()
        }
    }

    /// Adds what else moved.
    pub fn and(&mut self, other: Self) {
        self.everything |= other.everything;
        self.credentials.extend(other.credentials);
        self.objects.extend(other.objects);
        self.names.extend(other.names);
    }
}
