//! Stateful fakes of the four ports, and the contract tests that every implementation runs.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this runs in tests only, where a failure should say where it happened"
)]

mod clock;
#[doc(hidden)]
pub mod contract;
mod directory;
mod vault;

pub use clock::ManualClock;
pub use directory::{FakeDirectory, Fault};
pub use vault::{FakeVault, VaultCall};

pub use crate::memory_store::MemoryStore;
