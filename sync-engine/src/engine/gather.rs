//! Reads what changed on both sides into the views, and marks what moved for the planner.

use std::time::Duration;

use jiff::Timestamp;

use super::{Engine, EngineError};
use crate::model::{DirectoryView, VaultView};
use crate::plan::Moved;
use crate::ports::Wait;

/// What [`Engine::await_change`] read this short a time ago need not be read again.
const FRESH: Duration = Duration::from_secs(1);
/// Before a step, the tenant's domains and the agent's rights must have been read within this time.
pub(super) const GOOD_BEFORE_A_STEP: Duration = Duration::from_mins(10);
/// Also without a step they are read this often: a domain that is managed again is synced again, and
/// an account that the agent may reset by now.
const TENANT_IS_READ_EVERY: Duration = Duration::from_hours(1);

impl Engine {
    /// Waits until the vault changes, at the most this long, and tells whether it did. The next
    /// cycle then need not read the vault again. Dropping the future before it is ready is safe.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn await_change(&mut self, most: Duration) -> Result<bool, EngineError> {
        let news = |view: &VaultView| (view.cursor.clone(), view.rulings.clone());
        let Some(before) = self.vault.as_ref().map(news) else {
            return Ok(true);
        };
        self.gather_vault(Wait::UpTo(most)).await?;
        self.awaited = Some(self.ports.clock.now());
        Ok(self.vault.as_ref().map(news) != Some(before))
    }

    /// Reads what changed on both sides, everything the first time.
    pub(super) async fn gather(&mut self, wait: Wait) -> Result<(), EngineError> {
        let awaited = self.awaited.take();
        let is_fresh = self.vault.is_some() && self.is_recent(awaited, FRESH);
        if wait != Wait::No || !is_fresh {
            self.gather_vault(wait).await?;
        }
        self.gather_directory().await?;
        self.refresh_tenant(TENANT_IS_READ_EVERY).await?;
        Ok(())
    }

    pub(super) async fn gather_vault(&mut self, wait: Wait) -> Result<(), EngineError> {
        let cursor = self.vault.as_ref().map(|view| view.cursor.clone());
        let changes = self.ports.vault.changes(cursor.as_ref(), wait).await?;
        if let Some(view) = &mut self.vault {
            self.planner.mark(Moved::in_vault(view, &changes));
            view.absorb(changes);
        } else {
            self.planner.mark(Moved::everything());
            self.vault = Some(VaultView::new(changes));
        }
        self.vault_read = Some(self.ports.clock.now());
        Ok(())
    }

    pub(super) async fn gather_directory(&mut self) -> Result<(), EngineError> {
        let Some(view) = &mut self.directory else {
            let changes = self.ports.directory.changes(None).await?;
            let domains = self.ports.directory.domains().await?;
            let rights = self.ports.directory.reset_rights().await?;
            self.planner.mark(Moved::everything());
            let mut view = DirectoryView::new(changes, domains);
            view.set_reset_rights(rights);
            self.directory = Some(view);
            self.directory_read = Some(self.ports.clock.now());
            self.tenant_read = self.directory_read;
            return Ok(());
        };
        let link = view.link().clone();
        let changes = self.ports.directory.changes(Some(&link)).await?;
        self.planner.mark(Moved::in_directory(view, &changes));
        view.absorb(changes);
        Ok(())
    }

    /// Domains are converted rarely, and then no password of theirs may be tested or set; roles are
    /// assigned and taken away. Returns whether both were read anew.
    pub(super) async fn refresh_tenant(&mut self, good_for: Duration) -> Result<bool, EngineError> {
        if self.is_recent(self.tenant_read, good_for) {
            return Ok(false);
        }
        let domains = self.ports.directory.domains().await?;
        let rights = self.ports.directory.reset_rights().await?;
        if let Some(view) = &mut self.directory
            && (view.domains() != &domains || view.reset_rights() != &rights)
        {
            self.planner.mark(Moved::everything());
            view.set_domains(domains);
            view.set_reset_rights(rights);
        }
        self.tenant_read = Some(self.ports.clock.now());
        Ok(true)
    }

    pub(super) fn is_recent(&self, at: Option<Timestamp>, good_for: Duration) -> bool {
        let now = self.ports.clock.now();
        at.is_some_and(|at| now.duration_since(at).unsigned_abs() < good_for)
    }
}
