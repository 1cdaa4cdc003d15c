//! Who must be looked at again when an account or a user name moves.
//!
//! Flat sets of pairs instead of a set for each key: at a hundred thousand credentials most keys
//! have one neighbour only.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use uuid::Uuid;

use super::Inputs;
use crate::model::{CredentialId, ObjectId, UserPrincipalName};

/// Which credentials look at which accounts and user names.
#[derive(Debug, Default)]
pub(super) struct Index {
    watchers: BTreeSet<(ObjectId, CredentialId)>,
    watched: BTreeSet<(CredentialId, ObjectId)>,
    /// By a hash of the folded name: two names with one hash only make for a look too many.
    names: BTreeSet<(u64, CredentialId)>,
}

/// What one credential looks at.
pub(super) struct View<'a> {
    /// The credential. The vault may have lost it while the memory still tells of its account.
    pub(super) id: CredentialId,
    /// Its user name, where the vault has it.
    pub(super) name: Option<&'a UserPrincipalName>,
    /// All accounts that may have a say in what is planned for it.
    pub(super) accounts: BTreeSet<ObjectId>,
}

impl<'a> View<'a> {
    pub(super) fn of(id: CredentialId, inputs: Inputs<'a>) -> Self {
        let credential = inputs.vault.credentials.get(&id);
        let name = credential.map(|it| &it.user_name);
        let resolved = name.and_then(|name| inputs.directory.resolve(name));
        let mut accounts: BTreeSet<_> = resolved.map(|account| account.id).into_iter().collect();
        if let Some(known) = inputs.memory.credentials.get(&id) {
            accounts.extend(known.object);
            accounts.extend(known.chosen_for);
            accounts.extend(known.pending.as_ref().map(|it| it.object));
            accounts.extend(known.attempts.iter().map(|it| it.object));
        }
        Self { id, name, accounts }
    }
}

impl Index {
    /// What all credentials look at.
    pub(super) fn of<'a>(views: impl Iterator<Item = View<'a>>) -> Self {
        let mut pairs = Vec::new();
        let mut names = Vec::new();
        for view in views {
            pairs.extend(view.accounts.iter().map(|object| (view.id, *object)));
            names.extend(view.name.map(|name| (hash(name.folded()), view.id)));
        }
        Self {
            watchers: pairs.iter().map(|(id, object)| (*object, *id)).collect(),
            watched: pairs.into_iter().collect(),
            names: names.into_iter().collect(),
        }
    }

    /// Takes in what a credential looks at now, in place of what it looked at before.
    pub(super) fn update(&mut self, view: &View<'_>, before: Option<&UserPrincipalName>) {
        self.watch(view.id, &view.accounts);
        if before == view.name {
            return;
        }
        let key = |name: &UserPrincipalName| (hash(name.folded()), view.id);
        if let Some(before) = before {
            self.names.remove(&key(before));
        }
        self.names.extend(view.name.map(key));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.watched.is_empty() && self.names.is_empty()
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

fn hash(folded: &str) -> u64 {
    // Its keys are fixed, so that equal input gives equal order.
    let mut hasher = DefaultHasher::new();
    folded.hash(&mut hasher);
    hasher.finish()
}
