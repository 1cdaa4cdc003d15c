//! Accounts: the chain of changes, and one account at a time.
//!
//! A delta entry may lack properties. Graph leaves out what was never set, and is free to leave out
//! what did not change. Reading an unset property as "unset" is right in the first case and wrong in
//! the second, so an entry of an incremental reading that lacks one of the properties which every
//! account has is read again as a whole. Nothing is remembered between readings.

mod wire;

use std::collections::BTreeMap;

use sync_engine::model::{Account, DeltaLink, DirectoryChanges, Extent, ObjectId};

use self::wire::{Entry, WireUser};
use crate::GraphError;
use crate::calls::Call;
use crate::paging::{Collection, Link};
use crate::session::Session;

const NAME: &str = "GET /users/delta";

impl Session {
    /// What changed since a link, or everything when the link is of no use.
    pub(crate) async fn changes(
        &self,
        since: Option<&DeltaLink>,
    ) -> Result<DirectoryChanges, GraphError> {
        if let Some(link) = since.and_then(|link| self.own_link(link)) {
            match self.changes_since(&link).await {
                Err(GraphError::LinkExpired) => {
                    tracing::info!("the delta link has expired, everything is read again");
                }
                outcome => return outcome,
            }
        }
        let all = self.read_all(Call::UsersDelta).await?;
        self.assemble(all, Extent::Full).await
    }

    /// A link of another endpoint is not followed: the configuration has changed since.
    fn own_link(&self, link: &DeltaLink) -> Option<Link> {
        let own = self.link(&link.0);
        if own.is_err() {
            tracing::warn!("the delta link belongs to another endpoint, everything is read again");
        }
        own.ok()
    }

    async fn changes_since(&self, link: &Link) -> Result<DirectoryChanges, GraphError> {
        let of = Call::UsersDelta.facts();
        let changed = self.read_all(Call::Follow { link, of }).await?;
        self.assemble(changed, Extent::Changes).await
    }

    async fn assemble(
        &self,
        read: Collection<WireUser>,
        extent: Extent,
    ) -> Result<DirectoryChanges, GraphError> {
        let link = read.delta.ok_or(GraphError::NotUnderstood {
            call: NAME,
            source: None,
        })?;
        let mut changes = DirectoryChanges {
            link: DeltaLink(link.url().to_string()),
            extent,
            accounts: Vec::new(),
            removed: Vec::new(),
        };
        for (id, user) in latest(read.entries)? {
            match self.whole(id, user, extent).await? {
                Some(account) => changes.accounts.push(account),
                None => changes.removed.push(id),
            }
        }
        Ok(changes)
    }

    async fn whole(
        &self,
        id: ObjectId,
        user: WireUser,
        extent: Extent,
    ) -> Result<Option<Account>, GraphError> {
        match user.into_entry(id, extent)? {
            Entry::Whole(account) => Ok(Some(account)),
            Entry::Removed => Ok(None),
            Entry::Partial => self.account(id).await,
        }
    }

    /// One account as it is now.
    pub(crate) async fn account(&self, id: ObjectId) -> Result<Option<Account>, GraphError> {
        let user: WireUser = match self.read(&Call::User(id)).await {
            Err(GraphError::NotFound) => return Ok(None),
            answer => answer?,
        };
        if user.object_id()? != id {
            return Err(WireUser::nonsense());
        }
        match user.into_entry(id, Extent::Full)? {
            Entry::Whole(account) => Ok(Some(account)),
            Entry::Removed => Ok(None),
            Entry::Partial => Err(WireUser::nonsense()),
        }
    }
}

/// One entry for each account. Where pages repeat an account, the later entry wins.
fn latest(entries: Vec<WireUser>) -> Result<BTreeMap<ObjectId, WireUser>, GraphError> {
    let mut latest: BTreeMap<ObjectId, WireUser> = BTreeMap::new();
    for entry in entries {
        let id = entry.object_id()?;
        let merged = match latest.remove(&id) {
            Some(earlier) => entry.over(earlier),
            None => entry,
        };
        latest.insert(id, merged);
    }
    Ok(latest)
}

#[cfg(test)]
mod tests;
