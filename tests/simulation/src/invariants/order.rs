//! No older vault version written after a newer one: a stale password would undo what a person
//! just did.

use std::collections::BTreeMap;

use sync_engine::model::{CredentialId, ObjectId, VaultVersion};

use super::Invariant;
use crate::world::{Purpose, World};

/// The newest version that was written of each credential to each account.
#[derive(Debug, Default)]
pub(super) struct Newest(BTreeMap<(ObjectId, CredentialId), (u128, VaultVersion)>);

impl World {
    /// A write of this version takes effect.
    pub(super) fn check_order(&mut self, written: Purpose) {
        let key = (written.object, written.credential);
        let this = (written.epoch, written.version);
        let newest = self.watch.order.0.get(&key).copied();
        if newest.is_some_and(|newest| newest > this) {
            self.totals.stale_writes += 1;
            let words = format!("version {} was written after {newest:?}", written.version);
            self.violate(Invariant::Order, words);
        }
        self.watch.order.0.insert(key, this);
    }
}
