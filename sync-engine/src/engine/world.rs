//! What surrounds an engine: its ports, who may stop it, who watches it, and what can go wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::StepKind;
use crate::plan::Decision;
use crate::ports::{
    Clock, CredentialVault, Directory, DirectoryError, StateStore, StoreError, VaultError,
};

/// The world, as one client's engine reaches it.
#[derive(Clone)]
pub struct Ports {
    /// The client's vault.
    pub vault: Arc<dyn CredentialVault>,
    /// The client's tenant.
    pub directory: Arc<dyn Directory>,
    /// The client's memory.
    pub store: Arc<dyn StateStore>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
}

/// A request to stop: steps in flight are finished, no further one begins.
#[derive(Clone, Debug, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    /// Asks to stop.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Somebody who watches a cycle, for a progress bar.
pub trait Observer: Send + Sync {
    /// So many steps follow.
    fn planned(&self, steps: usize);
    /// One of them is finished.
    fn finished(&self, decision: &Decision, kind: StepKind);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn planned(&self, _steps: usize) {}
    fn finished(&self, _decision: &Decision, _kind: StepKind) {}
}

/// Why a cycle could not be finished. What was done until then is journaled.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The vault.
    #[error("the vault could not be read or told")]
    Vault(#[from] VaultError),
    /// The directory.
    #[error("the directory could not be read")]
    Directory(#[from] DirectoryError),
    /// The memory. Nothing is written to the directory while it fails.
    #[error("the engine cannot remember, so it does nothing")]
    Store(#[from] StoreError),
}
