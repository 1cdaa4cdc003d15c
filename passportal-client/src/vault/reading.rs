//! Puts the pages of one reading together.

use sync_engine::ports::VaultError;

use crate::ApiError;
use crate::wire::{ChangedCredential, Changes, Extent};

/// The pages read so far: the newest, and the credentials of all.
#[derive(Default)]
pub(super) struct Reading {
    latest: Option<Changes>,
    credentials: Vec<ChangedCredential>,
    extent: Option<Extent>,
}

impl Reading {
    /// Takes the next page. A restored backup, or a cursor that was lost between two pages, begins
    /// a full reading: what was read before it belongs to a history that is gone.
    pub(super) fn add(&mut self, mut page: Changes) -> Result<(), VaultError> {
        let same_history = self.latest.as_ref().is_none_or(|p| p.epoch == page.epoch);
        let same_extent = self.extent.is_none_or(|extent| extent == page.extent);
        if !(same_history && same_extent) {
            if page.extent != Extent::Full {
                return Err(not_understood("its history changed between two pages"));
            }
            self.credentials.clear();
        }
        self.extent = Some(page.extent);
        self.credentials.append(&mut page.credentials);
        self.latest = Some(page);
        Ok(())
    }

    /// The newest page without its credentials, the extent, and all credentials in order.
    pub(super) fn finish(self) -> Result<(Changes, Extent, Vec<ChangedCredential>), VaultError> {
        let latest = self
            .latest
            .ok_or_else(|| not_understood("it has no pages"))?;
        let extent = latest.extent;
        Ok((latest, extent, self.credentials))
    }
}

pub(super) fn not_understood(reason: &str) -> VaultError {
    VaultError::Protocol(Box::new(ApiError::Protocol {
        path: "the changes".to_owned(),
        reason: reason.to_owned(),
    }))
}
