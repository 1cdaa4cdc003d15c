//! The order in which accounts changed, and which of their properties: what a delta query reads.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use uuid::Uuid;

/// A property whose change a delta tracks; `CREATED` and `REMOVED` stand for all of them.
pub(crate) type Property = &'static str;

/// The account appeared.
pub(crate) const CREATED: Property = "*created";
/// The account was deleted.
pub(crate) const REMOVED: Property = "*removed";

/// Every account once, at the place of its last change.
#[derive(Debug, Default)]
pub(crate) struct ChangeLog {
    last: u64,
    order: BTreeMap<u64, Uuid>,
    place: HashMap<Uuid, u64>,
    properties: HashMap<Uuid, BTreeMap<Property, u64>>,
}

impl ChangeLog {
    /// The number of the newest change.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Notes that properties of an account changed now.
    pub(crate) fn note(&mut self, account: Uuid, properties: &[Property]) {
        self.last += 1;
        if let Some(before) = self.place.insert(account, self.last) {
            self.order.remove(&before);
        }
        self.order.insert(self.last, account);
        let known = self.properties.entry(account).or_default();
        known.extend(properties.iter().map(|property| (*property, self.last)));
    }

    /// Accounts whose last change comes after `after`, oldest first.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = (u64, Uuid)> {
        self.order
            .range((Bound::Excluded(after), Bound::Unbounded))
            .map(|(number, id)| (*number, *id))
    }

    /// Whether one of `selected` changed after `since`, or the account came or went.
    pub(crate) fn touches(&self, account: Uuid, since: u64, selected: &[Property]) -> bool {
        self.properties.get(&account).is_some_and(|known| {
            known.iter().any(|(property, number)| {
                *number > since
                    && ([CREATED, REMOVED].contains(property) || selected.contains(property))
            })
        })
    }
}
