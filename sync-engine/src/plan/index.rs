//! Who must be looked at again when an account or a user name moves.
//!
//! Flat sets of pairs instead of a set for each key: at a hundred thousand credentials most keys
//! have one neighbour only.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use uuid::Uuid;

use crate::model::{
    CredentialId, CredentialMemory, DirectoryView, ObjectId, UserPrincipalName, VaultCredential,
};

/// Which credentials look at which accounts and user names.
#[derive(Debug, Default)]
pub(super) struct Index {
    watchers: BTreeSet<(ObjectId, CredentialId)>,
    watched: BTreeSet<(CredentialId, ObjectId)>,
    /// By a hash of the folded name: two names with one hash only make for a look too many.
    names: BTreeSet<(u64, CredentialId)>,
}

impl Index {
    /// What all credentials look at.
    pub(super) fn of<'a>(
        watched: impl Iterator<Item = (&'a VaultCredential, BTreeSet<ObjectId>)>,
    ) -> Self {
        let mut pairs = Vec::new();
        let mut names = Vec::new();
        for (credential, objects) in watched {
            pairs.extend(objects.iter().map(|object| (credential.id, *object)));
            names.push((hash(credential.user_name.folded()), credential.id));
        }
        Self {
            watchers: pairs.iter().map(|(id, object)| (*object, *id)).collect(),
            watched: pairs.into_iter().collect(),
            names: names.into_iter().collect(),
        }
    }

    /// Takes in what a credential looks at now, in place of what it looked at before.
    pub(super) fn update(
        &mut self,
        credential: &VaultCredential,
        before: Option<&UserPrincipalName>,
        objects: &BTreeSet<ObjectId>,
    ) {
        self.watch(credential.id, objects);
        if before != Some(&credential.user_name) {
            self.rename(credential, before);
        }
    }

    fn watch(&mut self, id: CredentialId, objects: &BTreeSet<ObjectId>) {
        let before = self.accounts_of(id);
        if before.iter().eq(objects) {
            return;
        }
        for object in before {
            self.watchers.remove(&(object, id));
            self.watched.remove(&(id, object));
        }
        for object in objects {
            self.watchers.insert((*object, id));
            self.watched.insert((id, *object));
        }
    }

    fn rename(&mut self, credential: &VaultCredential, before: Option<&UserPrincipalName>) {
        if let Some(before) = before {
            self.names.remove(&(hash(before.folded()), credential.id));
        }
        let name = hash(credential.user_name.folded());
        self.names.insert((name, credential.id));
    }

    /// The accounts that a credential looked at.
    pub(super) fn accounts_of(&self, id: CredentialId) -> Vec<ObjectId> {
        let first = (id, ObjectId(Uuid::nil()));
        let last = (id, ObjectId(Uuid::max()));
        self.watched.range(first..=last).map(|it| it.1).collect()
    }

    /// The credentials that look at an account.
    pub(super) fn watchers(&self, object: ObjectId) -> impl Iterator<Item = CredentialId> {
        let first = (object, CredentialId(Uuid::nil()));
        let last = (object, CredentialId(Uuid::max()));
        self.watchers.range(first..=last).map(|it| it.1)
    }

    /// The credentials with a user name, and perhaps some others.
    pub(super) fn named(&self, folded: &str) -> impl Iterator<Item = CredentialId> {
        let hash = hash(folded);
        let first = (hash, CredentialId(Uuid::nil()));
        let last = (hash, CredentialId(Uuid::max()));
        self.names.range(first..=last).map(|it| it.1)
    }
}

/// All accounts that may have a say in what is planned for a credential.
pub(super) fn accounts(
    credential: &VaultCredential,
    directory: &DirectoryView,
    known: Option<&CredentialMemory>,
) -> BTreeSet<ObjectId> {
    let resolved = directory.resolve(&credential.user_name);
    let mut accounts: BTreeSet<_> = resolved.map(|account| account.id).into_iter().collect();
    if let Some(known) = known {
        accounts.extend(known.object);
        accounts.extend(known.chosen_for);
        accounts.extend(known.pending.as_ref().map(|it| it.object));
        accounts.extend(known.attempts.iter().map(|it| it.object));
    }
    accounts
}

fn hash(folded: &str) -> u64 {
    // Its keys are fixed, so that equal input gives equal order.
    let mut hasher = DefaultHasher::new();
    folded.hash(&mut hasher);
    hasher.finish()
}
