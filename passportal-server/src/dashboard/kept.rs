//! What is kept in memory under the hash of a cookie: for a while, and never more than so many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::token::TokenHash;

/// Ends by itself.
pub(super) trait Lasting {
    fn is_over(&self, now: Instant) -> bool;

    /// When it was last used. What was used longest ago goes first where there is no more room.
    fn used(&self) -> Instant;
}

/// Things by the hash of their cookie.
pub(super) struct Kept<T> {
    things: Mutex<HashMap<TokenHash, Arc<T>>>,
    most: usize,
}

impl<T: Lasting> Kept<T> {
    pub(super) fn at_most(most: usize) -> Self {
        Self {
            things: Mutex::default(),
            most,
        }
    }

    pub(super) fn insert(&self, cookie: TokenHash, thing: Arc<T>) {
        let mut things = self.things();
        if things.len() >= self.most {
            let longest_ago = things.iter().min_by_key(|(_, thing)| thing.used());
            if let Some(cookie) = longest_ago.map(|(cookie, _)| cookie.clone()) {
                things.remove(&cookie);
            }
        }
        things.insert(cookie, thing);
    }

    /// The thing of a cookie, unless it is over.
    pub(super) fn get(&self, cookie: &TokenHash, now: Instant) -> Option<Arc<T>> {
        let found = self.things().get(cookie).map(Arc::clone);
        found.filter(|thing| !thing.is_over(now))
    }

    pub(super) fn remove(&self, cookie: &TokenHash) -> Option<Arc<T>> {
        self.things().remove(cookie)
    }

    /// Removes what is meant; says whether there was any.
    pub(super) fn remove_where(&self, is_meant: impl Fn(&T) -> bool) -> bool {
        let mut things = self.things();
        let before = things.len();
        things.retain(|_, thing| !is_meant(thing));
        things.len() < before
    }

    /// Everything that is not over.
    pub(super) fn all(&self, now: Instant) -> Vec<Arc<T>> {
        let things = self.things();
        let lasting = things.values().filter(|thing| !thing.is_over(now));
        lasting.map(Arc::clone).collect()
    }

    fn things(&self) -> MutexGuard<'_, HashMap<TokenHash, Arc<T>>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
