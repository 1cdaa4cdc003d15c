//! The four ports: all that the engine needs from the world.

mod clock;
mod directory;
mod store;
mod vault;

pub use clock::{Clock, ClockOf};
pub use directory::{Directory, DirectoryError, PasswordWrite, SetPassword};
pub use store::{StateStore, StoreError};
pub use vault::{CredentialVault, Lease, PasswordAnswer, VaultError, Wait};

/// The cause of a port's error, kept for its text.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
