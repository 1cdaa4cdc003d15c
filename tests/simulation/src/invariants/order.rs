//! No older vault version written after a newer one: a stale password would undo what a person
//! just did.
//!
//! That goes for the account, too, whichever credential a write is of: a write waits until the one before
//! it has settled, so none lands after a later one that was sent meanwhile.

use std::collections::BTreeMap;

use sync_engine::model::{CredentialId, ObjectId, VaultVersion};

use super::Invariant;
use crate::time::Moment;
use crate::world::{Purpose, World};

/// What was written to each account.
#[derive(Debug, Default)]
pub(super) struct Newest {
    /// The newest version of each credential.
    versions: BTreeMap<(ObjectId, CredentialId), (u128, VaultVersion)>,
    /// Which credential the write was of that was sent last, of those that landed, and when it was sent.
    sent: BTreeMap<ObjectId, (Moment, CredentialId)>,
}

impl World {
    /// A write of this version takes effect.
    pub(super) fn check_order(&mut self, written: Purpose, sent: Moment) {
        let key = (written.object, written.credential);
        let this = (written.epoch, written.version);
        let newest = self.watch.order.versions.get(&key).copied();
        if newest.is_some_and(|newest| newest > this) {
            self.totals.stale_writes += 1;
            let words = format!("version {} was written after {newest:?}", written.version);
            self.violate(Invariant::Order, words);
        }
        self.watch.order.versions.insert(key, this);
        let last = self.watch.order.sent.get(&written.object).copied();
        if let Some((later, other)) = last.filter(|(at, _)| *at > sent) {
            if other != written.credential {
                self.totals.stale_writes += 1;
                let words = format!(
                    "a write of {} sent at {sent} landed after one of {} sent at {later}",
                    Self::short(written.credential),
                    Self::short(other)
                );
                self.violate(Invariant::Order, words);
            }
            return;
        }
        let newest = (sent, written.credential);
        self.watch.order.sent.insert(written.object, newest);
    }
}
